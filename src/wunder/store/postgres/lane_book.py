"""The lanes a transaction has locked: read once, changed here, written back once a wave."""

from collections.abc import Iterable, Sequence
from typing import Any

from wunder.model.conversation import Conversation, LaneKind
from wunder.store.clean import clean_text
from wunder.store.postgres.rounds import Ask, ask
from wunder.store.postgres.statements import Many
from wunder.store.unit import Rows

_NAME = "l.kind, l.account_uid, l.peer_kind, l.peer_id, l.thread_id"
_STATE = "l.lane_id, l.next_seq, l.waiting, l.fence, l.ready_at, l.rests_until, l.is_suspect"
#: What `Lane` takes, in order.
LANE_COLUMNS = f"{_NAME}, {_STATE}"
_KEY = "kind text, account_uid text, peer_kind text, peer_id text, thread_id text"
#: In one order on every node: two that lock the same lanes never wait for each other in a ring.
_IN_ORDER = "ORDER BY l.account_uid, l.peer_kind, l.peer_id, l.thread_id, l.kind FOR UPDATE OF l"
_LOCK = Many(
    f"""
SELECT v.n, {_STATE} FROM {{v}} JOIN channel_lanes l ON l.kind = v.kind
  AND l.account_uid = v.account_uid AND l.peer_kind = v.peer_kind AND l.peer_id = v.peer_id
  AND l.thread_id = v.thread_id
{_IN_ORDER}
""",  # noqa: S608 - constants
    _KEY,
)
_LOCK_BY_ID = Many(
    f"""
SELECT v.n, {LANE_COLUMNS} FROM {{v}} JOIN channel_lanes l ON l.lane_id = v.lane_id {_IN_ORDER}
""",  # noqa: S608 - constants
    "lane_id int8",
)
_MAKE = Many(
    f"""
INSERT INTO channel_lanes AS l (kind, account_uid, peer_kind, peer_id, thread_id)
SELECT kind, account_uid, peer_kind, peer_id, thread_id FROM {{v}}
ON CONFLICT (kind, account_uid, peer_kind, peer_id, thread_id) DO NOTHING
RETURNING {_NAME}, {_STATE}
""",  # noqa: S608 - constants
    _KEY,
    by="kind account_uid peer_kind peer_id thread_id",
)
_WRITE = Many(
    """
UPDATE channel_lanes l SET next_seq = v.next_seq, waiting = v.waiting, fence = v.fence,
  ready_at = v.ready_at, rests_until = v.rests_until, is_suspect = v.is_suspect
FROM {v} WHERE l.lane_id = v.lane_id
""",
    "lane_id int8, next_seq int8, waiting int8, fence int8, ready_at int8, rests_until int8,"
    " is_suspect int8",
    # Two units of a round that settle down each write what was changed until then.
    latest="lane_id",
)
LaneKey = tuple[str, str, str, str, str]


class Lane:
    """A locked row of `channel_lanes`; see store/sqlite/lanes.py for what its columns mean."""

    __slots__ = (
        "fence",
        "is_changed",
        "is_suspect",
        "key",
        "lane_id",
        "next_seq",
        "ready_at",
        "rests_until",
        "waiting",
    )

    def __init__(self, row: Sequence[Any]) -> None:
        self.key: LaneKey = tuple(row[:5])
        self.lane_id: int = row[5]
        self.next_seq: int = row[6]
        self.waiting: int = row[7]
        self.fence: int = row[8]
        self.ready_at: int | None = row[9]
        self.rests_until: int | None = row[10]
        self.is_suspect: int = row[11]
        self.is_changed = False

    def rests_at(self, at: int) -> bool:
        """True while a call without an answer may still be running."""
        return self.rests_until is not None and self.rests_until > at


def lane_key(kind: LaneKind, conversation: Conversation) -> LaneKey:
    """The columns that name a lane."""
    uid, peer_kind, peer_id, thread_id = conversation.key
    return (kind.value, uid, clean_text(peer_kind), clean_text(peer_id), clean_text(thread_id))


class LaneBook:
    """The lanes of one transaction by name and by id; a lane is locked before it is in here."""

    def __init__(self) -> None:
        self._by_key: dict[LaneKey, Lane] = {}
        self._by_id: dict[int, Lane] = {}

    async def of(self, kind: LaneKind, conversation: Conversation) -> Lane:
        """A conversation's lane, made where there is none yet."""
        key = lane_key(kind, conversation)
        lane = self._by_key.get(key)
        if lane is None:
            await self.lock([key])
            lane = self._by_key[key]
        return lane

    def holds(self, lane_id: int) -> bool:
        """True when it is locked already."""
        return lane_id in self._by_id

    async def by_id(self, lane_id: int) -> Lane:
        """A lane that a row names."""
        lane = self._by_id.get(lane_id)
        if lane is None:
            (found,) = await _each(_LOCK_BY_ID, [(lane_id,)])
            lane = self.take(found[0])
        return lane

    async def lock(self, keys: Iterable[LaneKey]) -> None:
        """Lock lanes, and make those that are missing."""
        wanted = sorted(set(keys) - self._by_key.keys())
        missing = await self._find(wanted)
        if not missing:
            return
        self._take_all(missing, await _each(_MAKE, missing))
        # Another node made it at the same moment: now it is there.
        await self._find([key for key in missing if key not in self._by_key])

    async def _find(self, wanted: list[LaneKey]) -> list[LaneKey]:
        self._take_all(wanted, await _each(_LOCK, wanted))
        return [key for key in wanted if key not in self._by_key]

    def _take_all(self, keys: list[LaneKey], found: list[Rows]) -> None:
        for key, rows in zip(keys, found, strict=True):
            for row in rows:
                self.take((*key, *row))

    def take(self, row: Sequence[Any]) -> Lane:
        """Keep a lane that a statement has locked; LANE_COLUMNS."""
        lane = Lane(row)
        known = self._by_id.get(lane.lane_id)
        if known is not None:
            return known
        self._by_key[lane.key] = self._by_id[lane.lane_id] = lane
        return lane

    def changed(self) -> list[tuple[Many, list[tuple[Any, ...]]]]:
        """What has to be written back; it counts as written from here."""
        rows = []
        for lane in self._by_id.values():
            if lane.is_changed:
                lane.is_changed = False
                values = (lane.next_seq, lane.waiting, lane.fence, lane.ready_at, lane.rests_until)
                rows.append((lane.lane_id, *values, lane.is_suspect))
        return [(_WRITE, rows)] if rows else []

    def forget(self) -> None:
        """Forget all: their locks were rolled back."""
        self._by_key.clear()
        self._by_id.clear()


async def _each(statement: Many, rows: Sequence[tuple[Any, ...]]) -> list[Rows]:
    return (await ask([Ask(statement, rows)]))[0] if rows else []
