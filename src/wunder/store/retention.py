"""Removing what is old: each step looks at a few rows by their number and deletes by key.

A row is judged once more in the transaction that removes it: what came to life meanwhile stays.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from wunder.model.ids import At
from wunder.model.intake import SpooledRequest, SpoolVerdict
from wunder.store import spool
from wunder.store.policy import StorePolicy
from wunder.store.reads import Reads
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS
from wunder.store.unit import Rows, Transaction, Works
from wunder.upkeep.retention import Kept, Pruned

_OVER = f"NOT {LIVE_DELIVERIES}"
_LOOK = {
    # seq, key, when it ended, when it began
    Kept.DELIVERIES: f"""
SELECT seq, delivery_id, CASE WHEN {_OVER} THEN coalesce(settled_at, created_at) END, created_at
FROM channel_outbox WHERE seq > ? ORDER BY seq LIMIT ?""",  # noqa: S608 - constants
    Kept.MESSAGES: f"""
SELECT seq, message_id, CASE WHEN direction = 'in' AND NOT {LIVE_TURNS}
  THEN coalesce(finished_at, created_at) END, created_at
FROM channel_messages WHERE seq > ? ORDER BY seq LIMIT ?""",  # noqa: S608 - constants
    Kept.ATTEMPTS: f"""
SELECT seq, delivery_id, CASE WHEN {_OVER} THEN coalesce(settled_at, created_at) END, created_at
FROM channel_outbox WHERE seq > ? ORDER BY seq LIMIT ?""",  # noqa: S608 - constants
    Kept.TRAIL: f"""
SELECT seq, message_id, CASE WHEN NOT {LIVE_TURNS} THEN coalesce(finished_at, created_at) END, created_at
FROM channel_messages WHERE seq > ? ORDER BY seq LIMIT ?""",  # noqa: S608 - constants
    Kept.SESSIONS: """
SELECT seq, session_id, last_message_at, created_at FROM channel_sessions WHERE seq > ? ORDER BY seq LIMIT ?""",
    Kept.EVENTS: "SELECT event_id, event_id, at, at FROM channel_events WHERE event_id > ? ORDER BY event_id LIMIT ?",
    Kept.QUARANTINE: """
SELECT seq, quarantine_id, created_at, created_at FROM channel_quarantine WHERE seq > ? ORDER BY seq LIMIT ?""",
    Kept.AUDIT: "SELECT seq, seq, at, at FROM audit WHERE seq > ? ORDER BY seq LIMIT ?",
    Kept.JOBS: "SELECT seq, job_id, finished_at, created_at FROM jobs WHERE seq > ? ORDER BY seq LIMIT ?",
}
#: Whose place is kept over restarts: they leave rows behind that need not be looked at again.
_PLACED = {Kept.ATTEMPTS: "retention.attempts", Kept.TRAIL: "retention.trail"}
_PLACE = "SELECT value FROM meta WHERE key = ?"
_PUT_PLACE = """
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""
#: Nothing of a conversation goes while one of its deliveries waits.
_NOTHING_WAITS = """NOT EXISTS (SELECT 1 FROM channel_lanes l WHERE l.kind = 'delivery' AND l.waiting > 0
  AND l.account_uid = channel_messages.account_uid AND l.peer_kind = channel_messages.peer_kind
  AND l.peer_id = channel_messages.peer_id AND l.thread_id = channel_messages.thread_id)"""
_OLD_SPOOL = """
SELECT spool_id, account_uid, channel, account_id, sealed, received_at, tries, retry_at
FROM channel_spool WHERE received_at < ? ORDER BY seq LIMIT ?
"""
_OLD_CODES = """
DELETE FROM channel_pairings WHERE pairing_id IN (SELECT pairing_id FROM channel_pairings
  WHERE (state = 'pending' AND expires_at < ?) OR account_uid IN
    (SELECT account_uid FROM channel_accounts WHERE status = 'deleted') LIMIT ?) RETURNING state
"""


class SqlRetentionTable:
    """Port RetentionTable."""

    def __init__(self, writer: Works, reader: Reads, policy: StorePolicy) -> None:
        self._writer = writer
        self._reader = reader
        self._policy = policy

    async def prune(self, kept: Kept, before: At, cursor: int, limit: int) -> Pruned:
        """Look at the next rows and remove what is old."""
        if kept is Kept.SPOOL:
            return await self._writer.work(lambda tx: self._give_up(tx, before, limit))
        if kept is Kept.PAIRINGS:
            return await self._writer.work(lambda tx: _forget_codes(tx, before, limit))
        if not cursor and kept in _PLACED:
            found = await self._reader.rows(_PLACE, _PLACED[kept])
            cursor = int(found[0][0]) if found else 0
        rows = await self._reader.rows(_LOOK[kept], cursor, limit)
        old = [row for row in rows if row[2] is not None and row[2] < before]
        is_end = len(rows) < limit or all(row[3] >= before for row in rows)
        place = max((row[0] for row in rows if row[3] < before), default=0)

        async def unit(tx: Transaction) -> int:
            gone = await _REMOVE[kept](tx, _Old([row[1] for row in old], before, limit))
            if place and kept in _PLACED:
                await tx.run(_PUT_PLACE, (_PLACED[kept], str(place)))
            return gone

        gone = await self._writer.work(unit) if old else 0
        return Pruned(gone, None if is_end else rows[-1][0])

    async def _give_up(self, tx: Transaction, before: At, limit: int) -> Pruned:
        """Nobody could parse these for days: set them aside, where people see them."""
        rows = await tx.run(_OLD_SPOOL, (before, limit))
        for row in rows:
            request = SpooledRequest(*row)
            verdict = SpoolVerdict.QUARANTINED
            await spool.settle(tx, request, verdict, At(tx.now), "spool_expired", self._policy)
        return Pruned(len(rows), 1 if len(rows) == limit else None)


