"""The spool: raw requests of platforms that do not wait, bounded for each account."""

from wunder.model.ids import At
from wunder.model.intake import SpooledRequest, SpoolVerdict
from wunder.store.policy import StorePolicy
from wunder.store.postgres.quarantine import keep as keep_quarantined
from wunder.store.postgres.reader import Reader
from wunder.store.postgres.transaction import Tx

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
_POSTPONE = "UPDATE channel_spool SET tries = tries + 1, retry_at = ? WHERE spool_id = ?"
_REMOVE = "DELETE FROM channel_spool WHERE spool_id = ?"


async def keep(tx: Tx, request: SpooledRequest, policy: StorePolicy) -> bool:
    """Keep a request; False when its account has no room left."""
    size = len(request.sealed)
    rows, used = await tx.one(_ROOM, (request.account_uid,)) or (0, 0)
    if rows >= policy.spool_rows or used + size > policy.spool_bytes:
        return False
    row = (
        request.spool_id,
        request.account_uid,
        request.channel,
        request.account_id,
        request.sealed,
        size,
        request.received_at,
        request.tries,
        request.retry_at,
    )
    tx.counts["channel_spool"] += (await tx.execute(_INSERT, row)).rowcount
    return True


async def due(reader: Reader, now: At, limit: int) -> list[SpooledRequest]:
    """The due requests, oldest first: of each account its oldest, and only when that one is due."""
    return [SpooledRequest(*row) for row in await reader.rows(_DUE, now, limit)]


async def remove(tx: Tx, spool_id: str) -> bool:
    """Remove a request; False when it was gone already."""
    gone = (await tx.execute(_REMOVE, (spool_id,))).rowcount
    tx.counts["channel_spool"] -= gone
    return gone > 0


async def settle(
    tx: Tx,
    request: SpooledRequest,
    verdict: SpoolVerdict,
    at: At,
    reason: str,
    policy: StorePolicy,
) -> None:
    """Postpone a request, or remove it and keep what has to be kept of it; room 1 tells why."""
    if verdict is SpoolVerdict.LATER:
        await tx.execute(_POSTPONE, (at, request.spool_id))
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
