"""The spool: raw requests of platforms that do not wait, bounded for each account."""

from typing import Any

from wunder.model.ids import At
from wunder.model.intake import SpooledRequest, SpoolVerdict
from wunder.store.policy import StorePolicy
from wunder.store.quarantine import keep as keep_quarantined
from wunder.store.reads import Reads
from wunder.store.unit import Transaction

#: Bounded by the spool's own limit, and answered by a covering index.
_ROOM = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM channel_spool WHERE account_uid = ?"
_INSERT = """
INSERT INTO channel_spool (spool_id, account_uid, channel, account_id, sealed, size_bytes, received_at,
  tries, retry_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (spool_id) DO NOTHING
"""
#: Each account's oldest by a loose scan of the index, then those of them that are due.
_DUE = """
WITH RECURSIVE accounts (account_uid) AS (
  SELECT min(account_uid) FROM channel_spool
  UNION ALL
  SELECT (SELECT min(account_uid) FROM channel_spool WHERE account_uid > accounts.account_uid)
  FROM accounts WHERE accounts.account_uid IS NOT NULL
)
SELECT s.spool_id, s.account_uid, s.channel, s.account_id, s.sealed, s.received_at, s.tries, s.retry_at
FROM accounts JOIN channel_spool s
  ON s.seq = (SELECT min(seq) FROM channel_spool WHERE account_uid = accounts.account_uid)
WHERE accounts.account_uid IS NOT NULL AND s.retry_at <= ?
ORDER BY s.seq LIMIT ?
"""
_POSTPONE = "UPDATE channel_spool SET tries = tries + ?, retry_at = ? WHERE spool_id = ?"
#: Who failed so often by its own fault does not hold up the requests behind it any longer.
HOLDS_UP_TO_TRIES = 3
_WAITS = "SELECT 1 FROM channel_spool WHERE account_uid = ? AND tries < ? LIMIT 1"
_REMOVE = "DELETE FROM channel_spool WHERE spool_id = ?"


async def keep(tx: Transaction, request: SpooledRequest, policy: StorePolicy) -> bool:
    """Keep a request; False when its account has no room left."""
    size = len(request.sealed)
    rows, used = await tx.first(_ROOM, (request.account_uid,)) or (0, 0)
    if rows >= policy.spool_rows or used + size > policy.spool_bytes:
        return False
    tx.counts["channel_spool"] += (await tx.run(_INSERT, spool_row(request))).rowcount
    return True


def spool_row(request: SpooledRequest) -> tuple[Any, ...]:
    """The columns of a request."""
    return (
        request.spool_id,
        request.account_uid,
        request.channel,
        request.account_id,
        request.sealed,
        len(request.sealed),
        request.received_at,
        request.tries,
        request.retry_at,
    )


async def is_ahead(tx: Transaction, account_uid: str) -> bool:
    """True while an earlier request of the account waits: who overtook it would break the order."""
    if not tx.has_spooled():
        return False
    return await tx.first(_WAITS, (account_uid, HOLDS_UP_TO_TRIES)) is not None


async def due(reader: Reads, now: At, limit: int) -> list[SpooledRequest]:
    """The due requests, oldest first: of each account its oldest, and only when that one is due."""
    return [SpooledRequest(*row) for row in await reader.rows(_DUE, now, limit)]


async def remove(tx: Transaction, spool_id: str) -> bool:
    """Remove a request; False when it was gone already."""
    gone = (await tx.run(_REMOVE, (spool_id,))).rowcount
    tx.counts["channel_spool"] -= gone
    return gone > 0


async def settle(
    tx: Transaction,
    request: SpooledRequest,
    verdict: SpoolVerdict,
    at: At,
    reason: str,
    policy: StorePolicy,
) -> None:
    """Postpone a request, or remove it and keep what has to be kept of it; room 1 tells why."""
    if verdict in (SpoolVerdict.LATER, SpoolVerdict.NOT_READY):
        await tx.run(_POSTPONE, (int(verdict is SpoolVerdict.LATER), at, request.spool_id))
        return
    if not await remove(tx, request.spool_id):
        return
    if verdict is SpoolVerdict.QUARANTINED:
        await keep_quarantined(tx, _quarantine_row(request, at, reason), policy)


def _quarantine_row(request: SpooledRequest, at: At, reason: str) -> tuple[object, ...]:
    # A sealed body cut short could never be opened: keep it whole, it is no larger than a request.
    return (
        request.spool_id,
        request.account_uid,
        request.channel,
        request.account_id,
        reason,
        f"{request.tries} tries",
        request.sealed,
        1,
        None,
        "",
        "",
        "",
        request.received_at,
        at,
    )
