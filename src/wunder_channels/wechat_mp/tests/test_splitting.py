"""Texts are cut by bytes, where a reader would, and nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wunder_channels.wechat_mp.leftovers import MORE, page
from wunder_channels.wechat_mp.plain_text import to_plain
from wunder_channels.wechat_mp.splitting import LIMIT_BYTES, pieces, size, take

TEXTS = st.text(
    st.sampled_from("ab 字好。！？.\n\t😀👍🏽\u200d👩\ufe0f🇨🇳é\u0301x"), min_size=1, max_size=600
)


@settings(max_examples=500, deadline=None)
@given(text=TEXTS.map(str.strip), limit=st.integers(64, 300))
def test_pieces_fit_and_hold_everything(text: str, limit: int) -> None:
    found = pieces(text, limit)

    assert all(0 < size(one.text) <= limit for one in found)
    assert "".join("".join(one.text for one in found).split()) == "".join(text.split())
    ends = [one.end for one in found]
    assert ends == sorted(set(ends)) and (not ends or ends[-1] == len(text))


@settings(max_examples=300, deadline=None)
@given(text=TEXTS.map(str.strip), limit=st.integers(64, 200))
def test_a_retry_cuts_the_same(text: str, limit: int) -> None:
    at = 0
    for piece in pieces(text, limit):
        assert take(text, at, limit) == piece
        at = piece.end


@pytest.mark.parametrize("length", [1999, 2000, 2001, 2047, 2048, 4001])
@pytest.mark.parametrize("letter", ["a", "字", "😀"])
def test_no_piece_exceeds_the_limit_by_a_byte(length: int, letter: str) -> None:
    text = letter * (length // size(letter))

    found = pieces(text)

    assert all(size(one.text) <= LIMIT_BYTES for one in found)
    assert "".join(one.text for one in found) == text
    assert (len(found) == 1) == (size(text) <= LIMIT_BYTES)


def test_paragraphs_go_before_lines_before_sentences() -> None:
    paragraph, line, sentence = "段。" * 14 + "\n\n", "行。" * 10 + "\n", "句。" * 30

    first = take((paragraph + line + sentence).strip(), 0, 150)

    assert first.text == paragraph.strip()
    assert take((line + sentence + line).strip(), 0, 90).text == line.strip()
    assert take(sentence, 0, 64).text.endswith("。")


def test_what_reads_as_one_character_stays_whole() -> None:
    family = "👩\u200d👩\u200d👧"

    assert all(
        one.text == family * (len(one.text) // len(family)) for one in pieces(family * 40, 64)
    )


def test_a_page_says_that_there_is_more_only_when_there_is() -> None:
    assert page("short", MORE) == ("short", "")
    shown, rest = page("字" * 700, MORE)
    assert shown.endswith(MORE) and size(shown) <= LIMIT_BYTES
    assert shown.removesuffix(MORE) + rest == "字" * 700


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [("# Title #", "Title"), ("**bold** and *it* and ~~no~~", "bold and it and no"),
     ("- one\n* two\n  + three", "• one\n• two\n  • three"), ("1. one", "1. one"),
     ("> quoted", "quoted"), ("`code` a_b_c 2*3*4", "code a_b_c 2*3*4"),
     ("```py\nx = **1**\n# no\n```", "x = **1**\n# no"), ("a\n---\nb", "a\nb"),
     ("[文档](https://e.com/a)。", "文档 https://e.com/a 。"), ("<https://e.com>", "<https://e.com>"),
     ("![图](https://e.com/a.png)", "图 https://e.com/a.png"), ("[](https://e.com)", "https://e.com"),
     ("|a|b|\n|---|:-:|\n|1|2|", "|a|b|\n|1|2|"), ("a\n\n\n\nb", "a\n\nb"), ("__x__ _y_", "x y"),
     ("", "")],
)  # fmt: skip
def test_markdown_loses_its_marks_and_keeps_its_words(markdown: str, plain: str) -> None:
    assert to_plain(markdown) == plain


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from('ab字*_#>-|+. \t\n"'), max_size=300))
def test_markdown_loses_no_letters(text: str) -> None:
    def letters(of: str) -> list[str]:
        return [one for one in of if one in "ab字"]

    assert letters(to_plain(text)) == letters(text)


def test_hostile_markdown_takes_no_time() -> None:
    for hostile in ("*" * 50_000, "[" * 50_000, "# " + "#" * 50_000 + "a", "`a" * 25_000, "_a" * 25_000,
                    "[a](" * 12_000, "- " * 25_000, "|--" * 17_000 + "x"):  # fmt: skip
        to_plain(hostile)
