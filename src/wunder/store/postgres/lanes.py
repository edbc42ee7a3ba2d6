"""Lanes: the order of turns, or of deliveries, within one conversation, worked out on locked rows."""

from typing import Any

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import AccountUid, At
from wunder.store.place import Place
from wunder.store.postgres.lane_book import LANE_COLUMNS, Lane
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.readiness import SUSPECT_CLAIMS, ready_at
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS

_DELIVERY_HEAD = Many(
    f"""
SELECT v.n, h.* FROM {{v}} CROSS JOIN LATERAL (
  SELECT state, retry_at, not_before, expires_at FROM channel_outbox o
  WHERE o.lane_id = v.lane_id AND {LIVE_DELIVERIES} AND o.delivery_id <> v.but
  ORDER BY lane_seq LIMIT 1) h
""",  # noqa: S608 - constants
    "lane_id int8, but text",
)
_TURN_HEAD = Many(
    f"""
SELECT v.n, h.* FROM {{v}} CROSS JOIN LATERAL (
  SELECT state, claims FROM channel_messages m
  WHERE m.lane_id = v.lane_id AND {LIVE_TURNS} AND m.message_id <> v.but
  ORDER BY lane_seq LIMIT 1) h
""",  # noqa: S608 - constants
    "lane_id int8, but text",
)
#: A lane that another node has locked is in its hands: it tells when it has let go.
_DUE_TURNS = f"""
SELECT {LANE_COLUMNS} FROM channel_lanes l
WHERE l.kind = 'turn' AND l.is_suspect = ? AND l.ready_at <= ? ORDER BY l.ready_at, l.lane_id LIMIT ?
FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constant
_DUE_DELIVERIES = f"""
SELECT {LANE_COLUMNS} FROM channel_lanes l
WHERE l.kind = 'delivery' AND l.account_uid = ? AND l.ready_at <= ? ORDER BY l.ready_at, l.lane_id LIMIT ?
FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constant


async def enter(
    tx: Tx, kind: LaneKind, conversation: Conversation, rows: int, at: At, *, is_claimed: bool
) -> Place:
    """Take the next `rows` places at the tail; claim the head where asked and the lane is free."""
    lane = await tx.lanes.of(kind, conversation)
    is_free = lane.waiting == 0 and not lane.rests_at(at)
    if is_free and is_claimed:
        lane.fence += 1
    if lane.waiting == 0:
        ready = None if is_claimed else at
        lane.ready_at = ready if is_free else lane.rests_until
    first_seq = lane.next_seq
    lane.next_seq += rows
    lane.waiting += rows
    lane.is_changed = True
    if lane.ready_at is not None:
        tx.tell("work")
    return Place(lane.lane_id, first_seq, is_free, lane.fence)


def claim(lane: Lane) -> int:
    """Mark the head as taken; returns the fence of this claim."""
    lane.fence += 1
    lane.ready_at = None
    lane.is_changed = True
    return lane.fence


def rest(lane: Lane, until: At | None) -> None:
    """Keep a lane shut until a time, or open it; takes effect when its head is looked at next."""
    lane.rests_until = until
    lane.is_changed = True


def bump_fence(lane: Lane) -> int:
    """Make every claim so far an old one."""
    lane.fence += 1
    lane.is_changed = True
    return lane.fence


def leave(lane: Lane) -> int:
    """Take one row out; how many wait still. The caller refreshes the lane where some do."""
    lane.waiting -= 1
    lane.ready_at = None
    lane.is_suspect = 0
    lane.is_changed = True
    return lane.waiting


async def leave_turns(tx: Tx, lane: Lane, now: At, but: str) -> None:
    """Release the head `but` of a turn lane; the next one becomes ready."""
    if leave(lane):
        await refresh_turns(tx, lane, now, but)


async def leave_deliveries(tx: Tx, lane: Lane, now: At, but: str) -> int:
    """Release the row `but` of a delivery lane; its head becomes ready in its time."""
    if leave(lane):
        await refresh_deliveries(tx, lane, now, but)
    return lane.waiting


async def refresh_turns(tx: Tx, lane: Lane, now: At, but: str = "") -> None:
    """Work out anew when the head of a turn lane may be claimed, and whether it is a suspect.

    `but` is a message whose end is not written yet.
    """
    head = await tx.one(_TURN_HEAD, (lane.lane_id, but))
    is_waiting = head is not None and head[0] == "received"
    is_suspect = is_waiting and head is not None and head[1] >= SUSPECT_CLAIMS
    set_ready(tx, lane, now if is_waiting else None, is_suspect=is_suspect)


async def refresh_deliveries(tx: Tx, lane: Lane, now: At, but: str = "") -> None:
    """Work out anew when the head of a delivery lane may be claimed."""
    head = await tx.one(_DELIVERY_HEAD, (lane.lane_id, but))
    if head is None or head[0] != "pending":
        set_ready(tx, lane, None)
        return
    set_ready(tx, lane, ready_at(now, head[1], head[2], head[3]))


def set_ready(tx: Tx, lane: Lane, at: At | None, *, is_suspect: bool = False) -> None:
    """Say when the head may be claimed, not before the lane has rested."""
    lane.ready_at = None if at is None else max(at, lane.rests_until or 0)
    lane.is_suspect = int(is_suspect)
    lane.is_changed = True
    if at is not None:
        tx.tell("work")


async def due_turns(tx: Tx, is_suspect: bool, now: At, limit: int) -> list[Lane]:
    """Lanes whose head may be answered now, longest ready first, locked."""
    await tx.settle_down()
    return taken(tx, await tx.execute(_DUE_TURNS, (int(is_suspect), now, limit)), now)


async def due_deliveries(tx: Tx, account_uid: AccountUid, now: At, limit: int) -> list[Lane]:
    """Lanes of an account whose head may be sent now, longest ready first, locked."""
    await tx.settle_down()
    return taken(tx, await tx.execute(_DUE_DELIVERIES, (account_uid, now, limit)), now)


def taken(tx: Tx, rows: list[tuple[Any, ...]], now: At) -> list[Lane]:
    """Lanes that a statement has locked, without those that this transaction has claimed meanwhile."""
    lanes = [tx.lanes.take(row) for row in rows]
    return [lane for lane in lanes if lane.ready_at is not None and lane.ready_at <= now]


def empty(lane: Lane) -> None:
    """Take everything out, and make every claim so far an old one."""
    lane.waiting = 0
    lane.ready_at = None
    lane.is_suspect = 0
    bump_fence(lane)
