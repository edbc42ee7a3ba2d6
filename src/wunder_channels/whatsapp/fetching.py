"""Fetch what a person sent: ask Meta where it is, read it with our token, check that it is whole."""

import hashlib
import hmac
import re
from urllib.parse import quote, urlsplit

from wunder_channels.whatsapp.api import GraphApi
from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_channels.whatsapp.provider_errors import PlatformAnswer, error_for, refusal_of
from wunder_sdk import (
    Account,
    Attachment,
    AuthFailed,
    BlobWriter,
    ProviderRejected,
    ProviderUnavailable,
)
from wunder_sdk.loose_json import string

#: Read at once from Meta (choice).
_CHUNK_BYTES = 256 * 1024
#: Hosts of Meta's that serve media; the token goes to no other (seen 2026: lookaside.fbsbx.com).
_MEDIA_HOSTS = (".fbsbx.com", ".facebook.com", ".fbcdn.net", ".whatsapp.net")
_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}\Z")


async def fetch(account: Account[WhatsAppConfig], attachment: Attachment, blob: BlobWriter) -> None:
    """Write the bytes of an attachment into `blob`.

    Raises:
        ProviderRejected: Gone (media of webhooks live 7 days), or not what Meta announced.
        ProviderUnavailable: Not now; it may simply be tried again.

    Source: Meta, Cloud API, Media, Retrieve and download media (read 2026-07).
    """
    if not attachment.media_id:
        raise ProviderRejected("this attachment has no media id")
    api = GraphApi(account)
    number = {"phone_number_id": account.config.phone_number_id}
    found = await api.get(quote(attachment.media_id, safe=""), number)
    refusal = refusal_of(found)
    if refusal is not None:
        raise error_for(refusal, found, 1)
    url = string(found.document, "url")
    _require_metas(account.config, url)
    blob.mime = string(found.document, "mime_type") or attachment.mime
    blob.name = attachment.name
    await _read(account, url, api.headers, blob, _announced(found))


def _announced(found: PlatformAnswer) -> str:
    """Return the hash that Meta announces, in lower case, "" where it announces none."""
    digest = string(found.document, "sha256")
    return digest.lower() if _SHA256_HEX.match(digest) else ""


def _require_metas(config: WhatsAppConfig, url: str) -> None:
    """Refuse an address that the token must not go to."""
    try:
        media, base = urlsplit(url), urlsplit(config.api_base)
        host, port = media.hostname or "", media.port
        is_base = (media.scheme, host, port) == (base.scheme, base.hostname, base.port)
    except ValueError:
        host, is_base = "", False
    if not is_base and not (url.startswith("https://") and ("." + host).endswith(_MEDIA_HOSTS)):
        raise ProviderRejected("WhatsApp named an address for the media that is not Meta's")


async def _read(
    account: Account[WhatsAppConfig],
    url: str,
    headers: dict[str, str],
    blob: BlobWriter,
    announced: str,
) -> None:
    hashed = hashlib.sha256()
    async with account.http.download(url, headers=headers) as answer:
        _require_bytes(answer.status, answer.headers.get("Content-Type", ""))
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            hashed.update(chunk)
            await blob.write(chunk)
    if announced and not hmac.compare_digest(hashed.hexdigest(), announced):
        raise ProviderUnavailable("the media is not what WhatsApp announced: its SHA-256 differs")


def _require_bytes(status: int, content_type: str) -> None:
    """Refuse an answer that is no media: without a good token Meta answers 401 or a web page."""
    if status in (401, 403):
        raise AuthFailed("WhatsApp refused the token for this media", http_status=status)
    if status in (404, 410):
        raise ProviderRejected("the media is no longer there", http_status=status)
    if status != 200 or content_type.lower().startswith("text/html"):
        raise ProviderUnavailable(f"no media but HTTP {status}", http_status=status)
