import hashlib
import io
import os
import random
import struct
import zipfile
from pathlib import Path

import pytest

from tests.unit.plugins.raw_zip import STORED, Archive, Raw, good_entries, good_zip
from wunder.errors import PackageRefused
from wunder.plugins.acceptance import discard
from wunder.plugins.package import open_package
from wunder.plugins.policy import PackageLimits
from wunder.plugins.refusals import WORDS, Reason

SMALL = PackageLimits(
    entries=20, packed_bytes=200_000, unpacked_bytes=300_000, ratio_from_bytes=50_000
)


def refused(tmp_path: Path, content: bytes, limits: PackageLimits = SMALL) -> PackageRefused:
    """Open and read everything; the refusal that must come."""
    path = tmp_path / "p.zip"
    path.write_bytes(content)
    with pytest.raises(PackageRefused) as caught, open_package(path, limits=limits) as package:
        package.unpack(discard)
    assert caught.value.reason in {reason.value for reason in Reason}
    assert caught.value.detail.isascii()
    return caught.value


def reason_of(tmp_path: Path, *entries: Raw) -> str:
    return refused(tmp_path, Archive([*good_entries(), *entries]).build()).reason


def test_a_good_package_gives_its_files_and_their_hashes(tmp_path: Path) -> None:
    content = good_zip(Raw("docs/"), Raw("docs/a.txt", b"hello", STORED))
    path = tmp_path / "p.zip"
    path.write_bytes(content)
    with open_package(path) as package:
        files = package.unpack(discard)
        assert package.sha256 == hashlib.sha256(content).hexdigest()
        assert files["docs/a.txt"] == hashlib.sha256(b"hello").hexdigest()
        assert set(files) == {"plugin.json", "app/plugin.py", "docs/a.txt"}


