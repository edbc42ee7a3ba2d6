"""The quarantine: what arrived and could not become a message; bounded, shown, replayable."""

from wunder.model.intake import MAX_QUARANTINE_BODY_BYTES, AccountIntake, NewQuarantine
from wunder.store.policy import StorePolicy
from wunder.store.postgres.transaction import Tx
from wunder.store.sqlite.quarantine import Context

_INSERT = """
INSERT INTO channel_quarantine (quarantine_id, account_uid, channel, account_id, reason, detail, body,
  is_sealed, dedupe_key, message_id, plugin_id, version, received_at, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (quarantine_id) DO NOTHING
"""
#: The oldest rows of an account beyond its share, found through the index, at most its share + 1 rows.
_DROP_OLDEST = """
DELETE FROM channel_quarantine WHERE seq IN (
  SELECT seq FROM channel_quarantine WHERE account_uid = ?1 ORDER BY seq DESC LIMIT 100 OFFSET ?2)
"""


async def set_aside(
    tx: Tx,
    part: AccountIntake,
    item: NewQuarantine,
    quarantine_id: str,
    context: Context,
    policy: StorePolicy,
) -> None:
    """Keep an item; the account's oldest beyond the bound go."""
    row = (
        quarantine_id,
        part.account_uid,
        part.channel,
        part.account_id,
        item.reason,
        item.detail,
        item.body[:MAX_QUARANTINE_BODY_BYTES],
        0,
        context["dedupe_key"],
        context["message_id"],
        part.release.plugin_id,
        part.release.version,
        context["received_at"],
        context["at"],
    )
    await keep(tx, row, policy)


async def keep(tx: Tx, row: tuple[object, ...], policy: StorePolicy) -> None:
    """Insert a row in the order of the columns; a second time is a no-op."""
    if (await tx.execute(_INSERT, row)).rowcount:
        gone = (await tx.execute(_DROP_OLDEST, (row[1], policy.quarantine_rows))).rowcount
        tx.counts["channel_quarantine"] += 1 - gone
