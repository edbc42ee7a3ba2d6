"""Text is read as a person reads it, and long text is cut where a person would."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wunder_channels.qqbot.length import choose_limit
from wunder_channels.qqbot.text import escape, to_plain, without_links


def _face(name: str) -> str:
    ext = base64.b64encode(json.dumps({"text": name}).encode()).decode()
    return f'<faceType=1,faceId="14",ext="{ext}">'


@pytest.mark.parametrize(
    ("content", "plain"),
    [
        (f"早{_face('微笑')}", "早[表情:微笑]"),
        (f"{_face('/微笑')}", "[表情:微笑]"),
        ('<faceType=1,faceId="14",ext="%%%">', "[表情:14]"),
        ('<faceType=1,faceId="14">', "[表情:14]"),
        ("a &lt;b&gt; &amp;amp; &nbsp;", "a <b> &amp; &nbsp;"),
        ("&lt;@!1&gt;", "<@!1>"),
        ("\xa0 /weather \n", "/weather"),
        ("<@!9> hi", "@9 hi"),
        ("1 < 2 > 0", "1 < 2 > 0"),
    ],
)
def test_markup_becomes_words(content: str, plain: str) -> None:
    assert to_plain(content, {}, frozenset()) == plain


@settings(deadline=None)
@given(st.text(max_size=200))
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    assert to_plain(escape(text), {}, frozenset()) == text.strip()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("see https://a.b/c?d=1 now", "see [链接] now"),
        ("www.example.com/x）好", "[链接]）好"),
        ("example.com", "[链接]"),
        ("file.py and 3.14 and a.b", "file.py and 3.14 and a.b"),
    ],
)
def test_links_are_taken_out(text: str, left: str) -> None:
    assert without_links(text) == left


# --- length -----------------------------------------------------------------------------------------


def test_a_huge_text_is_planned_quickly() -> None:
    text = ("```\n" + "line\n" * 50 + "```\n\n") * 2_000

    assert choose_limit(text, 4) == 4500


@pytest.mark.parametrize(
    ("length", "limit"), [(100, 2000), (8000, 2000), (8001, 2500), (17_900, 4500), (90_000, 4500)]
)
def test_pieces_grow_only_when_replies_run_out(length: int, limit: int) -> None:
    assert choose_limit("x" * length, 4) == limit
    assert choose_limit("x" * length, None) == 2000
