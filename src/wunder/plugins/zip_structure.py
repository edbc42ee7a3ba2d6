"""A zip's structure, read strictly: every byte belongs to exactly one thing, told one way."""

import os
import stat
import struct
from dataclasses import dataclass
from typing import BinaryIO

from wunder.plugins.policy import PackageLimits
from wunder.plugins.refusals import Reason, refusal

STORED, DEFLATE = 0, 8
#: Bits that may be set: 1-2 deflate's effort, 3 sizes follow the content, 11 the name is UTF-8.
_FLAG_ENCRYPTED, _FLAG_SIZES_FOLLOW, _FLAG_STRONG, _FLAG_UTF8 = 0x1, 0x8, 0x40, 0x800
_FLAGS_KNOWN = 0x0006 | _FLAG_SIZES_FOLLOW | _FLAG_UTF8
#: Extra fields that give an entry other sizes, another name or a cipher.
_EXTRA_ZIP64 = 0x0001
_EXTRAS_REFUSED = {
    0x6375: Reason.COMMENT,
    0x7075: Reason.HEADERS_DISAGREE,
    0x9901: Reason.ENCRYPTED,
    0x0017: Reason.ENCRYPTED,
    0x0014: Reason.ENCRYPTED,
}
_DOS_FOLDER, _DOS_REPARSE = 0x10, 0x400
#: `create_system` of archivers that keep Unix modes in the upper half of the attributes.
_MODE_SHIFT = 16

