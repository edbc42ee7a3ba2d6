"""Media we send: which kind WhatsApp takes it as, its limits, and uploading it to Meta."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from wunder_channels.whatsapp.api import GraphApi, read
from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_channels.whatsapp.memory import Memory
from wunder_channels.whatsapp.provider_errors import Refusal, error_for, refusal_of
from wunder_sdk import Account, Attachment, ChannelError, ProviderRejected, TooLarge

MediaKind = Literal["image", "video", "audio", "document"]

#: A caption's characters; audio has none (Cloud API, media messages, 2026-07).
CAPTION_MAX = 1024
DOCUMENT_MAX_BYTES = 100 * 1_048_576
#: Types and bytes that WhatsApp shows as what they are; anything else goes as a document.
#: Source: Cloud API, Media, Supported media types (read 2026-07).
_SHOWN: dict[str, tuple[MediaKind, frozenset[str], int]] = {
    "image": ("image", frozenset({"image/jpeg", "image/png"}), 5 * 1_048_576),
    "video": ("video", frozenset({"video/mp4", "video/3gpp", "video/3gp"}), 16 * 1_048_576),
    "audio": (
        "audio",
        frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
        16 * 1_048_576,
    ),
}
#: Below the 10 s that a send has, together with the message that follows.
_UPLOAD_S = 7.0


@dataclass(frozen=True, slots=True)
class Medium:
    """An attachment as WhatsApp will take it."""

    attachment: Attachment
    kind: MediaKind

    @property
    def takes_caption(self) -> bool:
        """Can a text go with it?"""
        return self.kind != "audio"


def medium(attachment: Attachment) -> Medium:
    """Choose how to send an attachment.

    Raises:
        TooLarge: More than any kind may have.
    """
    size = attachment.size or 0
    if size > DOCUMENT_MAX_BYTES:
        raise TooLarge(f"WhatsApp takes files of up to {DOCUMENT_MAX_BYTES} bytes")
    shown = _SHOWN.get(attachment.kind)
    mime = _bare(attachment.mime)
    if shown and size <= shown[2] and (not mime or mime in shown[1]):
        return Medium(attachment, shown[0])
    return Medium(attachment, "document")


class Uploader:
    """Puts stored media into Meta's hands; nothing is sent by that."""

    def __init__(self, account: Account[WhatsAppConfig], memory: Memory, attempt: int) -> None:
        self._account = account
        self._memory = memory
        self._attempt = attempt

    async def media_id(self, one: Medium) -> str:
        """Return the id under which Meta keeps a stored attachment, uploading it where needed.

        Raises:
            ChannelError: What Meta's refusal means; TooLarge; the blob is gone.

        Source: Meta, Cloud API, Media, Upload media (read 2026-07).
        """
        blob_id = one.attachment.blob_id or ""
        key = f"{blob_id}:{_bare(one.attachment.mime)}"
        known = await self._memory.uploaded(key)
        if known:
            return known
        size = one.attachment.size
        if size is None:
            whole = await self._account.blobs.read_all(blob_id, limit_bytes=DOCUMENT_MAX_BYTES)
            media_id = await self._upload(one, len(whole), _once(whole))
        else:
            media_id = await self._upload(one, size, self._account.blobs.read(blob_id))
        await self._memory.remember_upload(key, media_id)
        return media_id

    async def media_id_of_link(self, one: Medium) -> str:
        """Fetch a public link ourselves and upload what is there; up to 4 MiB.

        Raises:
            ChannelError: It cannot be fetched from here, or not uploaded.
        """
        answer = await self._account.http.get(one.attachment.url or "")
        if answer.status != 200 or not answer.body:
            raise ProviderRejected(f"the link answered HTTP {answer.status}")
        return await self._upload(one, len(answer.body), _once(answer.body))

    async def _upload(self, one: Medium, size: int, chunks: AsyncIterator[bytes]) -> str:
        api, config = GraphApi(self._account), self._account.config
        boundary = secrets.token_hex(16)
        head, tail = _form(one, boundary)
        body = _Body(head, chunks, size, tail)
        try:
            answer = await self._account.http.post(
                config.url(f"{config.phone_number_id}/media"),
                params=api.proof(),
                headers={
                    **api.headers,
                    "Content-Type": f"multipart/form-data; boundary={boundary}",
                    "Content-Length": str(len(head) + size + len(tail)),
                },
                data=body.read(),
                timeout_s=_UPLOAD_S,
                safe=True,
            )
        except ChannelError as error:
            # aiohttp tells of a body that fails as of a broken connection.
            raise body.failure or error from None
        found = read(answer)
        refusal = refusal_of(found)
        if refusal is not None:
            # Uploading sends nothing, so an answer that got lost may simply be asked for again.
            lost = refusal is Refusal.NO_ANSWER
            raise error_for(Refusal.TEMPORARY if lost else refusal, found, self._attempt)
        media_id = found.document.get("id")
        if not isinstance(media_id, str) or not media_id:
            raise ProviderRejected("WhatsApp took the file but named no id")
        return media_id


def _form(one: Medium, boundary: str) -> tuple[bytes, bytes]:
    """Return what goes before and after the bytes in the multipart body."""
    mime = _bare(one.attachment.mime) or _FALLBACK_MIME[one.kind]
    name = _quoted(one.attachment.name or f"file.{_extension(mime)}")
    fields = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in (("messaging_product", "whatsapp"), ("type", mime))
    )
    head = (
        f'{fields}--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"'
        f"\r\nContent-Type: {mime}\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


_FALLBACK_MIME: dict[MediaKind, str] = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "document": "application/octet-stream",
}


def _bare(mime: str | None) -> str:
    """Return a MIME type without parameters, "" for what is none."""
    bare = (mime or "").partition(";")[0].strip().lower()
    letters = bare.replace("/", "").replace("-", "").replace("+", "").replace(".", "")
    return bare if bare.count("/") == 1 and letters.isalnum() and letters.isascii() else ""


def _extension(mime: str) -> str:
    kind = mime.partition("/")[2]
    return kind if kind.isalnum() else "bin"


def _quoted(name: str) -> str:
    """Return a file name that cannot leave its quotes (WHATWG, multipart/form-data)."""
    shown = "".join(one if one.isprintable() else "_" for one in name)[-200:]
    return shown.replace("\\", "_").replace('"', "%22")


async def _once(whole: bytes) -> AsyncIterator[bytes]:
    yield whole


class _Body:
    """A multipart body whose length is promised beforehand; `failure` is what broke it off."""

    def __init__(self, head: bytes, chunks: AsyncIterator[bytes], size: int, tail: bytes) -> None:
        self._head, self._chunks, self._size, self._tail = head, chunks, size, tail
        self.failure: ChannelError | None = None

    async def read(self) -> AsyncIterator[bytes]:
        """Yield the body.

        Raises:
            ChannelError: The stored bytes cannot be read, or are of another size than promised.
        """
        yield self._head
        left = self._size
        try:
            async for chunk in self._chunks:
                left -= len(chunk)
                if left < 0:
                    break
                yield chunk
            if left:
                raise ProviderRejected("the stored file is not of the size its message says")
        except ChannelError as error:
            self.failure = error
            raise
        yield self._tail
