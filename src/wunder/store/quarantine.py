"""The quarantine: what arrived and could not become a message; bounded, shown, replayable."""

from typing import Any, TypedDict

from wunder.model.ids import At
from wunder.model.intake import MAX_QUARANTINE_BODY_BYTES, AccountIntake, NewQuarantine
from wunder.store.policy import StorePolicy
from wunder.store.unit import Transaction

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


class Context(TypedDict):
    """What is known of an item beside itself."""

    dedupe_key: bytes | None
    message_id: str
    received_at: At
    at: At


async def set_aside(
    tx: Transaction,
    part: AccountIntake,
    item: NewQuarantine,
    quarantine_id: str,
    context: Context,
    policy: StorePolicy,
) -> None:
    """Keep an item; the account's oldest beyond the bound go."""
    await keep(tx, _row(part, item, quarantine_id, context), policy)


async def keep(tx: Transaction, row: tuple[object, ...], policy: StorePolicy) -> None:
    """Insert a row in the order of the columns; a second time is a no-op."""
    if (await tx.run(_INSERT, row)).rowcount:
        gone = (await tx.run(_DROP_OLDEST, (row[1], policy.quarantine_rows))).rowcount
        tx.counts["channel_quarantine"] += 1 - gone


def _row(
    part: AccountIntake, item: NewQuarantine, quarantine_id: str, context: Context
) -> tuple[Any, ...]:
    """The values of a row, in the order of its columns."""
    return (
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