#: What archivers note there (times, owners) is below 64 bytes; more could hide a payload.
_EXTRA_BYTES = 256

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")
_END_MARK, _CENTRAL_MARK, _LOCAL_MARK = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_FOLLOWING_MARK, _ZIP64_LOCATOR_MARK, _ZIP64_LOCATOR_BYTES = b"PK\x07\x08", b"PK\x06\x07", 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where its packed bytes lie, and what they must unpack to."""

    name: str
    method: int
    crc32: int
    packed_bytes: int
    size_bytes: int
    content_at: int

    @property
    def is_folder(self) -> bool:
        """True for an entry that only names a folder."""
        return self.name.endswith("/")


@dataclass(frozen=True, slots=True)
class _Central:
    raw_name: bytes
    flags: int
    method: int
    crc32: int
    packed_bytes: int
    size_bytes: int
    header_at: int


def read_structure(file: BinaryIO, limits: PackageLimits) -> tuple[Entry, ...]:
    """Return the entries of a zip in the order of its directory.

    Names are decoded but not judged; content is not read.

    Raises: PackageRefused.
    """
    end_at, count, directory_at = _read_end(file)
    if count > limits.entries:
        raise refusal(Reason.TOO_MANY_ENTRIES, what=f"{count} entries")
    file.seek(directory_at)
    central = _read_directory(file.read(end_at - directory_at), count)
    by_place = sorted(central, key=lambda one: one.header_at)
    places: dict[int, int] = {}
    expected_at = 0
    for position, one in enumerate(by_place):
        is_last = position + 1 == len(by_place)
        next_at = directory_at if is_last else by_place[position + 1].header_at
        if one.header_at != expected_at:
            reason = Reason.ENTRY_OVERLAP if one.header_at < expected_at else Reason.EXTRA_BYTES
            raise refusal(reason, one.raw_name)
        places[one.header_at] = _read_local(file, one, next_at)
        expected_at = next_at
    if expected_at != directory_at:
        raise refusal(Reason.EXTRA_BYTES, what="before the directory")
    return tuple(_entry(one, places[one.header_at]) for one in central)


def _read_end(file: BinaryIO) -> tuple[int, int, int]:
    """Where the end record is, how many entries there are, where the directory begins."""
    size = file.seek(0, os.SEEK_END)
    end_at = size - _END.size
    if end_at < 0:
        raise refusal(Reason.NOT_A_ZIP)
    file.seek(max(0, end_at - _ZIP64_LOCATOR_BYTES))
    tail = file.read()
    mark, disk, first_disk, here, count, length, start, comment = _END.unpack(tail[-_END.size :])
    if mark != _END_MARK:
        raise refusal(*_no_end_record(file, size))
    if comment:
        raise refusal(Reason.COMMENT)
    if disk or first_disk or here != count:
        raise refusal(Reason.SPLIT_ARCHIVE)
    has_locator = tail[: -_END.size].startswith(_ZIP64_LOCATOR_MARK)
    if has_locator or count == 0xFFFF or 0xFFFFFFFF in (length, start):
        raise refusal(Reason.ZIP64)
    if start + length != end_at:
        raise refusal(Reason.EXTRA_BYTES, what="around the directory")
    return end_at, count, start


def _no_end_record(file: BinaryIO, size: int) -> tuple[Reason]:
    """Tell a zip with something behind it from what is no zip at all."""
    file.seek(max(0, size - _END.size - 0xFFFF))
    tail = file.read()
    found = tail.rfind(_END_MARK)
    if found == -1 or found + _END.size > len(tail):
        return (Reason.NOT_A_ZIP,)
    comment_bytes = _END.unpack_from(tail, found)[-1]
    ends_here = found + _END.size + comment_bytes == len(tail)
    return (Reason.COMMENT if ends_here else Reason.EXTRA_BYTES,)


def _read_directory(directory: bytes, count: int) -> list[_Central]:
    found: list[_Central] = []
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(directory):
            raise refusal(Reason.NOT_A_ZIP, what="the directory is cut short")
        central, at = _read_central(directory, at)
        found.append(central)
    if at != len(directory):
        raise refusal(Reason.EXTRA_BYTES, what="in the directory")
    return found


def _read_central(directory: bytes, at: int) -> tuple[_Central, int]:
    (
        mark, made_by, _needs, flags, method, _time, _date, crc32, packed, size,
        name_len, extra_len, comment_len, disk, _internal, attributes, header_at,
    ) = _CENTRAL.unpack_from(directory, at)  # fmt: skip
    if mark != _CENTRAL_MARK:
        raise refusal(Reason.NOT_A_ZIP, what="the directory is damaged")
    name_at = at + _CENTRAL.size
    extra_at = name_at + name_len
    end = extra_at + extra_len + comment_len
    if end > len(directory):
        raise refusal(Reason.NOT_A_ZIP, what="the directory is cut short")
    name = directory[name_at:extra_at]
    if comment_len:
        raise refusal(Reason.COMMENT, name)
    if disk:
        raise refusal(Reason.SPLIT_ARCHIVE, name)
    if 0xFFFFFFFF in (packed, size, header_at):
        raise refusal(Reason.ZIP64, name)
    _require_known_flags(flags, method, name)
    _require_plain_extra(directory[extra_at : extra_at + extra_len], name)
    _require_plain_kind(attributes, made_by >> 8, name)
    return _Central(name, flags, method, crc32, packed, size, header_at), end


def _require_known_flags(flags: int, method: int, name: bytes) -> None:
    if flags & (_FLAG_ENCRYPTED | _FLAG_STRONG):
        raise refusal(Reason.ENCRYPTED, name)
    if method not in (STORED, DEFLATE) or flags & ~_FLAGS_KNOWN:
        raise refusal(Reason.COMPRESSION, name)


def _require_plain_extra(extra: bytes, name: bytes) -> None:
    if len(extra) > _EXTRA_BYTES:
        raise refusal(Reason.EXTRA_BYTES, name, "its extra field is too large")
    at = 0
    while at < len(extra):
        if at + _EXTRA.size > len(extra):
            raise refusal(Reason.EXTRA_BYTES, name, "its extra field is damaged")
        kind, length = _EXTRA.unpack_from(extra, at)
        if kind == _EXTRA_ZIP64:
            raise refusal(Reason.ZIP64, name)
        if kind in _EXTRAS_REFUSED:
            raise refusal(_EXTRAS_REFUSED[kind], name)
        at += _EXTRA.size + length
        if at > len(extra):
            raise refusal(Reason.EXTRA_BYTES, name, "its extra field is damaged")


def _require_plain_kind(attributes: int, made_on: int, name: bytes) -> None:
    """Only files and folders, and a folder is one in name and attributes alike."""
    mode = attributes >> _MODE_SHIFT
    kind = stat.S_IFMT(mode)
    is_folder = name.endswith(b"/")
    if mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        raise refusal(Reason.SETUID, name)
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
        raise refusal(Reason.SPECIAL_FILE, name)
    is_dos = made_on in (0, 10, 11)
    if is_dos and attributes & _DOS_REPARSE:
        raise refusal(Reason.SPECIAL_FILE, name)
    if attributes & _DOS_FOLDER and not is_folder:
        raise refusal(Reason.SPECIAL_FILE, name, "a folder whose name says file")


def _read_local(file: BinaryIO, central: _Central, next_at: int) -> int:
    """Check an entry's local header against the directory; where its content begins."""
    name = central.raw_name
    if central.header_at + _LOCAL.size > next_at:
        raise refusal(Reason.ENTRY_OVERLAP, name)
    file.seek(central.header_at)
    head = file.read(_LOCAL.size)
    (
        mark, _needs, flags, method, _time, _date, crc32, packed, size, name_len, extra_len,
    ) = _LOCAL.unpack(head)  # fmt: skip
    if mark != _LOCAL_MARK:
        raise refusal(Reason.NOT_A_ZIP, name, "no local header")
    content_at: int = central.header_at + _LOCAL.size + name_len + extra_len
    if content_at + central.packed_bytes > next_at:
        raise refusal(Reason.ENTRY_OVERLAP, name)
    named = file.read(name_len)
    _require_plain_extra(file.read(extra_len), name)
    told = (crc32, packed, size)
    known = (central.crc32, central.packed_bytes, central.size_bytes)
    may_be_zero = bool(flags & _FLAG_SIZES_FOLLOW)
    if (named, flags, method) != (name, central.flags, central.method) or not (
        told == known or (may_be_zero and told == (0, 0, 0))
    ):
        raise refusal(Reason.HEADERS_DISAGREE, name)
    _require_following(file, central, content_at + central.packed_bytes, next_at)
    return content_at


