"""Files both ways: have QQ fetch or take what is to be sent, fetch what somebody sent."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from wunder_channels.qqbot.api import QqApi, QqConfig
from wunder_channels.qqbot.provider_errors import PlatformAnswer, Refusal, error_for, refusal_of
from wunder_sdk import (
    Account,
    Attachment,
    BlobWriter,
    ProviderRejected,
    ProviderUnavailable,
    TooLarge,
)
from wunder_sdk.loose_json import JsonObject, objects, string

_IMAGE, _VIDEO, _VOICE, _FILE = 1, 2, 3, 4
_TYPE_OF_KIND = {"image": _IMAGE, "video": _VIDEO, "audio": _VOICE, "file": _FILE}
_MIB = 1_048_576
#: Bytes shown as picture, film or voice; what is larger goes as a file (QQ bot docs 2026-07, rich
#: media, soft limits).
_MOST_BYTES = {_IMAGE: 20 * _MIB, _VIDEO: 30 * _MIB, _VOICE: 20 * _MIB, _FILE: 200 * _MIB}
#: In one request up to here, in parts beyond: base64 is a third longer (choice).
_WHOLE_BYTES = 4 * _MIB
#: A send has 10 s and a plugin 256 MiB: larger files go by URL (choice).
BLOB_BYTES = 30 * _MIB
#: `md5_10m` is over this many first bytes (QQ bot docs 2026-07, upload_prepare).
_HEAD_BYTES = 10_002_432
_UPLOAD_S = 9.0
_CHUNK_BYTES = 262_144
_NAME_MAX = 100
_STARTS = {
    _IMAGE: (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM"),
    _VOICE: (b"#!SILK", b"\x02#!SILK", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"OggS"),
}
_RIFF = {_IMAGE: b"WEBP", _VOICE: b"WAVE"}


@dataclass(frozen=True, slots=True)
class GuildImage:
    """A picture for a guild channel, as the form that carries it."""

    content: bytes

    def form(self, fields: JsonObject) -> tuple[bytes, str]:
        """Return the body and its content type; `fields` are the message's other fields."""
        boundary = secrets.token_hex(16)
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        file = f'form-data; name="file_image"; filename="{_name(None, _IMAGE)}"'
        head += f"--{boundary}\r\nContent-Disposition: {file}\r\n\r\n"
        body = head.encode("utf-8", "replace") + self.content + f"\r\n--{boundary}--\r\n".encode()
        return body, f"multipart/form-data; boundary={boundary}"


class Uploader:
    """Gives QQ a file for one peer; nothing is sent by that (`srv_send_msg` stays false).

    Source: QQ bot docs 2026-07, rich media, and chunked uploading.
    """

    def __init__(self, account: Account[QqConfig], path: str, attempt: int) -> None:
        self._account = account
        self._api = QqApi(account)
        self._path = path
        self._attempt = attempt

    async def file_info(self, attachment: Attachment) -> str:
        """Return what QQ calls the file; it is good for this kind of chat only.

        Raises:
            TooLarge: More bytes than can be uploaded.
            ChannelError: What QQ's refusal means; repeating does no harm.
        """
        if attachment.url:
            asked: JsonObject = {
                "file_type": _TYPE_OF_KIND[attachment.kind],
                "url": attachment.url,
                "srv_send_msg": False,
            }
            return _file_info(await self._ask("/files", asked))
        content = await content_of(self._account, attachment)
        file_type = type_of(attachment.kind, content)
        name = _name(attachment.name, file_type)
        named: JsonObject = {"file_type": file_type, "srv_send_msg": False, "file_name": name}
        if len(content) <= _WHOLE_BYTES:
            whole: JsonObject = {**named, "file_data": base64.b64encode(content).decode()}
            return _file_info(await self._ask("/files", whole))
        upload_id = await self._in_parts(content, named)
        return _file_info(await self._ask("/files", {**named, "upload_id": upload_id}))

    async def _in_parts(self, content: bytes, named: JsonObject) -> str:
        asked = {
            "file_type": named["file_type"],
            "file_name": named["file_name"],
            "file_size": str(len(content)),
            "md5": _md5(content),
            "sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
            "md5_10m": _md5(content[:_HEAD_BYTES]),
        }
        prepared = (await self._ask("/upload_prepare", asked)).document
        upload_id = string(prepared, "upload_id")
        usual, at = _size(prepared, len(content)), 0
        for part in objects(prepared, "parts"):
            piece = content[at : at + _size(part, usual)]
            at += len(piece)
            await self._put(string(part, "presigned_url"), piece)
            done = {"upload_id": upload_id, "part_index": part.get("index", part.get("part_index")),
                    "block_size": str(len(piece)), "md5": _md5(piece)}  # fmt: skip
            await self._ask("/upload_part_finish", done)
        if not upload_id or at < len(content):
            raise ProviderUnavailable("QQ did not say where the whole file goes")
        return upload_id

    async def _put(self, url: str, piece: bytes) -> None:
        """PUT one part where QQ said; the address is signed and needs no token."""
        if urlsplit(url).scheme not in ("http", "https"):
            raise ProviderUnavailable("QQ named no address for a part of the file")
        headers = {"Content-Type": "application/octet-stream"}
        answer = await self._account.http.request(
            "PUT", url, data=piece, headers=headers, safe=True, timeout_s=_UPLOAD_S
        )
        if not answer.ok:
            raise ProviderUnavailable("a part was not stored", http_status=answer.status)

    async def _ask(self, path: str, asked: JsonObject) -> PlatformAnswer:
        answer = await self._api.call(
            "POST", self._path + path, asked, safe=True, timeout_s=_UPLOAD_S
        )
        refusal = refusal_of(answer)
        if refusal is Refusal.NO_ANSWER:
            # Uploading sends nothing, so what went wrong may simply be tried again.
            refusal = Refusal.SYSTEM
        if refusal is not None:
            raise error_for(refusal, answer, self._attempt, passive=True)
        return answer