def test_what_zipfile_writes_is_taken(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("plugin.json", b"{}")
        archive.writestr("说明.md", "中文".encode())
        archive.mkdir("folder")
    path = tmp_path / "p.zip"
    path.write_bytes(buffer.getvalue())
    with open_package(path) as package:
        assert set(package.unpack(discard)) == {"plugin.json", "说明.md"}


def test_what_a_streaming_archiver_writes_is_taken(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.out = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.out += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("plugin.json", b"{}")
        archive.writestr("a.txt", b"text" * 100)
    path = tmp_path / "p.zip"
    path.write_bytes(bytes(pipe.out))
    with open_package(path) as package:
        assert set(package.unpack(discard)) == {"plugin.json", "a.txt"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil", Reason.NAME_TRAVERSAL),
        ("a/../../evil", Reason.NAME_TRAVERSAL),
        ("a/..", Reason.NAME_TRAVERSAL),
        ("..", Reason.NAME_TRAVERSAL),
        ("/etc/passwd", Reason.NAME_ABSOLUTE),
        ("//host/share", Reason.NAME_ABSOLUTE),
        ("a\\b", Reason.NAME_BACKSLASH),
        ("..\\evil", Reason.NAME_BACKSLASH),
        ("C:/evil", Reason.NAME_DRIVE),
        ("C:evil", Reason.NAME_DRIVE),
        ("a.txt:stream", Reason.NAME_DRIVE),
        ("a\0b", Reason.NAME_CONTROL),
        ("a\nb", Reason.NAME_CONTROL),
        ("a\x7fb", Reason.NAME_CONTROL),
        ("a\x85b", Reason.NAME_CONTROL),
        ("a\u202egpj.exe", Reason.NAME_CONTROL),
        ("a\u200bb", Reason.NAME_CONTROL),
        ("a\u2028b", Reason.NAME_CONTROL),
        ("a//b", Reason.NAME_EMPTY_PART),
        ("./a", Reason.NAME_EMPTY_PART),
        ("a/./b", Reason.NAME_EMPTY_PART),
        ("", Reason.NAME_EMPTY_PART),
        ("a.", Reason.NAME_TRAILING),
        ("a ", Reason.NAME_TRAILING),
        ("folder./a", Reason.NAME_TRAILING),
        ("...", Reason.NAME_TRAILING),
        ("a?b", Reason.NAME_NOT_PORTABLE),
        ("con", Reason.NAME_NOT_PORTABLE),
        ("docs/NUL.txt", Reason.NAME_NOT_PORTABLE),
        ("com1.tar.gz", Reason.NAME_NOT_PORTABLE),
        ("a" * 201, Reason.NAME_TOO_LONG),
        ("/".join(["abcdefgh"] * 80), Reason.NAME_TOO_LONG),
        ("app/x.pyc", Reason.PYTHON_HOOK),
        ("app/__pycache__/x", Reason.PYTHON_HOOK),
        ("app/__PyCache__/x", Reason.PYTHON_HOOK),
        ("app/x.pth", Reason.PYTHON_HOOK),
        ("app/X.PTH", Reason.PYTHON_HOOK),
        ("python311._pth", Reason.PYTHON_HOOK),
        ("app/sitecustomize.py", Reason.PYTHON_HOOK),
        ("app/SiteCustomize.cpython-311-x86_64-linux-gnu.so", Reason.PYTHON_HOOK),
        ("app/usercustomize/__init__.py", Reason.PYTHON_HOOK),
        ("app/\u017fitecustomize.py", Reason.PYTHON_HOOK),
    ],
)
def test_bad_names_are_refused_and_never_repaired(
    tmp_path: Path, name: str, reason: Reason
) -> None:
    error = refused(tmp_path, good_zip(Raw(name, b"x")))
    assert error.reason == reason.value
    assert WORDS[reason][1] in error.detail


def test_a_name_in_words_of_refusal_has_no_control_characters(tmp_path: Path) -> None:
    assert "\x1b" not in refused(tmp_path, good_zip(Raw("a\x1b[31mred", b""))).detail
    assert "\\x1b" in refused(tmp_path, good_zip(Raw("a\x1b[31mred", b""))).detail


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("a.txt", "a.txt", Reason.NAME_DUPLICATE),
        ("a", "a/", Reason.NAME_DUPLICATE),
        ("plugin.JSON", "b", Reason.NAME_COLLISION),
        ("README.md", "readme.MD", Reason.NAME_COLLISION),
        ("Docs/a", "docs/b", Reason.NAME_COLLISION),
        ("caf\u00e9", "cafe\u0301", Reason.NAME_COLLISION),
        ("stra\u00dfe", "STRASSE", Reason.NAME_COLLISION),
        ("\u212a.txt", "k.txt", Reason.NAME_COLLISION),
        ("ﬁle", "file", Reason.NAME_COLLISION),
        ("a", "a/b", Reason.NAME_COLLISION),
        ("a/b", "a", Reason.NAME_COLLISION),
    ],
)
def test_names_that_meet_on_some_file_system_are_refused(
    tmp_path: Path, first: str, second: str, reason: Reason
) -> None:
    assert reason_of(tmp_path, Raw(first, b"1"), Raw(second, b"2")) == reason.value


