"""Files both ways: upload what is to be sent, download what was received."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from wunder_channels.feishu.api import FeishuApi, FeishuConfig, Upload, read
from wunder_channels.feishu.content import parts_of_handle
from wunder_channels.feishu.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.feishu.wording import dumps
from wunder_sdk import (
    Account,
    AccountConfigInvalid,
    Attachment,
    BlobWriter,
    ChannelError,
    HttpAnswer,
    ProviderRejected,
    ProviderUnavailable,
    TooLarge,
    UnsupportedFeature,
)

#: open.feishu.cn, im/v1/images and im/v1/files: 1 byte to 10 MB and 30 MB.
IMAGE_MAX_BYTES = 10 * 1_048_576
FILE_MAX_BYTES = 30 * 1_048_576
_IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM",
                 b"\x00\x00\x01\x00", b"II*\x00", b"MM\x00*")  # fmt: skip
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")
_FILE_TYPES = {
    "pdf": "pdf", "doc": "doc", "docx": "doc", "xls": "xls", "xlsx": "xls", "ppt": "ppt",
    "pptx": "ppt",
}  # fmt: skip
#: Of a received resource (open.feishu.cn).
RESOURCE_MAX_BYTES = 100 * 1_048_576
_RESOURCES = "/open-apis/im/v1/messages"
_CHUNK_BYTES = 262_144
_REFUSAL_MAX_BYTES = 65_536
_EXTENSIONS = {"image": "png", "audio": "opus", "video": "mp4", "file": "bin"}
_OGG_RATE_PER_MS = 48
_NAME_MAX = 200
_FILE_NAME = re.compile(r"filename\*?=(?:UTF-8'')?\"?([^\";]{1,400})\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ready:
    """An uploaded file as a message."""

    msg_type: str
    content: str


async def ready_to_send(account: Account[FeishuConfig], attachment: Attachment) -> Ready:
    """Upload an attachment and return the message that shows it.

    A public URL is sent as a text: Feishu fetches nothing by itself. An image, voice or video
    of a format that Feishu does not show goes as a file.

    Raises:
        ChannelError: TooLarge, or what the refusal of the upload means.
    """
    if attachment.url:
        words = f"{attachment.name}\n{attachment.url}" if attachment.name else attachment.url
        return Ready("text", dumps({"text": words}))
    if attachment.media_id:
        return _uploaded_before(attachment, attachment.media_id)
    content = await account.blobs.read_all(attachment.blob_id or "", limit_bytes=FILE_MAX_BYTES)
    if not content:
        raise ProviderRejected("an empty file cannot be sent")
    if len(content) > FILE_MAX_BYTES:
        raise TooLarge(f"Feishu takes files of at most {FILE_MAX_BYTES} bytes")
    return await _upload(FeishuApi(account), attachment, content)


async def download(
    account: Account[FeishuConfig], attachment: Attachment, blob: BlobWriter
) -> None:
    """Fetch a received resource into `blob`; the type is `image` or `file`, which is all the rest.

    Raises:
        UnsupportedFeature: A sticker: Feishu does not serve those.
        ChannelError: What the refusal means.

    Source: open.feishu.cn, GET im/v1/messages/:message_id/resources/:file_key.
    """
    message_id, key = parts_of_handle(attachment.media_id or "")
    if not message_id or not key:
        raise UnsupportedFeature("Feishu does not serve stickers")
    places = f"/{quote(message_id, safe='')}/resources/{quote(key, safe='')}"
    params = {"type": "image" if attachment.kind == "image" else "file"}
    api = FeishuApi(account)
    token = await api.token()
    answer = await _stream(account, _RESOURCES + places, params, token, blob)
    if answer is not None and refusal_of(answer) is Refusal.TOKEN:
        api.drop_token(token)
        answer = await _stream(account, _RESOURCES + places, params, await api.token(), blob)
    if answer is not None:
        raise _refused(answer)


# --- out --------------------------------------------------------------------------------------


def _uploaded_before(attachment: Attachment, key: str) -> Ready:
    """Send a key that this app uploaded; a received resource has to be downloaded first."""
    message_id, _ = parts_of_handle(key)
    if message_id:
        raise UnsupportedFeature("a received resource cannot be sent by its handle")
    if attachment.kind == "image":
        return Ready("image", dumps({"image_key": key}))
    msg_type = {"audio": "audio", "video": "media"}.get(attachment.kind, "file")
    return Ready(msg_type, dumps({"file_key": key}))


async def _upload(api: FeishuApi, attachment: Attachment, content: bytes) -> Ready:
    if attachment.kind == "image" and is_image(content) and len(content) <= IMAGE_MAX_BYTES:
        upload = Upload("image", "image", content, {"image_type": "message"})
        key = await _key(api, "/open-apis/im/v1/images", upload, "image_key")
        return Ready("image", dumps({"image_key": key}))
    msg_type, fields = _form_of(attachment, content)
    name = (attachment.name or f"file.{_EXTENSIONS[attachment.kind]}")[:_NAME_MAX]
    upload = Upload("file", name, content, {**fields, "file_name": name})
    key = await _key(api, "/open-apis/im/v1/files", upload, "file_key")
    return Ready(msg_type, dumps({"file_key": key}))


def _form_of(attachment: Attachment, content: bytes) -> tuple[str, dict[str, str]]:
    """Return msg_type and the form's fields: they must fit each other (230055)."""
    if attachment.kind == "audio" and content.startswith(b"OggS"):
        return "audio", {"file_type": "opus", "duration": str(ogg_duration_ms(content))}
    if attachment.kind == "video" and content[4:8] == b"ftyp":
        return "media", {"file_type": "mp4"}
    extension = (attachment.name or "").rpartition(".")[2].lower()
    return "file", {"file_type": _FILE_TYPES.get(extension, "stream")}