async def content_of(account: Account[QqConfig], attachment: Attachment) -> bytes:
    """Return the bytes of a stored attachment.

    Raises:
        ProviderRejected: It has none.
        TooLarge: More than can be uploaded.
    """
    if not attachment.blob_id:
        raise ProviderRejected("the attachment has neither a url nor a blob")
    content = await account.blobs.read_all(attachment.blob_id, BLOB_BYTES)
    if not content:
        raise ProviderRejected("an empty file cannot be sent")
    return content


def type_of(kind: str, content: bytes) -> int:
    """Return how QQ shows these bytes: as what they claim to be where it can, else as a file."""
    found = _TYPE_OF_KIND[kind]
    if len(content) > _MOST_BYTES[found]:
        return _FILE
    if found == _VIDEO:
        return _VIDEO if content[4:8] == b"ftyp" else _FILE
    if found in _STARTS and not content.startswith(_STARTS[found]):
        is_riff = content[:4] == b"RIFF" and content[8:12] == _RIFF[found]
        return found if is_riff else _FILE
    return found


async def download(account: Account[QqConfig], attachment: Attachment, blob: BlobWriter) -> None:
    """Fetch what somebody sent; QQ's links need no token and end soon.

    Raises:
        ProviderRejected: The link is none, or no longer good.
        ProviderUnavailable: No whole answer.
        TooLarge: More than QQ itself lets people send.
    """
    url = attachment.url or ""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ProviderRejected("the attachment has no web address")
    size = 0
    async with account.http.download(url) as answer:
        if answer.status >= 300:
            kind = ProviderUnavailable if answer.status >= 500 else ProviderRejected
            raise kind("the attachment's link is no longer good", http_status=answer.status)
        blob.mime = attachment.mime or answer.content_type
        blob.name = attachment.name
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            size += len(chunk)
            if size > _MOST_BYTES[_FILE]:
                raise TooLarge("QQ lets people send files of at most 200 MB")
            await blob.write(chunk)


def _file_info(answer: PlatformAnswer) -> str:
    found = string(answer.document, "file_info")
    if not found:
        raise ProviderRejected("QQ took the attachment but named no file_info")
    return found


def _size(content: JsonObject, otherwise: int) -> int:
    """Return a `block_size`, which QQ writes as text."""
    text = string(content, "block_size")
    return int(text) if text.isascii() and text.isdecimal() and int(text) > 0 else otherwise


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _name(name: str | None, file_type: int) -> str:
    ending = {_IMAGE: "png", _VIDEO: "mp4", _VOICE: "silk", _FILE: "bin"}[file_type]
    bare = "".join(one for one in name or "" if one.isprintable() and one not in '"\\/')
    return bare.strip(" .")[-_NAME_MAX:] or f"file.{ending}"