def test_a_second_plugin_json_is_refused_in_either_order(tmp_path: Path) -> None:
    good, app = good_entries()
    evil = Raw("plugin.json", b'{"plugin_id":"evil"}')
    for order in ([good, app, evil], [evil, app, good]):
        assert refused(tmp_path, Archive(order).build()).reason == "name_duplicate"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (Raw("l", b"/etc/passwd", attributes=0o120777 << 16), Reason.SPECIAL_FILE),
        (Raw("f", b"", attributes=0o010644 << 16), Reason.SPECIAL_FILE),
        (Raw("d", b"", attributes=0o060644 << 16), Reason.SPECIAL_FILE),
        (Raw("s", b"", attributes=0o140644 << 16), Reason.SPECIAL_FILE),
        (Raw("folder/", b"", attributes=0o120777 << 16), Reason.SPECIAL_FILE),
        (Raw("file", b"", attributes=0o040755 << 16), Reason.SPECIAL_FILE),
        (Raw("file", b"", attributes=0x10, made_by=0), Reason.SPECIAL_FILE),
        (Raw("junction", b"", attributes=0x400, made_by=0), Reason.SPECIAL_FILE),
        (Raw("l", b"x", attributes=0o120777 << 16, made_by=0), Reason.SPECIAL_FILE),
        (Raw("s", b"", attributes=0o104755 << 16), Reason.SETUID),
        (Raw("s", b"", attributes=0o102755 << 16), Reason.SETUID),
        (Raw("s", b"", attributes=0o101755 << 16), Reason.SETUID),
        (Raw("e", b"x", flags=0x1), Reason.ENCRYPTED),
        (Raw("e", b"x", flags=0x41), Reason.ENCRYPTED),
        (Raw("e", b"x", extra=struct.pack("<2H7s", 0x9901, 7, b"\2\0AE\3\0\0")), Reason.ENCRYPTED),
        (Raw("z", b"x", method=12, packed=b"x"), Reason.COMPRESSION),
        (Raw("z", b"x", method=93, packed=b"x"), Reason.COMPRESSION),
        (Raw("z", b"x", flags=0x2000), Reason.COMPRESSION),
        (Raw("z", b"x", extra=struct.pack("<2HQ", 1, 8, 1)), Reason.ZIP64),
        (Raw("z", b"x", local_extra=struct.pack("<2HQ", 1, 8, 1)), Reason.ZIP64),
        (Raw("z", b"x", central_sizes=(0, 1, 0xFFFFFFFF)), Reason.ZIP64),
        (Raw("u", b"x", extra=struct.pack("<2H6s", 0x7075, 6, b"\1aaaab")), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", extra=struct.pack("<2H", 0x5455, 9)), Reason.EXTRA_BYTES),
        (Raw("x", b"x", extra=b"\1"), Reason.EXTRA_BYTES),
        (Raw("x", b"x", extra=struct.pack("<2H", 0x4242, 300) + b"p" * 300), Reason.EXTRA_BYTES),
        (Raw("c", b"x", comment=b"hello"), Reason.COMMENT),
        (Raw("d", b"x", disk=1), Reason.SPLIT_ARCHIVE),
        (Raw("caf\u00e9", b"x", flags=0), Reason.NAME_ENCODING),
        (Raw(b"\xff\xfe", b"x", flags=0x800), Reason.NAME_ENCODING),
        (Raw("x", b"x", local_name=b"y"), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", local_name=b"../../x"), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", STORED, local_method=8), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", local_flags=0x1), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", local_sizes=(1, 1, 1)), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", local_sizes=(0, 0, 0)), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", flags=8, local_sizes=(0, 0, 0), descriptor=b"\0" * 12), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", flags=8, local_sizes=(0, 0, 0), descriptor=b""), Reason.HEADERS_DISAGREE),
        (Raw("x", b"x", flags=8, local_sizes=(0, 0, 0), descriptor=b"\0" * 40), Reason.EXTRA_BYTES),
        (Raw("x", b"x", gap_before=b"hidden"), Reason.EXTRA_BYTES),
        (Raw("x", b"x", descriptor=b"hidden"), Reason.EXTRA_BYTES),
        (Raw("x", b"x", header_at=0), Reason.ENTRY_OVERLAP),
        (Raw("x", b"xy", STORED, central_sizes=(0, 90, 90)), Reason.ENTRY_OVERLAP),
        (Raw("folder/", b"payload"), Reason.DAMAGED),
    ],
)  # fmt: skip
def test_entries_that_are_not_plain_files_are_refused(
    tmp_path: Path, raw: Raw, reason: Reason
) -> None:
    assert reason_of(tmp_path, raw) == reason.value


def wrong_crc(content: bytes) -> tuple[int, int, int]:
    return (1, len(content), len(content))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (Raw("x", b"abc", STORED, central_sizes=wrong_crc(b"abc"), local_sizes=wrong_crc(b"abc")), Reason.DAMAGED),
        (Raw("x", b"abcdef", STORED, central_sizes=(0, 6, 5), local_sizes=(0, 6, 5)), Reason.DAMAGED),
        (Raw("x", b"abcdef", STORED, central_sizes=(0, 6, 7), local_sizes=(0, 6, 7)), Reason.DAMAGED),
        (Raw("x", b"ab", packed=b"\xff\xff\xff", local_sizes=(0, 3, 2), central_sizes=(0, 3, 2)), Reason.DAMAGED),
        (Raw("x", b"", packed=b""), Reason.DAMAGED),
        (Raw("x", b"", packed=b"\x03\0trailing"), Reason.EXTRA_BYTES),
    ],
)  # fmt: skip
def test_content_that_is_other_than_announced_is_refused(
    tmp_path: Path, raw: Raw, reason: Reason
) -> None:
    assert reason_of(tmp_path, raw) == reason.value


