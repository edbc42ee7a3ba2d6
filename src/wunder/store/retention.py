"""Removing what is old: each step looks at a few rows by their number and deletes by key.

A row is judged once more in the transaction that removes it: what came to life meanwhile stays.
"""

from collections.abc import Sequence
from typing import Any

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
            gone = await _REMOVE[kept](tx, [row[1] for row in old], limit) if old else 0
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


def _marks(keys: Sequence[Any], width: int) -> tuple[str, tuple[Any, ...]]:
    """Always the same number of marks, so that the statement is prepared once."""
    filler = "" if not keys or isinstance(keys[0], str) else -1
    return ", ".join("?" * width), (*keys, *[filler] * (width - len(keys)))


async def _delete(tx: Transaction, head: str, keys: Sequence[Any], width: int, tail: str) -> Rows:
    marks, values = _marks(keys, width)
    return await tx.run(f"DELETE FROM {head} IN ({marks}) {tail}", values)  # noqa: S608 - constants


async def _remove_deliveries(tx: Transaction, keys: Sequence[str], width: int) -> int:
    gone = await _delete(
        tx,
        "channel_outbox WHERE delivery_id",
        keys,
        width,
        f"AND {_OVER} RETURNING delivery_id, message_id, root_message_id, state",
    )
    if not gone:
        return 0
    await _delete(tx, "channel_attempts WHERE delivery_id", [row[0] for row in gone], width, "")
    words = "AND direction = 'out'"
    said = await _delete(
        tx, "channel_messages WHERE message_id", [r[1] for r in gone], width, words
    )
    tx.counts["channel_messages_out"] -= said.rowcount
    sent_first = [row[1] for row in gone if row[2] is None]
    if sent_first:
        await _delete(tx, "channel_trail WHERE message_id", sent_first, width, "")
    for row in gone:
        tx.moved("channel_outbox", row[3], None)
        tx.counts[f"pruned_channel_outbox_{row[3]}"] += 1
    return len(gone)


async def _remove_messages(tx: Transaction, keys: Sequence[str], width: int) -> int:
    gone = await _delete(
        tx,
        "channel_messages WHERE message_id",
        keys,
        width,
        f"AND direction = 'in' AND NOT {LIVE_TURNS} AND {_NOTHING_WAITS} RETURNING message_id, state",
    )
    if not gone:
        return 0
    await _delete(tx, "channel_trail WHERE message_id", [row[0] for row in gone], width, "")
    for row in gone:
        tx.moved("channel_messages", row[1], None)
        tx.counts[f"pruned_channel_messages_{row[1]}"] += 1
    return len(gone)


async def _remove_attempts(tx: Transaction, keys: Sequence[str], width: int) -> int:
    # One without an outcome belongs to a call that may still be running.
    words = "AND outcome <> ''"
    return (await _delete(tx, "channel_attempts WHERE delivery_id", keys, width, words)).rowcount


async def _remove_trail(tx: Transaction, keys: Sequence[str], width: int) -> int:
    return (await _delete(tx, "channel_trail WHERE message_id", keys, width, "")).rowcount


async def _remove_sessions(tx: Transaction, keys: Sequence[str], width: int) -> int:
    gone = (await _delete(tx, "channel_sessions WHERE session_id", keys, width, "")).rowcount
    tx.counts["channel_sessions"] -= gone
    return gone


async def _remove_events(tx: Transaction, keys: Sequence[int], width: int) -> int:
    gone = (await _delete(tx, "channel_events WHERE event_id", keys, width, "")).rowcount
    tx.counts["channel_events"] -= gone
    return gone


async def _remove_audit(tx: Transaction, keys: Sequence[int], width: int) -> int:
    return (await _delete(tx, "audit WHERE seq", keys, width, "")).rowcount


async def _remove_quarantine(tx: Transaction, keys: Sequence[str], width: int) -> int:
    gone = (await _delete(tx, "channel_quarantine WHERE quarantine_id", keys, width, "")).rowcount
    tx.counts["channel_quarantine"] -= gone
    return gone


async def _remove_jobs(tx: Transaction, keys: Sequence[str], width: int) -> int:
    gone = await _delete(tx, "jobs WHERE job_id", keys, width, "RETURNING state")
    for (state,) in gone:
        tx.moved("jobs", state, None)
    return len(gone)


_REMOVE: dict[Kept, Any] = {
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
