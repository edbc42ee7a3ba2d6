"""Lanes: the order of turns, or of deliveries, within one conversation.

Sequence numbers come from the lane's row inside the inserting transaction. `waiting` counts the rows
that are not released; `ready_at` says when the head may be claimed and is NULL while there is none
that may. Claims go through an index over `ready_at` alone, so that they cost the same whatever waits.
"""

from typing import Any

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.ids import AccountUid, At
from wunder.store.place import Place
from wunder.store.readiness import SUSPECT_CLAIMS, ready_at
from wunder.store.sqlite.transaction import Tx
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS

_ENTER = """
INSERT INTO channel_lanes (kind, account_uid, peer_kind, peer_id, thread_id, next_seq, waiting, fence, ready_at)
VALUES (?1, ?2, ?3, ?4, ?5, 1 + ?6, ?6, ?7, ?8)
ON CONFLICT (kind, account_uid, peer_kind, peer_id, thread_id) DO UPDATE SET
  next_seq = next_seq + ?6,
  fence = CASE WHEN waiting = 0 AND coalesce(rests_until, 0) <= ?9 THEN fence + ?7 ELSE fence END,
  ready_at = CASE WHEN waiting > 0 THEN ready_at
                  WHEN coalesce(rests_until, 0) <= ?9 THEN ?8 ELSE rests_until END,
  waiting = waiting + ?6
RETURNING lane_id, next_seq - ?6, waiting = ?6 AND coalesce(rests_until, 0) <= ?9, fence
"""
_CLAIM = (
    "UPDATE channel_lanes SET fence = fence + 1, ready_at = NULL WHERE lane_id = ? RETURNING fence"
)
#: RETURNING costs more than the rest of the statement (5.4 instead of 2.3 us, measured).
_LEAVE_EMPTY = """
UPDATE channel_lanes SET waiting = 0, ready_at = NULL, is_suspect = 0 WHERE lane_id = ? AND waiting = 1
"""
_LEAVE = """
UPDATE channel_lanes SET waiting = waiting - 1, ready_at = NULL, is_suspect = 0 WHERE lane_id = ?
RETURNING waiting
"""
_SET_READY = """
UPDATE channel_lanes SET ready_at = max(?, coalesce(rests_until, 0)), is_suspect = ? WHERE lane_id = ?
"""
_REST = "UPDATE channel_lanes SET rests_until = ? WHERE lane_id = ?"
_BUMP_FENCE = "UPDATE channel_lanes SET fence = fence + 1 WHERE lane_id = ? RETURNING fence"
_DELIVERY_HEAD = f"""
SELECT state, retry_at, not_before, expires_at FROM channel_outbox
WHERE lane_id = ? AND {LIVE_DELIVERIES} ORDER BY lane_seq LIMIT 1
"""  # noqa: S608 - the states are a constant above
_TURN_HEAD = f"""
SELECT state, claims FROM channel_messages WHERE lane_id = ? AND {LIVE_TURNS} ORDER BY lane_seq LIMIT 1
"""  # noqa: S608 - the states are a constant above
_DUE_TURNS = """
SELECT lane_id FROM channel_lanes
WHERE kind = 'turn' AND is_suspect = ? AND ready_at <= ? ORDER BY ready_at LIMIT ?
"""
_DUE_DELIVERIES = """
SELECT lane_id FROM channel_lanes
WHERE kind = 'delivery' AND account_uid = ? AND ready_at <= ? ORDER BY ready_at LIMIT ?
"""


def enter(
    tx: Tx, kind: LaneKind, conversation: Conversation, rows: int, at: At, *, is_claimed: bool
) -> Place:
    """Take the next `rows` places at the tail.

    Args:
        tx: the transaction that inserts the rows.
        kind: which of the conversation's two lanes.
        conversation: whose lane.
        rows: how many rows enter.
        at: now; a lane that was empty becomes ready at this time.
        is_claimed: claim the head instead, where the lane is free.
    """
    ready = None if is_claimed else at
    row = (str(kind), *conversation.key, rows, int(is_claimed), ready, at)
    lane_id, first_seq, is_free, fence = tx.one(_ENTER, row) or (0, 0, 0, 0)
    return Place(lane_id, first_seq, bool(is_free), fence)


def rest(tx: Tx, lane_id: int, until: At | None) -> None:
    """Keep a lane shut until a time, or open it; takes effect when its head is looked at next."""
    tx.execute(_REST, (until, lane_id))


def claim(tx: Tx, lane_id: int) -> int:
    """Mark the head as taken; returns the fence of this claim."""
    return _number(tx.one(_CLAIM, (lane_id,)))


def bump_fence(tx: Tx, lane_id: int) -> int:
    """Make every claim so far an old one."""
    return _number(tx.one(_BUMP_FENCE, (lane_id,)))


def leave_turns(tx: Tx, lane_id: int, now: At) -> None:
    """Release the head of a turn lane; the next one becomes ready."""
    if _leave(tx, lane_id):
        refresh_turns(tx, lane_id, now)


def leave_deliveries(tx: Tx, lane_id: int, now: At) -> int:
    """Release one row of a delivery lane; its head, the same or the next, becomes ready in its time.

    Returns how many rows wait still.
    """
    waiting = _leave(tx, lane_id)
    if waiting:
        refresh_deliveries(tx, lane_id, now)
    return waiting


def _leave(tx: Tx, lane_id: int) -> int:
    """Release the head; how many rows wait still."""
    if tx.execute(_LEAVE_EMPTY, (lane_id,)).rowcount:
        return 0
    return _number(tx.one(_LEAVE, (lane_id,)))


def refresh_turns(tx: Tx, lane_id: int, now: At) -> None:
    """Work out anew when the head of a turn lane may be claimed, and whether it is a suspect."""
    head = tx.one(_TURN_HEAD, (lane_id,))
    is_waiting = head is not None and head[0] == "received"
    is_suspect = is_waiting and head is not None and head[1] >= SUSPECT_CLAIMS
    tx.execute(_SET_READY, (now if is_waiting else None, int(is_suspect), lane_id))


def refresh_deliveries(tx: Tx, lane_id: int, now: At) -> None:
    """Work out anew when the head of a delivery lane may be claimed."""
    head = tx.one(_DELIVERY_HEAD, (lane_id,))
    if head is None or head[0] != "pending":
        tx.execute(_SET_READY, (None, 0, lane_id))
        return
    _state, retry_at, not_before, expires_at = head
    tx.execute(_SET_READY, (ready_at(now, retry_at, not_before, expires_at), 0, lane_id))


def set_ready(tx: Tx, lane_id: int, at: At | None) -> None:
    """Say when the head may be claimed."""
    tx.execute(_SET_READY, (at, 0, lane_id))


def due_turns(tx: Tx, is_suspect: bool, now: At, limit: int) -> list[int]:
    """Lanes whose head may be answered now, longest ready first."""
    return _ids(tx.execute(_DUE_TURNS, (int(is_suspect), now, limit)).fetchall())


def due_deliveries(tx: Tx, account_uid: AccountUid, now: At, limit: int) -> list[int]:
    """Lanes of an account whose head may be sent now, longest ready first."""
    return _ids(tx.execute(_DUE_DELIVERIES, (account_uid, now, limit)).fetchall())


def _ids(rows: list[tuple[Any, ...]]) -> list[int]:
    return [int(row[0]) for row in rows]


def _number(row: tuple[Any, ...] | None) -> int:
    return int(row[0]) if row is not None else 0
