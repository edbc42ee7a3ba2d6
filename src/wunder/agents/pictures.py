"""Pictures for models that see: read from the attachment store, carried in the request itself.

An endpoint may stand where our signed links do not lead, so the bytes go along.
"""

import base64
from typing import Any

from wunder.model.message import Attachment
from wunder.ports import Media

#: What OpenAI's and compatible endpoints take (platform.openai.com/docs/guides/images, read 2026-11).
MIMES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
#: Choices: bounded requests; a larger picture is named only.
MAX_PICTURES = 4
MAX_BYTES = 5 * 1_048_576


async def parts_of(attachments: tuple[Attachment, ...], media: Media) -> list[dict[str, Any]]:
    """Return the stored pictures as parts of a message."""
    parts: list[dict[str, Any]] = []
    for one in attachments:
        if len(parts) == MAX_PICTURES:
            break
        if one.kind != "image" or one.mime not in MIMES or not one.blob_id:
            continue
        content = await media.content(one.blob_id, MAX_BYTES)
        if content is None:
            continue
        url = f"data:{one.mime};base64,{base64.b64encode(content).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return parts
