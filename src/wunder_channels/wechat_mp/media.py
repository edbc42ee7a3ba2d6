"""Files both ways: what WeChat takes and gives, within its limits."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wunder_channels.wechat_mp.api import MpApi
from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    read,
    refusal_of,
)
from wunder_sdk import (
    Account,
    Attachment,
    BlobWriter,
    HttpAnswer,
    ProviderRejected,
    TooLarge,
    UnsupportedFeature,
)

if TYPE_CHECKING:
    import aiohttp

_DOCUMENTS = frozenset({"application/json", "text/plain", "text/json", "text/html"})
_FILE_NAME = re.compile(r'filename="?([^";/\\]{1,200})"?')
_MB = 1_048_576
#: Chunks that the gateway takes (protocol 1, host.blob.write).
_CHUNK_BYTES = 256 * 1024
_ANSWER_MAX = 64 * 1024
#: Where pictures and videos of users lie; nothing else is fetched by address.
_MEDIA_HOSTS = (".qpic.cn", ".qlogo.cn", ".qq.com")


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file as WeChat takes it (official account docs 2026-07, temporary material)."""

    kind: str
    most_bytes: int
    endings: dict[str, str]


FORMATS = {
    "image": Format(
        "image",
        10 * _MB,
        {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/bmp": "bmp"},
    ),
    "audio": Format(
        "voice",
        2 * _MB,
        {"audio/amr": "amr", "audio/mpeg": "mp3", "audio/mp3": "mp3"},
    ),
    "video": Format("video", 10 * _MB, {"video/mp4": "mp4"}),
}


async def upload(account: Account[MpConfig], api: MpApi, attachment: Attachment) -> str:
    """Upload a stored attachment and return its media_id.

    Raises:
        UnsupportedFeature: WeChat takes no files of this kind.
        TooLarge: More bytes than WeChat takes.
    """
    wanted = format_of(attachment)
    mime = (attachment.mime or "").partition(";")[0].strip().lower()
    if mime and mime not in wanted.endings:
        takes = ", ".join(sorted(set(wanted.endings.values())))
        raise UnsupportedFeature(f"WeChat takes a {wanted.kind} as {takes}, not as {mime}")
    if attachment.size is not None and attachment.size > wanted.most_bytes:
        raise TooLarge(f"WeChat takes a {wanted.kind} of at most {wanted.most_bytes} bytes")
    content = await account.blobs.read_all(attachment.blob_id or "", wanted.most_bytes)
    mime = mime or next(iter(wanted.endings))
    ending = wanted.endings[mime]
    name = attachment.name or wanted.kind
    name = name if name.lower().endswith(f".{ending}") else f"{name}.{ending}"
    return await api.upload(wanted.kind, name, mime, content)


def format_of(attachment: Attachment) -> Format:
    """Return how WeChat takes an attachment. Raises: UnsupportedFeature."""
    wanted = FORMATS.get(attachment.kind)
    if wanted is None:
        raise UnsupportedFeature("an official account sends images, voice and video, no files")
    return wanted


class Download:
    """Streams one file of a user into the gateway's store."""

    def __init__(self, account: Account[MpConfig], api: MpApi, now_ms: int) -> None:
        self._account = account
        self._api = api
        self._now_ms = now_ms

    async def fetch(self, attachment: Attachment, blob: BlobWriter) -> None:
        """Write the bytes of an attachment.

        Raises:
            ChannelError: WeChat does not give it, or it is not where WeChat keeps files.
        """
        if attachment.url:
            await self._copy(attachment.url, blob)
            return
        token = await self._api.token()
        found = await self._give(token, attachment.media_id or "", blob)
        if found is not None and refusal_of(found) is Refusal.TOKEN:
            renewed = await self._api.renew(token)
            if renewed is not None:
                found = await self._give(renewed, attachment.media_id or "", blob)
        if found is not None:
            await self._copy(self._video_address(found), blob)

    async def _give(self, token: str, media_id: str, blob: BlobWriter) -> PlatformAnswer | None:
        """Ask for a file; None once it is written, else the document that came instead."""
        query = {"access_token": token, "media_id": media_id}
        address = self._api.address("/cgi-bin/media/get")
        async with self._account.http.download(address, params=query) as answer:
            return await self._write(answer, blob)

    async def _copy(self, address: str, blob: BlobWriter) -> None:
        """Write the file that lies at an address, which must be one of WeChat's."""
        self._require_media_host(address)
        async with self._account.http.download(address) as answer:
            found = await self._write(answer, blob)
        if found is not None:
            refusal = refusal_of(found) or Refusal.UNKNOWN
            raise error_for(refusal, found, 1, self._now_ms)

    async def _write(
        self, answer: "aiohttp.ClientResponse", blob: BlobWriter
    ) -> PlatformAnswer | None:
        mime = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if answer.status != 200 or mime in _DOCUMENTS:
            body = await answer.content.read(_ANSWER_MAX)
            return read(HttpAnswer(answer.status, {}, body, safe=True))
        if mime and mime != "application/octet-stream":
            blob.mime = mime
        named = _FILE_NAME.search(answer.headers.get("Content-Disposition", "")[:500])
        if named:
            blob.name = named[1]
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            await blob.write(chunk)
        return None

    def _video_address(self, found: PlatformAnswer) -> str:
        """Return where a video lies: WeChat gives its address instead of its bytes."""
        refusal = refusal_of(found)
        if refusal is Refusal.NO_ANSWER:
            refusal = Refusal.BUSY
        if refusal is not None:
            raise error_for(refusal, found, 1, self._now_ms)
        address = found.document.get("video_url")
        if not isinstance(address, str) or not address:
            raise ProviderRejected("WeChat gave neither the file nor its address")
        return address

    def _require_media_host(self, address: str) -> None:
        try:
            parts = urlsplit(address)
            host = (parts.hostname or "").lower()
        except ValueError:
            parts, host = None, ""
        is_web = parts is not None and parts.scheme in ("http", "https")
        own = urlsplit(self._account.config.domain)
        is_own = parts is not None and parts.netloc == own.netloc
        if not is_web or not (is_own or host.endswith(_MEDIA_HOSTS)):
            raise ProviderRejected("the file is not where WeChat keeps files")
