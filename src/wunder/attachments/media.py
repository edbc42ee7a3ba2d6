"""What agents and senders get of attachments (port Media)."""

from collections.abc import Callable

import msgspec

from wunder.attachments.doors import AttachmentTable
from wunder.attachments.library import Library
from wunder.errors import FieldFault, Invalid, NotFound, StoreFull, StoreUnavailable
from wunder.model.attachment import AttachmentState, StoredAttachment, blob_id_of
from wunder.model.ids import AccountUid, At, BlobId, MessageId
from wunder.model.message import Attachment, InboundMessage
from wunder.model.turn import Reply
from wunder.observe.logs import get_logger
from wunder.observe.outage import Outage
from wunder.ports import Clock, WakeUp

log = get_logger(__name__)
POLL_S = 0.25
LATE, FAILED = "late", "failed"
#: `used_at` is written again only when it is so old: reading a file often costs few commits.
TOUCH_AFTER_MS = 3_600_000


class MediaDesk:
    """Waits for attachments, names them for agents, checks what is to be sent."""

    def __init__(
        self,
        table: AttachmentTable,
        library: Library,
        link: Callable[[BlobId], str],
        wake: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._table = table
        self._library = library
        self._link = link
        self._wake = wake
        self._clock = clock
        self._waiting: dict[MessageId, WakeUp] = {}
        self._outage = Outage(log, "attachments_of_messages")

    def settled(self, row: StoredAttachment) -> None:
        """Learn that an attachment was stored, or failed, or has to be tried again."""
        event = self._waiting.get(row.message_id)
        if event is not None:
            event.set()

    async def gathered(self, message: InboundMessage, wait_s: float) -> InboundMessage:
        """The message with its attachments as an agent may use them; waits for those under way."""
        if not message.content.attachments:
            return message
        found = await self._gathered(message, wait_s)
        content = msgspec.structs.replace(message.content, attachments=found)
        return msgspec.structs.replace(message, content=content)

    async def sendable(
        self, account_uid: AccountUid, replies: tuple[Reply, ...]
    ) -> tuple[Reply, ...]:
        """The replies without what this account may not send."""
        return tuple([await self._sendable(account_uid, reply) for reply in replies])

    async def _sendable(self, account_uid: AccountUid, reply: Reply) -> Reply:
        if not reply.attachments:
            return reply
        try:
            kept = await self.cleared(account_uid, reply.attachments)
        except Invalid as error:
            log.warning("attachment_not_sent", account_uid=account_uid, count=len(error.faults))
            kept = tuple(one for one in reply.attachments if not one.blob_id)
        return msgspec.structs.replace(reply, attachments=kept)

    async def _gathered(self, message: InboundMessage, wait_s: float) -> tuple[Attachment, ...]:
        given = message.content.attachments
        ends_at = self._clock.monotonic() + wait_s
        came = self._waiting.setdefault(message.message_id, WakeUp())
        self._wake()
        try:
            while True:
                found = await self._rows(message)
                rows = found or {}
                # What cannot be read may be there: it is waited for like what is on its way.
                under_way = found is None or any(
                    row.state is AttachmentState.WAITING for row in rows.values()
                )
                left_s = ends_at - self._clock.monotonic()
                if not under_way or left_s <= 0:
                    return tuple(
                        self._shown(one, rows.get(ordinal)) for ordinal, one in enumerate(given)
                    )
                await came.pause(min(POLL_S, left_s))
        finally:
            self._waiting.pop(message.message_id, None)

    async def cleared(
        self, account_uid: AccountUid, attachments: tuple[Attachment, ...]
    ) -> tuple[Attachment, ...]:
        """What this account may send. Raises: Invalid."""
        wanted = [BlobId(one.blob_id) for one in attachments if one.blob_id]
        rows = {row.blob_id: row for row in await self._table.find(wanted)} if wanted else {}
        cleared: list[Attachment] = []
        faults: list[FieldFault] = []
        for place, one in enumerate(attachments):
            if not one.blob_id:
                cleared.append(msgspec.structs.replace(one, missing=None))
                continue
            row = rows.get(BlobId(one.blob_id))
            if row is None or not _may_send(row, account_uid):
                words = "no stored attachment of this account has this id"
                faults.append(FieldFault(f"/attachments/{place}/blob_id", "unknown", words))
                continue
            await self._touch(row)
            cleared.append(_as_sent(one, row))
        if faults:
            raise Invalid("An attachment cannot be sent.", faults)
        return tuple(cleared)

    async def content(self, blob_id: str, limit_bytes: int) -> bytes | None:
        """The bytes for an agent of this gateway; None where they are gone or too many."""
        found = await self._table.find([BlobId(blob_id)])
        is_there = bool(found) and found[0].state is AttachmentState.STORED
        if not is_there or found[0].size_bytes > limit_bytes:
            return None
        try:
            return await self._library.read(found[0], 0, limit_bytes)
        except (NotFound, StoreUnavailable, StoreFull) as error:
            log.warning("attachment_not_readable", blob_id=blob_id, reason=error.code)
            return None

    async def _rows(self, message: InboundMessage) -> dict[int, StoredAttachment] | None:
        """Its attachments by their place; None while the store cannot be read."""
        count = len(message.content.attachments)
        ids = [blob_id_of(message.message_id, ordinal) for ordinal in range(count)]
        with self._outage:
            return {row.ordinal: row for row in await self._table.find(ids)}
        return None

    def _shown(self, given: Attachment, row: StoredAttachment | None) -> Attachment:
        if row is None:
            return msgspec.structs.replace(given, blob_id=None)
        if row.state is not AttachmentState.STORED:
            missing = LATE if row.state is AttachmentState.WAITING else FAILED
            return msgspec.structs.replace(given, blob_id=None, missing=missing)
        return Attachment(
            kind=given.kind,
            url=self._link(row.blob_id),
            blob_id=row.blob_id,
            mime=row.mime or None,
            size=row.size_bytes,
            name=row.name or None,
        )

    async def _touch(self, row: StoredAttachment) -> None:
        now = self._clock.now()
        if now - row.used_at > TOUCH_AFTER_MS:
            await self._table.put(msgspec.structs.replace(row, used_at=At(now)))


def _may_send(row: StoredAttachment, account_uid: AccountUid) -> bool:
    return row.state is AttachmentState.STORED and row.account_uid in ("", account_uid)


def _as_sent(given: Attachment, row: StoredAttachment) -> Attachment:
    return Attachment(
        kind=given.kind,
        blob_id=row.blob_id,
        mime=row.mime or None,
        size=row.size_bytes,
        name=given.name or row.name or None,
    )
