"""The door Media with nothing stored: attachments pass as they are, stored ids are unknown."""

import msgspec

from wunder.errors import FieldFault, Invalid


class FakeMedia:
    def __init__(self) -> None:
        self.stored: dict[str, tuple[str, bytes]] = {}  # blob_id -> (account_uid, bytes)
        self.brought: dict[tuple[str, int], str] = {}  # (message_id, ordinal) -> blob_id

    async def gathered(self, message, wait_s):
        shown = tuple(
            self._shown(one, self.brought.get((message.message_id, ordinal)))
            for ordinal, one in enumerate(message.content.attachments)
        )
        content = msgspec.structs.replace(message.content, attachments=shown)
        return msgspec.structs.replace(message, content=content)

    async def sendable(self, account_uid, replies):
        return tuple([await self._kept(account_uid, reply) for reply in replies])

    async def _kept(self, account_uid, reply):
        try:
            kept = await self.cleared(account_uid, reply.attachments)
        except Invalid:
            kept = tuple(one for one in reply.attachments if not one.blob_id)
        return msgspec.structs.replace(reply, attachments=kept)

    async def cleared(self, account_uid, attachments):
        faults = [
            FieldFault(f"/attachments/{place}/blob_id", "unknown", "not stored")
            for place, one in enumerate(attachments)
            if one.blob_id and self.stored.get(one.blob_id, ("?",))[0] not in ("", account_uid)
        ]
        if faults:
            raise Invalid("An attachment cannot be sent.", faults)
        return tuple(self._sendable(one) for one in attachments)

    async def content(self, blob_id, limit_bytes):
        found = self.stored.get(blob_id, ("", None))[1]
        return found if found is not None and len(found) <= limit_bytes else None

    def _shown(self, given, blob_id):
        if blob_id is None:
            return msgspec.structs.replace(given, blob_id=None, missing="failed")
        size = len(self.stored[blob_id][1])
        return msgspec.structs.replace(
            given, blob_id=blob_id, media_id=None, size=size, url=f"http://gateway/{blob_id}"
        )

    def _sendable(self, given):
        if not given.blob_id:
            return msgspec.structs.replace(given, missing=None)
        size = len(self.stored[given.blob_id][1])
        return msgspec.structs.replace(given, url=None, size=size, missing=None)
