"""`attachments`: what is to be fetched, what is stored, and what nobody has used for long."""

from collections.abc import Sequence
from typing import Any

import msgspec

from wunder.model.attachment import AttachmentState, StoredAttachment, blob_id_of
from wunder.model.ids import AccountUid, At, BlobId
from wunder.model.message import Attachment, InboundMessage
from wunder.store.clean import to_json
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works, doing

_COLUMNS = """blob_id, account_uid, kind, created_at, used_at, message_id, ordinal, state, source, name,
  mime, size_bytes, sha256, tries, retry_at, error"""
_REPLACED = ", ".join(
    f"{name} = excluded.{name}"
    for name in (one.strip() for one in _COLUMNS.split(","))
    if name != "blob_id"
)
_PUT = f"""
INSERT INTO attachments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (blob_id) DO UPDATE SET {_REPLACED}
"""  # noqa: S608 - constant
_EXPECT = f"""
INSERT INTO attachments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (blob_id) DO NOTHING
"""  # noqa: S608 - constant
_SELECT = f"SELECT {_COLUMNS} FROM attachments"  # noqa: S608 - constant
_ONE = f"{_SELECT} WHERE blob_id = ?"
_DUE = f"{_SELECT} WHERE state = 'waiting' AND retry_at <= ? ORDER BY retry_at LIMIT ?"
_UNUSED = f"{_SELECT} WHERE used_at < ? ORDER BY used_at LIMIT ?"
_UNUSED_OF = f"{_SELECT} WHERE used_at < ? AND account_uid = ? ORDER BY used_at LIMIT ?"
_USED_BYTES = "SELECT coalesce(sum(size_bytes), 0) FROM attachments WHERE account_uid = ?"
_CLAIM = """
UPDATE attachments SET retry_at = ? WHERE blob_id = ? AND state = 'waiting' AND retry_at = ?
"""
_REMOVE = "DELETE FROM attachments WHERE blob_id = ?"

_source = msgspec.json.Decoder(Attachment)


class SqlAttachmentTable:
    """Port AttachmentTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, row: StoredAttachment) -> None:
        """Add or replace a row."""
        await self._writer.work(doing(_PUT, _values(row)))

    async def find(self, blob_ids: Sequence[BlobId]) -> list[StoredAttachment]:
        """The rows there are."""
        return [row for blob_id in blob_ids for row in await self._rows(_ONE, (blob_id,))]

    async def due(self, now: At, limit: int) -> list[StoredAttachment]:
        """What waits to be fetched, longest due first."""
        return await self._rows(_DUE, (now, limit))

    async def unused_since(
        self, before: At, limit: int, account_uid: AccountUid | None = None
    ) -> list[StoredAttachment]:
        """What was not put to use since, longest unused first."""
        if account_uid is None:
            return await self._rows(_UNUSED, (before, limit))
        return await self._rows(_UNUSED_OF, (before, account_uid, limit))

    async def used_bytes(self, account_uid: AccountUid) -> int:
        """How much an account's attachments take; reads each of its rows."""
        return int((await self._reader.rows(_USED_BYTES, account_uid))[0][0])

    async def claim(self, row: StoredAttachment, until: At) -> bool:
        """Have a row that waits to oneself until then; False when another node was first."""

        async def unit(tx: Transaction) -> bool:
            return (await tx.run(_CLAIM, (until, row.blob_id, row.retry_at))).rowcount == 1

        return await self._writer.work(unit)

    async def remove(self, blob_ids: Sequence[BlobId]) -> None:
        """Forget rows."""

        async def unit(tx: Transaction) -> None:
            for blob_id in blob_ids:
                await tx.run(_REMOVE, (blob_id,))

        await self._writer.work(unit)

    async def _rows(self, sql: str, values: tuple[Any, ...]) -> list[StoredAttachment]:
        return [_row(row) for row in await self._reader.rows(sql, *values)]


async def expect(tx: Transaction, message: InboundMessage, at: At) -> None:
    """Note what a message brought and its channel has to fetch (in T1)."""
    for ordinal, source in enumerate(message.content.attachments):
        if source.media_id is None and source.url is None:
            continue
        row = StoredAttachment(
            blob_id=blob_id_of(message.message_id, ordinal),
            account_uid=message.conversation.account_uid,
            kind=source.kind,
            created_at=at,
            used_at=at,
            message_id=message.message_id,
            ordinal=ordinal,
            source=source,
            retry_at=at,
        )
        await tx.run(_EXPECT, _values(row))


def _values(row: StoredAttachment) -> tuple[Any, ...]:
    return (
        row.blob_id,
        row.account_uid,
        row.kind,
        row.created_at,
        row.used_at,
        row.message_id,
        row.ordinal,
        row.state.value,
        "{}" if row.source is None else to_json(row.source),
        row.name,
        row.mime,
        row.size_bytes,
        row.sha256,
        row.tries,
        row.retry_at,
        row.error,
    )


def _row(row: tuple[Any, ...]) -> StoredAttachment:
    values = list(row)
    values[7] = AttachmentState(values[7])
    values[8] = None if values[8] == "{}" else _source.decode(values[8])
    return StoredAttachment(*values)