def _require_following(file: BinaryIO, central: _Central, at: int, next_at: int) -> None:
    """Between content and next header: nothing, or the sizes where the flag announces them."""
    length = next_at - at
    if not central.flags & _FLAG_SIZES_FOLLOW:
        if length:
            raise refusal(Reason.EXTRA_BYTES, central.raw_name)
        return
    file.seek(at)
    told = file.read(min(length, 16))
    sizes = struct.pack("<3L", central.crc32, central.packed_bytes, central.size_bytes)
    if length > 16:
        raise refusal(Reason.EXTRA_BYTES, central.raw_name)
    if told not in (sizes, _FOLLOWING_MARK + sizes):
        raise refusal(Reason.HEADERS_DISAGREE, central.raw_name)


def _entry(central: _Central, content_at: int) -> Entry:
    return Entry(
        name=_decoded(central.raw_name, central.flags),
        method=central.method,
        crc32=central.crc32,
        packed_bytes=central.packed_bytes,
        size_bytes=central.size_bytes,
        content_at=content_at,
    )


def _decoded(raw: bytes, flags: int) -> str:
    """Without the UTF-8 flag only ASCII is the same text for every reader."""
    try:
        return raw.decode("utf-8" if flags & _FLAG_UTF8 else "ascii")
    except UnicodeDecodeError:
        raise refusal(Reason.NAME_ENCODING, raw) from None
