"""Zips built byte by byte: what zipfile would refuse to write, and what an attacker would."""

import json
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

STORED, DEFLATE = 0, 8
MANIFEST = {
    "plugin_id": "acme.echo",
    "name": "Echo",
    "version": "1.0.0",
    "api_version": 1,
    "runtime": "python>=3.11",
    "entry": {"any": "app"},
    "capabilities": {"webhook": True, "outbound": True},
    "permissions": {"network": ["api.example.com"], "filesystem": "none", "command": False},
}
PLUGIN = b"from wunder_sdk import Channel\n\n\nclass Echo(Channel):\n    pass\n"


@dataclass
class Raw:
    """One entry; every field can be made to lie."""

    name: str | bytes
    content: bytes = b""
    method: int = DEFLATE
    flags: int | None = None
    local_name: bytes | None = None
    local_flags: int | None = None
    local_method: int | None = None
    local_sizes: tuple[int, int, int] | None = None  # crc, packed, size
    central_sizes: tuple[int, int, int] | None = None
    packed: bytes | None = None
    attributes: int | None = None
    made_by: int = 3
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    disk: int = 0
    descriptor: bytes | None = None
    header_at: int | None = None
    gap_before: bytes = b""

    @property
    def raw_name(self) -> bytes:
        return (
            self.name
            if isinstance(self.name, bytes)
            else self.name.encode("utf-8", "surrogatepass")
        )

    @property
    def known_flags(self) -> int:
        if self.flags is not None:
            return self.flags
        return 0 if self.raw_name.isascii() else 0x800

    @property
    def known_attributes(self) -> int:
        if self.attributes is not None:
            return self.attributes
        return (0o040755 if self.raw_name.endswith(b"/") else 0o100644) << 16

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method == STORED:
            return self.content
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        return squeeze.compress(self.content) + squeeze.flush()

    def sizes(self) -> tuple[int, int, int]:
        return (zlib.crc32(self.content), len(self.body()), len(self.content))


@dataclass
class Archive:
    """Entries in order, and what may stand around them."""

    entries: list[Raw] = field(default_factory=list)
    prefix: bytes = b""
    before_directory: bytes = b""
    in_directory: bytes = b""
    before_end: bytes = b""
    suffix: bytes = b""
    comment: bytes = b""
    count: int | None = None
    offsets_know_prefix: bool = True
    directory_at: int | None = None
    disk: int = 0

    def build(self) -> bytes:
        out = bytearray(self.prefix)
        shift = 0 if self.offsets_know_prefix else len(self.prefix)
        directory = b""
        for one in self.entries:
            out += one.gap_before
            at = len(out) - shift if one.header_at is None else one.header_at
            out += _local(one)
            directory += _central(one, at)
        out += self.before_directory
        start = len(out) - shift if self.directory_at is None else self.directory_at
        directory += self.in_directory
        out += directory + self.before_end
        count = len(self.entries) if self.count is None else self.count
        out += struct.pack(
            "<4s4H2LH", b"PK\5\6", self.disk, self.disk, count & 0xFFFF, count & 0xFFFF,
            len(directory), start, len(self.comment),
        ) + self.comment  # fmt: skip
        return bytes(out + self.suffix)


def _local(one: Raw) -> bytes:
    name = one.raw_name if one.local_name is None else one.local_name
    flags = one.known_flags if one.local_flags is None else one.local_flags
    method = one.method if one.local_method is None else one.local_method
    crc, packed, size = one.sizes() if one.local_sizes is None else one.local_sizes
    head = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 33, crc, packed, size, len(name),
        len(one.local_extra),
    )  # fmt: skip
    return head + name + one.local_extra + one.body() + (one.descriptor or b"")


def _central(one: Raw, at: int) -> bytes:
    crc, packed, size = one.sizes() if one.central_sizes is None else one.central_sizes
    return (
        struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", one.made_by << 8 | 20, 20, one.known_flags, one.method, 0, 33,
            crc, packed, size, len(one.raw_name), len(one.extra), len(one.comment), one.disk, 0,
            one.known_attributes, at,
        )
        + one.raw_name + one.extra + one.comment
    )  # fmt: skip


def good_entries(**changed: Any) -> list[Raw]:
    """A package that is accepted; `changed` replaces fields of its manifest, `...` drops one."""
    manifest = {key: value for key, value in {**MANIFEST, **changed}.items() if value is not ...}
    return [
        Raw("plugin.json", json.dumps(manifest).encode()),
        Raw("app/plugin.py", PLUGIN),
    ]


def good_zip(*more: Raw, **changed: Any) -> bytes:
    """The bytes of an accepted package, with further entries."""
    return Archive([*good_entries(**changed), *more]).build()
