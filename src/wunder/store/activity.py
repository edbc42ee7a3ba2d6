"""What an account did, told from rows that are there anyway: its lanes and its sessions."""

from wunder.model.ids import AccountUid, At
from wunder.store.reads import Reads

#: A lane is made with the first message of a conversation, whatever becomes of the message.
_RECEIVED = "SELECT 1 FROM channel_lanes WHERE kind = 'turn' AND account_uid = ? LIMIT 1"
#: A busy account has more; its latest messages are found at once, and nobody asks here.
_MOST = 5_000
_GROWN = f"""
SELECT max(last_message_at) FROM (
  SELECT last_message_at FROM channel_sessions WHERE account_uid = ? AND is_current = 1 LIMIT {_MOST}) AS recent
"""  # noqa: S608 - constant


class SqlActivityLog:
    """Port ActivityLog."""

    def __init__(self, reader: Reads) -> None:
        self._reader = reader

    async def has_received(self, account_uid: AccountUid) -> bool:
        """True as soon as one message was taken in."""
        return bool(await self._reader.rows(_RECEIVED, account_uid))

    async def last_grown_at(self, account_uid: AccountUid) -> At | None:
        """When a conversation of the account last grew."""
        rows = await self._reader.rows(_GROWN, account_uid)
        found: At | None = rows[0][0]
        return found
