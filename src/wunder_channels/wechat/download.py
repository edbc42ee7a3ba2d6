"""Fetch what somebody sent: an app's media by its id, an AI bot's from a link, decrypted on the way."""

import binascii
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from wunder_channels.wechat.api import WecomApi, read
from wunder_channels.wechat.bot_events import KEY_MARK
from wunder_channels.wechat.config import WecomConfig
from wunder_channels.wechat.envelope import PAD_BYTES, aes_key, is_key_text
from wunder_channels.wechat.provider_errors import Refusal, error_for, refusal_of
from wunder_sdk import (
    Account,
    Attachment,
    BlobWriter,
    HttpAnswer,
    MalformedEvent,
    ProviderRejected,
    ProviderUnavailable,
    aes_cbc,
)

#: What is handed to the gateway at a time.
CHUNK_BYTES = 262_144
#: An error instead of a file is a small JSON document.
_ERROR_BYTES = 65_536
_BLOCK_BYTES = 16
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{64}\Z")
_FILE_NAME = re.compile(r'filename="([^"\r\n]{1,255})"|filename=([^";\r\n]{1,255})', re.IGNORECASE)
_FILE_NAME_UTF8 = re.compile(r"filename\*=utf-8''([^;\r\n]{1,512})", re.IGNORECASE)


async def fetch(account: Account[WecomConfig], attachment: Attachment, blob: BlobWriter) -> None:
    """Write the bytes of an attachment into `blob`.

    Raises:
        ProviderRejected: WeCom has forgotten it, or the bytes cannot be decrypted.
        ProviderUnavailable: No answer.
    """
    if attachment.media_id:
        await _fetch_media(account, attachment.media_id, blob)
    elif attachment.url:
        await _fetch_link(account, attachment.url, blob)
    else:
        raise ProviderRejected("the attachment says nowhere where it is")


async def _fetch_media(account: Account[WecomConfig], media_id: str, blob: BlobWriter) -> None:
    """Download by media_id. Source: WeCom docs 90254: bytes, or JSON where it failed."""
    api = WecomApi(account)
    for attempt in (1, 2):
        token = await api.token()
        query = {"access_token": token, "media_id": media_id}
        async with account.http.download(api.url("/cgi-bin/media/get"), params=query) as answer:
            failed = await _failure(answer)
            if failed is None:
                _describe(blob, answer.headers)
                async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                    await blob.write(chunk)
                return
        refusal = refusal_of(failed)
        if refusal is not Refusal.TOKEN or attempt > 1:
            raise error_for(refusal or Refusal.UNKNOWN, failed, attempt, folds=True)
        api.drop_token(token)


async def _fetch_link(account: Account[WecomConfig], link: str, blob: BlobWriter) -> None:
    """Download from a link of a callback, and decrypt. Source: WeCom docs 100719."""
    config = account.config
    url, _, own_key = link.partition(KEY_MARK)
    if urlsplit(url).scheme not in ("http", "https"):
        raise ProviderRejected("the attachment's link is no web address")
    async with account.http.download(url) as answer:
        if answer.status >= 300:
            kind = ProviderUnavailable if answer.status >= 500 else ProviderRejected
            raise kind("the attachment's link is no longer good", http_status=answer.status)
        _describe(blob, answer.headers)
        chunks = answer.content.iter_chunked(CHUNK_BYTES)
        if not config.is_ai_bot:
            # Only an AI bot's links lead to encrypted bytes.
            async for chunk in chunks:
                await blob.write(chunk)
            return
        async for chunk in decrypted(chunks, media_key(own_key or config.encoding_aes_key)):
            await blob.write(chunk)


async def decrypted(chunks: AsyncIterator[bytes], key: bytes) -> AsyncIterator[bytes]:
    """Yield the plaintext of AES-256-CBC, padded to 32 bytes; its last bytes are held back.

    Raises:
        ProviderRejected: Cut off, or not made with this key.
    """
    decryptor = Cipher(AES(key), CBC(key[:_BLOCK_BYTES])).decryptor()
    held, size = b"", 0
    async for chunk in chunks:
        size += len(chunk)
        plain = held + decryptor.update(chunk)
        if len(plain) > PAD_BYTES:
            yield plain[:-PAD_BYTES]
        held = plain[-PAD_BYTES:]
    if not size or size % _BLOCK_BYTES:
        raise ProviderRejected("the attachment is cut off")
    try:
        rest = aes_cbc.without_pad(held + decryptor.finalize(), PAD_BYTES)
    except MalformedEvent:
        raise ProviderRejected("the attachment cannot be decrypted with this bot's key") from None
    if rest:
        yield rest


def media_key(text: str) -> bytes:
    """Return 32 bytes: from 64 hex digits, or 43 or 44 characters of base64; both were seen.

    Raises:
        ProviderRejected: Neither.
    """
    if _HEX_KEY.match(text):
        return bytes.fromhex(text)
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    if is_key_text(bare):
        try:
            return aes_key(bare)
        except binascii.Error:
            pass
    raise ProviderRejected("the attachment's key is no key")


def file_name_of(disposition: str) -> str:
    """Return the file name in a Content-Disposition, empty where there is none."""
    if found := _FILE_NAME_UTF8.search(disposition):
        return unquote(found[1])
    if found := _FILE_NAME.search(disposition):
        return unquote((found[1] or found[2]).strip()).encode("utf-8", "replace").decode()
    return ""


async def _failure(answer: Any) -> Any:
    """Return WeCom's refusal, None if this is a file: an error is JSON and names no file."""
    is_json = answer.content_type in ("application/json", "text/plain")
    if answer.status < 300 and not (is_json and "Content-Disposition" not in answer.headers):
        return None
    body = await answer.content.read(_ERROR_BYTES)
    return read(HttpAnswer(answer.status, answer.headers, body, safe=True))


def _describe(blob: BlobWriter, headers: Any) -> None:
    mime = headers.get("Content-Type", "").partition(";")[0].strip()
    if mime and mime != "application/octet-stream":
        blob.mime = mime
    if name := file_name_of(headers.get("Content-Disposition", "")):
        blob.name = name
