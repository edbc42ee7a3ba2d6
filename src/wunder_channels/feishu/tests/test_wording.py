"""Long text is cut where a person would, fits Feishu's limits in bytes, and loses nothing."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.feishu.platform import CARD_BYTES, TEXT_BYTES, shown
from wunder_channels.feishu.wording import (
    TEXT_MAX,
    Manner,
    Style,
    Worded,
    as_text,
    choose_style,
    encoded_size,
    mentions,
    word,
)
from wunder_sdk.splitting import take

LIMIT = 100
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
#: Each of these costs another number of bytes once it is JSON inside JSON.
COSTLY = st.lists(
    st.tuples(
        st.sampled_from(["你", '"', "\\", "\n", "\x01", "👨", "a", "\t"]), st.integers(1, 4000)
    ),
    max_size=8,
).map(lambda runs: "".join(letter * times for letter, times in runs))


def _all_pieces(text: str, limit: int) -> list[str]:
    found, at = [], 0
    while at < len(text):
        piece = take(text, at, limit)
        assert piece.end > at
        found.append(piece.text)
        at = piece.end
    return found


def _all_worded(text: str, style: Style, *, is_markdown: bool = True) -> list[Worded]:
    found: list[Worded] = []
    at = 0
    while at < len(text):
        found.append(word(text, at, style, Manner(is_markdown)))
        at = found[-1].end
    return found


def _letters(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=200, deadline=None)
@given(PROSE, st.integers(64, 300))
def test_pieces_of_prose_fit_and_lose_nothing(text: str, limit: int) -> None:
    text = text.strip()

    cut = _all_pieces(text, limit)

    assert all(0 < len(one) <= limit and one.strip() for one in cut)
    assert _letters("".join(cut)) == _letters(text)


@settings(max_examples=200, deadline=None)
@given(FENCED, st.integers(64, 300))
def test_every_piece_of_fenced_text_closes_what_it_opens(text: str, limit: int) -> None:
    text = text.strip()
    if text.count("```") % 2:
        text += "\n```"

    cut = _all_pieces(text, limit)

    assert all(0 < len(one) <= limit and one.count("```") % 2 == 0 for one in cut)
    assert all("".join(cut).count(letter) >= text.count(letter) for letter in "1ae句")


@settings(max_examples=40, deadline=None)
@given(COSTLY, st.sampled_from(["text", "post", "card"]), st.booleans())
def test_every_piece_fits_feishus_limit_in_bytes(text: str, style: Any, is_markdown: bool) -> None:
    text = text.strip()

    cut = _all_worded(text, style, is_markdown=is_markdown)

    most = TEXT_BYTES if style == "text" else CARD_BYTES
    assert all(encoded_size(one.content) < most for one in cut)
    said = "".join(shown(one.msg_type, one.content) for one in cut)
    assert _letters(said) == _letters(text)


@settings(max_examples=20, deadline=None)
@given(PROSE)
def test_wording_the_same_piece_again_says_the_same(text: str) -> None:
    text = (text * 20).strip()

    assert _all_worded(text, "card") == _all_worded(text, "card")


def test_a_fence_that_goes_on_in_the_next_card_is_opened_again() -> None:
    code = "```python\n" + "print('你好')\n" * 3000 + "```"

    cut = [shown("interactive", one.content) for one in _all_worded(code, "card")]

    assert len(cut) > 1
    assert all(one.startswith("```python\n") and one.endswith("\n```") for one in cut)
    assert sum(one.count("print") for one in cut) == 3000


def test_a_paragraph_ends_a_piece_before_a_line_and_a_line_before_a_sentence() -> None:
    paragraph = "a" * 60 + "\n\n" + "b" * 20 + "\n" + "c" * 10 + "。" + "d" * 40
    line = "a" * 60 + "。" + "b" * 10 + "\n" + "c" * 60

    assert take(paragraph, 0, LIMIT).text == "a" * 60
    assert take(line, 0, LIMIT).text == "a" * 60 + "。" + "b" * 10


@pytest.mark.parametrize(("length", "style"), [(TEXT_MAX, "text"), (TEXT_MAX + 1, "card")])
def test_a_long_answer_becomes_a_card(length: int, style: str) -> None:
    text = "x" * length

    assert choose_style(text, "auto", is_markdown=False) == style


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(
    ["<at ", "<AT id=all>", 'user_id="all"', "user_id=all", "id='all'", ">", "</at>", "/>", " ", "\x00", "0",
     "所有人", "<", "at", "\n"]), max_size=12).map("".join))  # fmt: skip
def test_no_spelling_calls_everybody(text: str) -> None:
    for form in ('<at user_id="{who}">{name}</at>', "<at id={who}></at>", None):
        said = mentions(text, form, allow_at_all=False)

        assert not re.search(r"<[\s/]*at(?![a-z0-9_])", said, re.IGNORECASE)


def test_only_the_first_piece_mentions_somebody() -> None:
    text = '<at user_id="ou_1">李四</at> ' + "x " * 3000 + '<at user_id="ou_2">王五</at>'

    first, *_, last = (shown("text", one.content) for one in _all_worded(text, "text"))

    assert '<at user_id="ou_1">李四</at>' in first
    assert last.endswith("@王五")


def test_a_plain_card_shows_markup_and_obeys_none_of_it() -> None:
    (card,) = _all_worded("**no** <at id=ou_1>李四</at>", "card", is_markdown=False)

    element = json.loads(card.content)["body"]["elements"][0]
    assert element["text"] == {"tag": "plain_text", "content": "**no** @李四"}


def test_a_post_is_sent_with_a_locale() -> None:
    (post,) = _all_worded("**b**", "post")

    assert json.loads(post.content) == {
        "zh_cn": {"title": "", "content": [[{"tag": "md", "text": "**b**"}]]}
    }


def test_a_refused_card_says_its_own_piece_as_text() -> None:
    text = "first\n\nsecond"

    assert as_text(text, 7, len(text), Manner(is_markdown=True)) == Worded(
        "text", '{"text":"second"}', len(text)
    )
