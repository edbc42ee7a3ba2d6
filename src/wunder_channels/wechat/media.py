"""Bytes of pictures, voices, films and files: out as an upload, in as a download."""

import re
import secrets
from dataclasses import dataclass
from typing import Literal

from wunder_sdk import ProviderRejected, TooLarge

MediaType = Literal["image", "voice", "video", "file"]

_MIB = 1_048_576
#: Bytes of an upload by type (WeCom docs 90253, 上传临时素材): more than 5, at most these.
LEAST_BYTES = 6
MOST_BYTES: dict[MediaType, int] = {
    "image": 10 * _MIB, "voice": 2 * _MIB, "video": 10 * _MIB, "file": 20 * _MIB,
}  # fmt: skip
_FORBIDDEN_IN_NAME = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|]')
_NAME_MAX = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A form that holds one file, as WeCom takes it."""

    kind: MediaType
    body: bytes
    content_type: str


def media_type(wanted: str, content: bytes) -> MediaType:
    """Return how WeCom takes these bytes: as what they claim to be where it accepts them, else a file.

    Args:
        wanted: The attachment's kind: image, audio, video or file.
        content: The bytes; what they begin with counts, not what somebody called them.

    Source: WeCom docs 90253: JPG and PNG, AMR, MP4.
    """
    found: MediaType = "file"
    if wanted == "image" and content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        found = "image"
    elif wanted == "audio" and content.startswith(b"#!AMR"):
        found = "voice"
    elif wanted == "video" and content[4:8] == b"ftyp":
        found = "video"
    return found if len(content) <= MOST_BYTES[found] else "file"


def new_upload(wanted: str, name: str | None, content: bytes) -> Upload:
    """Return the form to post.

    Raises:
        ProviderRejected: Fewer than six bytes.
        TooLarge: More than 20 MB.
    """
    if len(content) < LEAST_BYTES:
        raise ProviderRejected("WeCom takes no file of less than 6 bytes")
    if len(content) > MOST_BYTES["file"]:
        raise TooLarge("WeCom takes no file of more than 20 MB")
    kind = media_type(wanted, content)
    boundary = secrets.token_hex(16)
    disposition = (
        f'form-data; name="media"; filename="{file_name(name, kind)}"; filelength={len(content)}'
    )
    head = (
        f"--{boundary}\r\nContent-Disposition: {disposition}\r\n"
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode("utf-8", "replace") + content + f"\r\n--{boundary}--\r\n".encode()
    return Upload(kind, body, f"multipart/form-data; boundary={boundary}")


def file_name(name: str | None, kind: MediaType) -> str:
    """Return a file name that breaks neither the form nor a member's disk."""
    safe = _FORBIDDEN_IN_NAME.sub("_", name or "").strip(" .")[-_NAME_MAX:]
    ending = {"image": "png", "voice": "amr", "video": "mp4", "file": "bin"}[kind]
    return safe or f"{kind}.{ending}"
