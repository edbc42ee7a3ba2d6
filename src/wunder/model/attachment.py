"""Stored attachments: media that came with a message, or was uploaded to be sent."""

from enum import StrEnum

import msgspec

from wunder.model.ids import AccountUid, At, BlobId, MessageId, derived_id
from wunder.model.message import Attachment, AttachmentKind


class AttachmentState(StrEnum):
    """Where an attachment is: `waiting` until it was fetched, or could not be."""

    WAITING = "waiting"
    STORED = "stored"
    FAILED = "failed"


class StoredAttachment(msgspec.Struct, frozen=True):
    """One row of `attachments`.

    `source` is how its channel named it. `mime` is what the bytes say, else what was claimed.
    `used_at` is when it was last put to use: retention counts from there.
    """

    blob_id: BlobId
    account_uid: AccountUid  # "" for an upload that any account may send
    kind: AttachmentKind
    created_at: At
    used_at: At
    message_id: MessageId = MessageId("")  # "" for an upload
    ordinal: int = 0
    state: AttachmentState = AttachmentState.WAITING
    source: Attachment | None = None
    name: str = ""
    mime: str = ""
    size_bytes: int = 0
    sha256: str = ""
    tries: int = 0
    retry_at: At = At(0)
    error: str = ""


def blob_id_of(message_id: MessageId, ordinal: int) -> BlobId:
    """Name an attachment of an inbound message, fixed before it is fetched."""
    return BlobId(derived_id(message_id, "blob", ordinal))
