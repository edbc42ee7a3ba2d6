"""Stored attachments: uploaded to be sent, looked at through a link that expires."""

from typing import Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath

from wunder.api.admin_request import AdminRequest
from wunder.api.upload import OVERHEAD_BYTES, received
from wunder.attachments.desk import Uploading
from wunder.errors import FieldFault, Invalid, NotFound
from wunder.model.attachment import AttachmentState, StoredAttachment
from wunder.model.ids import AccountUid
from wunder.model.message import AttachmentKind

PATH = "/wunder/admin/channels/attachments"
TAGS = ["Messages"]
#: What AttachmentPolicy.max_file_bytes may be raised to, and ApiPolicy.package_bytes with it.
MAX_UPLOAD_BYTES = 256 * 1_048_576 + OVERHEAD_BYTES
_KINDS: dict[str, AttachmentKind] = {
    "image": "image", "audio": "audio", "video": "video", "file": "file",
}  # fmt: skip


class AttachmentView(msgspec.Struct, frozen=True):
    """A stored attachment. `mime` is what its bytes say; `url` expires, "" where nothing is stored."""

    blob_id: str
    kind: AttachmentKind
    state: AttachmentState
    name: str
    mime: str
    size: int
    sha256: str
    error: str
    message_id: str
    url: str = ""
    source: Literal["message", "upload"] = "upload"


@post(
    PATH,
    operation_id="upload_attachment",
    tags=TAGS,
    summary="Upload an attachment to send",
    status_code=201,
    request_max_body_size=MAX_UPLOAD_BYTES,
    opt={
        "form": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "kind": {"enum": sorted(_KINDS)},
                    "channel": {"type": "string"},
                    "account_id": {"type": "string"},
                },
            }
        }
    },
)
async def upload_attachment(request: AdminRequest) -> AttachmentView:
    """Keep a file (multipart `file`) and return its `blob_id`, for `attachments` of a message.

    With `channel` and `account_id` only that account may send it. `kind` absent: by its bytes.
    """
    parts = request.parts
    async with received(request) as upload:
        row = await parts.attachments.upload(
            Uploading(
                path=upload.path,
                name=upload.name,
                mime=upload.mime,
                account_uid=await _account(request, upload.fields),
                kind=_kind(upload.fields.get("kind", "")),
            )
        )
    return await _view(request, row.blob_id)


@get(
    f"{PATH}/{{blob_id:str}}",
    operation_id="get_attachment",
    tags=TAGS,
    summary="Show an attachment",
)
async def get_attachment(blob_id: FromPath[str], request: AdminRequest) -> AttachmentView:
    """What is known of an attachment, and a fresh link to its bytes."""
    return await _view(request, blob_id)


async def _view(request: AdminRequest, blob_id: str) -> AttachmentView:
    row, url = await request.parts.attachments.view(blob_id)
    return _view_of(row, url)


def _view_of(row: StoredAttachment, url: str) -> AttachmentView:
    return AttachmentView(
        blob_id=row.blob_id,
        kind=row.kind,
        state=row.state,
        name=row.name,
        mime=row.mime,
        size=row.size_bytes,
        sha256=row.sha256,
        error=row.error,
        message_id=row.message_id,
        url=url,
        source="message" if row.message_id else "upload",
    )


async def _account(request: AdminRequest, fields: dict[str, str]) -> AccountUid:
    channel, account_id = fields.get("channel", ""), fields.get("account_id", "")
    if not channel and not account_id:
        return AccountUid("")
    try:
        return await request.parts.accounts.uid_of(channel, account_id)
    except NotFound as error:
        fault = FieldFault("/account_id", "unknown", "no account of this channel has this id")
        raise Invalid("The form names no account.", [fault]) from error


def _kind(given: str) -> AttachmentKind | None:
    if given and given not in _KINDS:
        fault = FieldFault("/kind", "enum", f"one of {', '.join(sorted(_KINDS))}")
        raise Invalid("The form holds a wrong field.", [fault])
    return _KINDS.get(given)


HANDLERS = (upload_attachment, get_attachment)
