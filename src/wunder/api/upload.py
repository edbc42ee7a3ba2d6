"""An uploaded file: multipart streamed to a file of our own, never kept in memory."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path

from litestar.exceptions import HTTPException
from multipart import (  # type: ignore[import-untyped]  # ships no types
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)

from wunder.api.admin_request import AdminRequest
from wunder.api.parts import ApiPolicy
from wunder.errors import FieldFault, Invalid, RequestRefused
from wunder.model.ids import new_id
from wunder.plugins.package import disk_trouble

FOLDER = "uploads"
FILE_FIELD = "file"
#: Room for the parts' headers and the text fields beside the file.
OVERHEAD_BYTES = 65_536
_TEXT_BYTES = 1_024
_WRITE_BYTES = 1_048_576


@dataclass
class Upload:
    """What a form held: where its file lies now, how it was called, and its text fields."""

    path: Path
    name: str = ""
    mime: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def received(request: AdminRequest) -> AsyncIterator[Upload]:
    """Stream the form's file into the data dir; it is deleted at the end of the block.

    Raises:
        RequestRefused: 413 too large, 408 no progress, 415 no multipart, 400 damaged.
        Invalid: there is no `file`.
        StoreFull, StoreUnavailable: it cannot be kept.
    """
    kind, options = request.content_type
    boundary = options.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        raise RequestRefused(415, "content_type")
    folder = request.parts.data_dir / FOLDER
    upload = Upload(folder / f"{new_id()}.zip")
    try:
        if not await _kept(request, boundary, upload):
            fault = FieldFault(f"/{FILE_FIELD}", "required", "the file to upload")
            raise Invalid("The form has no file.", [fault])
        yield upload
    finally:
        await asyncio.to_thread(upload.path.unlink, missing_ok=True)


async def _kept(request: AdminRequest, boundary: str, upload: Upload) -> bool:
    try:
        with await asyncio.to_thread(_create, upload.path) as target:
            return await _Reader(upload, target, request.parts.policy).read(request, boundary)
    except OSError as error:
        raise disk_trouble(error) from error


def sweep(data_dir: Path) -> None:
    """Delete what a crash left behind; nobody else uses the folder."""
    shutil.rmtree(data_dir / FOLDER, ignore_errors=True)


class _Reader:
    """Takes one form apart."""

    def __init__(self, upload: Upload, target: BufferedWriter, policy: ApiPolicy) -> None:
        self._upload = upload
        self._target = target
        self._policy = policy
        self._name: str | None = None
        self._text = b""
        self._pending = bytearray()
        self._has_file = False

    async def read(self, request: AdminRequest, boundary: str) -> bool:
        """Read to the end; True when there was a file."""
        policy = self._policy
        parser = PushMultipartParser(
            boundary, max_segment_size=policy.package_bytes, max_segment_count=8, strict=True
        )
        chunks = request.stream()
        try:
            with parser:
                while not parser.closed:
                    async with asyncio.timeout(policy.body_timeout_s):
                        chunk = await anext(chunks, b"")
                    for event in parser.parse(chunk):
                        await self._take(event)
        except TimeoutError:
            raise RequestRefused(408, "body_too_slow") from None
        except ParserLimitReached:
            raise RequestRefused(413, "body_too_large") from None
        except MultipartError:
            raise RequestRefused(400, "form_damaged") from None
        except HTTPException as error:
            if error.status_code == 413:
                raise
            raise RequestRefused(400, "body_cut_off") from None
        await self._write()
        return self._has_file

    async def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._name, self._text = event.name, b""
            if self._name == FILE_FIELD:
                if self._has_file:
                    raise RequestRefused(400, "two_files")
                self._has_file = True
                self._upload.name = (event.filename or "")[:_TEXT_BYTES]
                self._upload.mime = (event.content_type or "")[:_TEXT_BYTES]
        elif event is None:
            if self._name and self._name != FILE_FIELD:
                self._upload.fields[self._name] = self._text.decode("utf-8", "replace")
        elif self._name == FILE_FIELD:
            self._pending += event
            if len(self._pending) >= _WRITE_BYTES:
                await self._write()
        else:
            self._text += event
            if len(self._text) > _TEXT_BYTES:
                raise RequestRefused(413, "field_too_large")

    async def _write(self) -> None:
        pending, self._pending = bytes(self._pending), bytearray()
        await asyncio.to_thread(self._target.write, pending)


def _create(path: Path) -> BufferedWriter:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(opened, "wb")