def test_more_content_than_announced_is_stopped_while_unpacking(tmp_path: Path) -> None:
    liar = Raw("x", b"a" * 200_000)
    told = (0, len(liar.body()), 10)
    liar.central_sizes = liar.local_sizes = told
    seen = 0

    def count(name: str, chunks: object) -> None:
        nonlocal seen
        for chunk in chunks:  # type: ignore[attr-defined]
            seen += len(chunk)

    path = tmp_path / "p.zip"
    path.write_bytes(Archive([liar]).build())
    with open_package(path) as package, pytest.raises(PackageRefused, match="more content"):
        package.unpack(count)
    assert seen <= 10


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (Archive(good_entries(), prefix=b"#!/bin/sh\n"), Reason.EXTRA_BYTES),
        (Archive(good_entries(), prefix=b"MZ" * 50, offsets_know_prefix=False), Reason.EXTRA_BYTES),
        (Archive(good_entries(), suffix=b"tail"), Reason.EXTRA_BYTES),
        (Archive(good_entries(), comment=b"hi"), Reason.COMMENT),
        (Archive(good_entries(), before_directory=b"x"), Reason.EXTRA_BYTES),
        (Archive(good_entries(), before_end=b"x" * 20), Reason.EXTRA_BYTES),
        (Archive(good_entries(), in_directory=b"x" * 60), Reason.EXTRA_BYTES),
        (Archive(good_entries(), count=1), Reason.EXTRA_BYTES),
        (Archive(good_entries(), count=3), Reason.NOT_A_ZIP),
        (Archive(good_entries(), count=0xFFFF), Reason.ZIP64),
        (Archive(good_entries(), disk=1), Reason.SPLIT_ARCHIVE),
        (Archive(good_entries(), directory_at=0), Reason.EXTRA_BYTES),
        (Archive([Raw(f"f{n}") for n in range(21)]), Reason.TOO_MANY_ENTRIES),
        (Archive([Raw("big", random.Random(1).randbytes(150_000), STORED)] * 3), Reason.TOO_LARGE),
        (Archive([Raw(f"b{n}", b"ab" * 40_000) for n in range(5)]), Reason.UNPACKED_TOO_LARGE),
        (Archive([Raw("zeros", b"\0" * 150_000)]), Reason.RATIO),
        (Archive([Raw(f"z{n}", b"\0" * 49_000) for n in range(4)]), Reason.RATIO),
    ],
)  # fmt: skip
def test_archives_of_the_wrong_make_are_refused(
    tmp_path: Path, archive: Archive, reason: Reason
) -> None:
    assert refused(tmp_path, archive.build()).reason == reason.value


def test_a_zip64_locator_hidden_in_the_last_extra_field_is_refused(tmp_path: Path) -> None:
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    extra = struct.pack("<2H", 0x4242, len(locator)) + locator
    assert reason_of(tmp_path, Raw("x", b"x", extra=extra)) == "zip64"


def test_two_end_records_are_refused(tmp_path: Path) -> None:
    first = good_zip()
    second = Archive([Raw("plugin.json", b"{}")]).build()
    assert refused(tmp_path, first + second).reason == "extra_bytes"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
    assert refused(tmp_path, first + end).reason == "extra_bytes"


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip" * 50, b"\x1f\x8b" + b"0" * 100])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refused(tmp_path, content).reason == "not_a_zip"


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = good_zip()
    for length in range(0, len(whole), 7):
        refused(tmp_path, whole[:length])


def test_every_flipped_byte_is_refused_or_changes_a_hash_nobody_approved(tmp_path: Path) -> None:
    whole = good_zip()
    path = tmp_path / "p.zip"
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            with open_package(path) as package:
                package.unpack(discard)
                assert package.sha256 != hashlib.sha256(whole).hexdigest()
        except PackageRefused:
            pass


def test_the_package_is_read_from_a_private_copy(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    path.write_bytes(good_zip())
    with open_package(path) as package:
        before = package.unpack(discard)
        path.write_bytes(good_zip(Raw("evil", b"evil")))
        assert package.unpack(discard) == before


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)


def test_a_pipe_or_folder_is_no_package(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(PackageRefused) as caught:
            open_package(path)
        assert caught.value.reason == "not_a_zip"


@pytest.mark.parametrize("page", ["plugins.md", "plugins.zh-CN.md"])
def test_the_operators_pages_name_every_reason(page: str) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs/operate" / page).read_text("utf-8")
    assert [reason.value for reason in Reason if f"| `{reason.value}` |" not in text] == []
