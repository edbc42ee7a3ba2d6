"""Long text is cut where a person would, by characters or by bytes, and nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wunder_sdk.splitting import CHARACTERS, PLAIN_BYTES, Style, pieces, take, truncate, utf8_size

LIMIT = 100
FENCED_BYTES = Style(in_bytes=True)
BARE_FENCES = Style(repeats_language=False)
STYLES = [CHARACTERS, BARE_FENCES, PLAIN_BYTES, FENCED_BYTES]
FAMILY = "👨\u200d👩\u200d👧"

PROSE = st.lists(
    st.sampled_from(
        ["你好", "word ", "句子。", "Ask? ", "\n", "\n\n", FAMILY, "e\u0301", "🇨🇳", "x" * 30]
    ),
    max_size=300,
).map(lambda words: "".join(words).strip())
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=600).map(str.strip)
FENCED = st.lists(
    st.sampled_from(
        [
            *("text ", "句。", "\n\n", "\n```python\nprint(1)\nprint(2)\n```\n", "```", "`"),
            *("\n```\n" + "a" * 150 + "\n```\n", "\n```js\n" + "line\n" * 40 + "```\n"),
            "\n```\n\n\n" + " " * 90 + "b\n```",
        ]
    ),
    max_size=40,
).map(lambda words: "".join(words).strip())


def _size(text: str, style: Style) -> int:
    return utf8_size(text) if style.in_bytes else len(text)


def _letters(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=200, deadline=None)
@given(text=PROSE, limit=st.integers(64, 300))
def test_pieces_of_prose_fit_and_lose_nothing_but_white_space(
    style: Style, text: str, limit: int
) -> None:
    cut = pieces(text, limit, style)

    assert all(0 < _size(one.text, style) <= limit and one.text.strip() for one in cut)
    assert _letters("".join(one.text for one in cut)) == _letters(text)
    ends = [one.end for one in cut]
    assert ends == sorted(set(ends)) and (not ends or ends[-1] == len(text))


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT, limit=st.integers(64, 300))
def test_any_text_fits_by_bytes(text: str, limit: int) -> None:
    cut = [one.text for one in pieces(text, limit, PLAIN_BYTES)]

    assert all(0 < utf8_size(one) <= limit for one in cut)
    assert _letters("".join(cut)) == _letters(text)


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=100, deadline=None)
@given(text=PROSE | FENCED, limit=st.integers(64, 200))
def test_a_piece_depends_on_where_it_begins_and_on_nothing_else(
    style: Style, text: str, limit: int
) -> None:
    at = 0
    for piece in pieces(text, limit, style):
        assert take(text, at, limit, style) == piece
        at = piece.end


@pytest.mark.parametrize("style", [CHARACTERS, BARE_FENCES, FENCED_BYTES])
@settings(max_examples=200, deadline=None)
@given(text=FENCED, limit=st.integers(64, 300))
def test_every_piece_of_fenced_text_closes_what_it_opens(
    style: Style, text: str, limit: int
) -> None:
    if text.count("```") % 2:
        text += "\n```"

    cut = pieces(text, limit, style)

    assert all(0 < _size(one.text, style) <= limit for one in cut)
    assert all(one.text.count("```") % 2 == 0 for one in cut)
    shown = "".join(one.text for one in cut)
    assert all(shown.count(letter) >= text.count(letter) for letter in "1ae句b")
    if not style.repeats_language:
        assert all(shown.count(letter) == text.count(letter) for letter in "1ae句b")


@pytest.mark.parametrize("style", STYLES)
def test_a_paragraph_ends_a_piece_before_a_line_and_a_line_before_a_sentence(style: Style) -> None:
    paragraph = "a" * 60 + "\n\n" + "b" * 20 + "\n" + "c" * 10 + "。" + "d" * 40
    line = "a" * 60 + "。" + "b" * 10 + "\n" + "c" * 60
    sentence = "a" * 60 + "。" + "b c" * 30

    assert take(paragraph, 0, LIMIT, style).text == "a" * 60
    assert take(line, 0, LIMIT, style).text == "a" * 60 + "。" + "b" * 10
    assert take(sentence, 0, LIMIT, style).text == "a" * 60 + "。"


@pytest.mark.parametrize(
    ("text", "first"),
    [("a" * 40 + ". " + "b" * 40, "a" * 40 + "."), ("a" * 40 + " " + "b" * 40, "a" * 40),
     ("a" * 90, "a" * 64), ("企" * 40, "企" * 21), ("😀" * 40, "😀" * 16)],
)  # fmt: skip
def test_bytes_are_counted_and_no_character_is_torn(text: str, first: str) -> None:
    assert pieces(text, 64, PLAIN_BYTES)[0].text == first


def test_a_fence_that_fits_one_piece_is_not_cut() -> None:
    code = "```python\n" + "print(1)\n" * 8 + "```"

    first, second = pieces("w " * 30 + "\n" + code, LIMIT)

    assert (first.text, second.text) == (("w " * 30).strip(), code)


@pytest.mark.parametrize(
    ("style", "opening"), [(CHARACTERS, "```python\n"), (FENCED_BYTES, "```python\n")]
)
def test_a_fence_longer_than_a_piece_is_closed_and_opened_again(style: Style, opening: str) -> None:
    code = "```python\n" + "print(1)\n" * 40 + "```"

    cut = [one.text for one in pieces(code, LIMIT, style)]

    assert all(one.startswith(opening) and one.endswith("\n```") for one in cut)
    assert sum(one.count("print(1)") for one in cut) == 40


def test_a_language_that_would_be_shown_is_not_repeated() -> None:
    first, second, *_ = pieces("```python\n" + "print(1)\n" * 40 + "```", LIMIT, BARE_FENCES)

    assert first.text.startswith("```python\n") and second.text.startswith("```\n")


@pytest.mark.parametrize("limit", range(64, 140))
def test_the_end_of_a_fence_is_not_sent_alone(limit: int) -> None:
    code = "```\n" + ("x" * 39 + "\n") * 6 + "```\n\nafter"

    assert all(one.text.replace("`", "").strip() for one in pieces(code, limit))


def test_where_no_fences_are_shown_they_are_text_like_any_other() -> None:
    code = "```\n" + "line\n" * 40 + "```"

    cut = [one.text for one in pieces(code, LIMIT, PLAIN_BYTES)]

    assert "\n".join(cut) == code


@pytest.mark.parametrize("style", STYLES)
def test_what_looks_like_one_character_stays_whole(style: Style) -> None:
    cut = pieces(FAMILY * 60, 64, style)

    assert all(one.text == FAMILY * one.text.count("👨") for one in cut)
    assert pieces("a" * 60 + "🇨🇳" + "b" * 60, 61, style)[0].text == "a" * 60
    assert pieces("a" * 63 + "e\u0301" + "b" * 60, 64, style)[0].text == "a" * 63


def test_half_characters_are_counted_and_cut_like_others() -> None:
    assert utf8_size("\ud83d") == 1
    assert all(len(one.text) <= 64 for one in pieces("\ud83d" * 200, 64, PLAIN_BYTES))
    assert pieces("a" * 63 + "\ud83d\ude00" + "b" * 60, 64)[0].text == "a" * 63


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=100, deadline=None)
@given(text=PROSE, limit=st.integers(64, 200))
def test_what_does_not_fit_is_marked_as_cut(style: Style, text: str, limit: int) -> None:
    piece = truncate(text, 0, limit, style, mark="…（已截断）")

    assert _size(piece.text, style) <= limit and piece.end == len(text)
    whole = _size(text, style) <= limit
    assert piece.text == text if whole else piece.text.endswith("…（已截断）")


@pytest.mark.parametrize("style", STYLES)
def test_a_huge_text_is_cut_quickly(style: Style) -> None:
    text = ("```\n" + "line\n" * 50 + "```\n\n") * 2_000

    assert all(_size(one.text, style) <= 4_000 for one in pieces(text.strip(), 4_000, style))