def is_image(content: bytes) -> bool:
    """Say whether Feishu shows these bytes as an image: JPG PNG WEBP GIF BMP ICO TIFF HEIC."""
    if content.startswith(_IMAGE_STARTS):
        return True
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return True
    return content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS


def ogg_duration_ms(content: bytes) -> int:
    """Return how long an Opus file plays: its last page says how many samples came before."""
    page = content.rfind(b"OggS")
    samples = int.from_bytes(content[page + 6 : page + 14], "little", signed=True)
    return max(samples, 0) // _OGG_RATE_PER_MS if 0 <= samples < 2**40 else 0


async def _key(api: FeishuApi, path: str, upload: Upload, name: str) -> str:
    answer = await api.upload(path, upload)
    if refusal_of(answer) is not None:
        raise _refused(answer)
    found = answer.document.get("data")
    key = found.get(name) if isinstance(found, dict) else None
    if not isinstance(key, str) or not key:
        raise ProviderUnavailable(f"Feishu took the file but named no {name}")
    return key


def _refused(answer: PlatformAnswer) -> ChannelError:
    """Return what the refusal of a transfer means; a transfer shows nothing to anybody."""
    refusal = refusal_of(answer)
    if refusal is None or refusal is Refusal.NO_ANSWER:
        refusal = Refusal.SYSTEM
    error = error_for(refusal, answer, 1)
    if isinstance(error, AccountConfigInvalid):
        # Texts may still be sent: a missing permission for files does not park the account.
        return ProviderRejected(error.message, provider_code=answer.code, http_status=answer.status)
    return error


# --- in ---------------------------------------------------------------------------------------


async def _stream(
    account: Account[FeishuConfig],
    path: str,
    params: dict[str, str],
    token: str,
    blob: BlobWriter,
) -> PlatformAnswer | None:
    """Write the body of a success into `blob`; return the answer of anything else."""
    url = account.config.base + path
    headers = {"Authorization": f"Bearer {token}"}
    async with account.http.download(url, params=params, headers=headers) as answer:
        mime = answer.content_type
        if answer.status != 200 or mime == "application/json":
            body = await answer.content.read(_REFUSAL_MAX_BYTES)
            return read(HttpAnswer(answer.status, answer.headers, body, safe=True))
        blob.mime = mime
        blob.name = _name_in(answer.headers.get("Content-Disposition", ""))
        size = 0
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            size += len(chunk)
            if size > RESOURCE_MAX_BYTES:
                raise TooLarge(f"a resource has at most {RESOURCE_MAX_BYTES} bytes")
            await blob.write(chunk)
    return None


def _name_in(disposition: str) -> str | None:
    found = _FILE_NAME.search(disposition)
    return unquote(found[1]).strip()[:_NAME_MAX] or None if found else None
