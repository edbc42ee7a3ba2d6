"""Rows of the quarantine: what arrived and could not become a message."""

from typing import Any, TypedDict

from wunder.model.ids import At
from wunder.model.intake import MAX_QUARANTINE_BODY_BYTES, AccountIntake, NewQuarantine

INSERT = """
INSERT INTO channel_quarantine (quarantine_id, account_uid, channel, account_id, reason, detail, body,
  is_sealed, dedupe_key, message_id, plugin_id, version, received_at, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (quarantine_id) DO NOTHING
"""
#: The oldest rows of an account beyond its share, found through the index, at most its share + 1 rows.
DROP_OLDEST = """
DELETE FROM channel_quarantine WHERE seq IN (
  SELECT seq FROM channel_quarantine WHERE account_uid = ?1 ORDER BY seq DESC LIMIT 100 OFFSET ?2)
"""


class Context(TypedDict):
    """What is known of an item beside itself."""

    dedupe_key: bytes | None
    message_id: str
    received_at: At
    at: At


def quarantine_row(
    part: AccountIntake, item: NewQuarantine, quarantine_id: str, context: Context
) -> tuple[Any, ...]:
    """The values of INSERT."""
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
