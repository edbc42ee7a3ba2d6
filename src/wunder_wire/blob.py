"""Bytes of attachments on the wire: a plugin writes what it fetched and reads what it sends."""

from wunder_wire.record import dataclass

#: Bytes of one `host.blob.write` or answer of `host.blob.read`, before base64 (spec: protocol 1).
MAX_CHUNK_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class FetchResult:
    """`channel.fetch_attachment`: what was written; the host compares size and hash with its own."""

    size: int
    sha256: str
    mime: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class BlobWrite:
    """`host.blob.write`: at most 256 KiB, in order, without gaps; `eof` goes with the last piece."""

    transfer_id: str
    offset: int
    data_b64: str
    eof: bool = False


@dataclass(frozen=True, slots=True)
class BlobRead:
    """`host.blob.read`: `limit` bytes from `offset`, at most 256 KiB."""

    blob_id: str
    offset: int = 0
    limit: int = MAX_CHUNK_BYTES


@dataclass(frozen=True, slots=True)
class BlobChunk:
    """`host.blob.read`: `eof` says that nothing follows this piece."""

    data_b64: str
    eof: bool = False
