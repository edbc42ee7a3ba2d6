"""Files on disk: only ids of ours become paths, and what is half written is forgotten."""

import os

import pytest

from wunder.attachments.files import BlobFiles
from wunder.errors import NotFound

BLOB = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def files(tmp_path):
    made = BlobFiles(tmp_path)
    made.prepare()
    return made


@pytest.mark.parametrize(
    "name",
    ["", "..", "../x", "/etc/passwd", BLOB + "/", BLOB[:-1], BLOB.upper(), BLOB + "\n", "x" * 32],
)
def test_nothing_but_an_id_is_a_path(files, name):
    for act in (files.path, files.remove, lambda one: files.read(one, 0, 1)):
        with pytest.raises(NotFound):
            act(name)


def test_a_kept_file_is_read_in_pieces_and_private(files, tmp_path):
    descriptor = files.begin("t")
    os.write(descriptor, b"hello")
    files.keep(descriptor, "t", BLOB)

    assert files.read(BLOB, 1, 3) == b"ell"
    assert files.read(BLOB, 5, 3) == b""
    place = tmp_path / "attachments" / BLOB[-2:] / BLOB
    assert place.stat().st_mode & 0o777 == 0o600


def test_a_dropped_or_unfinished_file_leaves_nothing(files, tmp_path):
    files.drop(files.begin("t"), "t")
    files.begin("u")

    files.prepare()
    assert list((tmp_path / "attachments" / "incoming").iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_not_followed(files, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    place = files.path(BLOB)
    place.parent.mkdir()
    place.symlink_to(secret)

    with pytest.raises(OSError, match="symbolic"):
        files.read(BLOB, 0, 10)
