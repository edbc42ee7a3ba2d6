"""Text is read as a person reads it, and long text is cut where a person would."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wunder_channels.qqbot.splitting import TRUNCATED, choose_limit, pieces, take, truncate
from wunder_channels.qqbot.text import escape, to_plain, without_links

LIMIT = 100


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


# --- splitting --------------------------------------------------------------------------------------

PROSE = st.lists(
    st.sampled_from(
        ["你好", "word ", "句子。", "Ask? ", "\n", "\n\n", "👨‍👩‍👧", "e\u0301", "🇨🇳", "x" * 30]
    ),
    max_size=300,
).map("".join)
FENCED = st.lists(
    st.sampled_from(["text ", "句。", "\n\n", "\n```python\nprint(1)\nprint(2)\n```\n", "\n```\n" + "a" * 150 + "\n```\n",
                     "```", "`", "\n```js\n" + "line\n" * 40 + "```\n"]),
    max_size=40,
).map("".join)  # fmt: skip


def _letters(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=300, deadline=None)
@given(PROSE, st.integers(64, 300))
def test_pieces_of_prose_fit_and_lose_nothing(text: str, limit: int) -> None:
    text = text.strip()

    cut = pieces(text, limit)

    assert all(0 < len(one.text) <= limit for one in cut)
    assert all(one.text.strip() for one in cut)
    assert _letters("".join(one.text for one in cut)) == _letters(text)


@settings(max_examples=300, deadline=None)
@given(FENCED, st.integers(64, 300))
def test_every_piece_of_fenced_text_closes_what_it_opens(text: str, limit: int) -> None:
    text = text.strip()
    if text.count("```") % 2:
        text += "\n```"

    cut = pieces(text, limit)

    assert all(0 < len(one.text) <= limit for one in cut)
    assert all(one.text.count("```") % 2 == 0 for one in cut)
    shown = "".join(one.text for one in cut)
    assert all(shown.count(letter) >= text.count(letter) for letter in "1ae句")


def test_a_paragraph_ends_a_piece_before_a_line_and_a_line_before_a_sentence() -> None:
    paragraph = "a" * 60 + "\n\n" + "b" * 20 + "\n" + "c" * 10 + "。" + "d" * 40
    line = "a" * 60 + "。" + "b" * 10 + "\n" + "c" * 60
    sentence = "a" * 60 + "。" + "b c" * 30

    assert take(paragraph, 0, LIMIT).text == "a" * 60
    assert take(line, 0, LIMIT).text == "a" * 60 + "。" + "b" * 10
    assert take(sentence, 0, LIMIT).text == "a" * 60 + "。"


def test_a_fence_that_fits_one_piece_is_not_cut() -> None:
    code = "```python\n" + "print(1)\n" * 8 + "```"

    first, second = pieces("w " * 30 + "\n" + code, LIMIT)

    assert (first.text, second.text) == (("w " * 30).strip(), code)


def test_a_fence_longer_than_a_piece_is_closed_and_opened_again() -> None:
    code = "```python\n" + "print(1)\n" * 40 + "```"

    cut = [one.text for one in pieces(code, LIMIT)]

    assert all(one.startswith("```python\n") and one.endswith("\n```") for one in cut)
    assert sum(one.count("print(1)") for one in cut) == 40


@pytest.mark.parametrize("limit", range(64, 140))
def test_the_end_of_a_fence_is_not_sent_alone(limit: int) -> None:
    code = "```\n" + ("x" * 39 + "\n") * 6 + "```\n\nafter"

    assert all(one.text.replace("`", "").strip() for one in pieces(code, limit))


def test_a_huge_text_is_planned_quickly() -> None:
    text = ("```\n" + "line\n" * 50 + "```\n\n") * 2_000

    assert choose_limit(text, 4) == 4500


def test_no_family_and_no_accent_is_torn_apart() -> None:
    family = "👨‍👩‍👧"
    cut = pieces(family * 60, 64)

    assert all(one.text.count("👨") == one.text.count("👧") for one in cut)


@pytest.mark.parametrize(
    ("length", "limit"), [(100, 2000), (8000, 2000), (8001, 2500), (17_900, 4500), (90_000, 4500)]
)
def test_pieces_grow_only_when_replies_run_out(length: int, limit: int) -> None:
    assert choose_limit("x" * length, 4) == limit
    assert choose_limit("x" * length, None) == 2000


def test_what_does_not_fit_is_marked_as_cut() -> None:
    piece = truncate("x" * 500, 0, LIMIT)

    assert piece.text.endswith(TRUNCATED) and len(piece.text) <= LIMIT and piece.end == 500
