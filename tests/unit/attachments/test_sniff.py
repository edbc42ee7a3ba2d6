"""What a file is by its bytes, and how a name becomes harmless."""

import pytest

from wunder.attachments.sniff import SHOWABLE, media_type, safe_name, sniffed


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"#!AMR\n", "audio/amr"),
        (b"%PDF-1.7", "application/pdf"),
        (b"<svg xmlns=", ""),
        (b"<!DOCTYPE html>", ""),
        (b"", ""),
    ],
)
def test_bytes_say_what_they_are(head, mime):
    assert sniffed(head) == mime


def test_a_claim_counts_only_where_bytes_do_not_speak():
    assert media_type(b"%PDF-", "image/png") == "application/pdf"
    assert media_type(b"hello", "text/plain; charset=utf-8") == "text/plain"
    assert media_type(b"PK\x03\x04", "application/vnd.ms-excel") == "application/vnd.ms-excel"
    assert media_type(b"PK\x03\x04", "text/html") == "application/zip"


@pytest.mark.parametrize(
    "claim", [*sorted(SHOWABLE), "IMAGE/PNG; x=1", "a b/c", "x\r\n/y", "a/b/c", "é/x"]
)
def test_a_claim_never_makes_something_showable(claim):
    assert media_type(b"<script>", claim) == ""


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.doc", "y.doc"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ("..", ""),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("报告.docx", "报告.docx"),
    ],
)
def test_a_name_is_for_people_only(given, shown):
    assert safe_name(given) == shown