async def _forget_codes(tx: Transaction, before: At, limit: int) -> Pruned:
    gone = await tx.run(_OLD_CODES, (before, limit))
    for (state,) in gone:
        tx.moved("channel_pairings", state, None)
    return Pruned(len(gone), 1 if len(gone) == limit else None)


class _Old(NamedTuple):
    """Rows that were found old: their keys, what is old, and how many keys there are at most."""

    keys: Sequence[Any]
    before: At
    width: int

    def named(self, keys: Sequence[Any]) -> "_Old":
        """The same of what belongs to them."""
        return self._replace(keys=keys)


async def _delete(tx: Transaction, head: str, old: _Old, tail: str = "", *values: Any) -> Rows:
    # Always the same number of marks, so that the statement is prepared once.
    filler = "" if isinstance(old.keys[0], str) else -1
    marks = ", ".join("?" * old.width)
    given = (*old.keys, *[filler] * (old.width - len(old.keys)), *values)
    return await tx.run(f"DELETE FROM {head} IN ({marks}) {tail}", given)  # noqa: S608 - constants


async def _remove_deliveries(tx: Transaction, old: _Old) -> int:
    gone = await _delete(
        tx,
        "channel_outbox WHERE delivery_id",
        old,
        f"AND {_OVER} AND coalesce(settled_at, created_at) < ?"
        " RETURNING delivery_id, message_id, root_message_id, state",
        old.before,
    )
    if not gone:
        return 0
    await _delete(tx, "channel_attempts WHERE delivery_id", old.named([row[0] for row in gone]))
    told = old.named([row[1] for row in gone])
    said = await _delete(tx, "channel_messages WHERE message_id", told, "AND direction = 'out'")
    tx.counts["channel_messages_out"] -= said.rowcount
    sent_first = [row[1] for row in gone if row[2] is None]
    if sent_first:
        await _delete(tx, "channel_trail WHERE message_id", old.named(sent_first))
    for row in gone:
        tx.moved("channel_outbox", row[3], None)
        tx.counts[f"pruned_channel_outbox_{row[3]}"] += 1
    return len(gone)


async def _remove_messages(tx: Transaction, old: _Old) -> int:
    gone = await _delete(
        tx,
        "channel_messages WHERE message_id",
        old,
        f"AND direction = 'in' AND NOT {LIVE_TURNS} AND coalesce(finished_at, created_at) < ?"
        f" AND {_NOTHING_WAITS} RETURNING message_id, state",
        old.before,
    )
    if not gone:
        return 0
    await _delete(tx, "channel_trail WHERE message_id", old.named([row[0] for row in gone]))
    for row in gone:
        tx.moved("channel_messages", row[1], None)
        tx.counts[f"pruned_channel_messages_{row[1]}"] += 1
    return len(gone)


async def _remove_attempts(tx: Transaction, old: _Old) -> int:
    # One without an outcome belongs to a call that may still be running.
    return (
        await _delete(tx, "channel_attempts WHERE delivery_id", old, "AND outcome <> ''")
    ).rowcount


async def _remove_trail(tx: Transaction, old: _Old) -> int:
    return (await _delete(tx, "channel_trail WHERE message_id", old)).rowcount


async def _remove_sessions(tx: Transaction, old: _Old) -> int:
    still = "AND last_message_at < ?"
    gone = await _delete(tx, "channel_sessions WHERE session_id", old, still, old.before)
    tx.counts["channel_sessions"] -= gone.rowcount
    return gone.rowcount


async def _remove_events(tx: Transaction, old: _Old) -> int:
    gone = (await _delete(tx, "channel_events WHERE event_id", old)).rowcount
    tx.counts["channel_events"] -= gone
    return gone


async def _remove_audit(tx: Transaction, old: _Old) -> int:
    return (await _delete(tx, "audit WHERE seq", old)).rowcount


async def _remove_quarantine(tx: Transaction, old: _Old) -> int:
    gone = (await _delete(tx, "channel_quarantine WHERE quarantine_id", old)).rowcount
    tx.counts["channel_quarantine"] -= gone
    return gone


async def _remove_jobs(tx: Transaction, old: _Old) -> int:
    gone = await _delete(tx, "jobs WHERE job_id", old, "RETURNING state")
    for (state,) in gone:
        tx.moved("jobs", state, None)
    return len(gone)


_REMOVE: dict[Kept, Callable[[Transaction, _Old], Awaitable[int]]] = {
    Kept.DELIVERIES: _remove_deliveries,
    Kept.MESSAGES: _remove_messages,
    Kept.ATTEMPTS: _remove_attempts,
    Kept.TRAIL: _remove_trail,
    Kept.SESSIONS: _remove_sessions,
    Kept.EVENTS: _remove_events,
    Kept.AUDIT: _remove_audit,
    Kept.QUARANTINE: _remove_quarantine,
    Kept.JOBS: _remove_jobs,
}
