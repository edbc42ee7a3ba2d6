"""Markdown becomes text as WeChat shows it, and a page fits a message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wunder_channels.wechat_mp.leftovers import MORE, page
from wunder_channels.wechat_mp.plain_text import LIMIT_BYTES, to_plain
from wunder_channels.wechat_mp.sending import worded
from wunder_sdk import OutboundMessage, Peer
from wunder_sdk.splitting import utf8_size


def test_a_page_says_that_there_is_more_only_when_there_is() -> None:
    assert page("short", MORE) == ("short", "")
    shown, rest = page("字" * 700, MORE)
    assert shown.endswith(MORE) and utf8_size(shown) <= LIMIT_BYTES
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


@pytest.mark.parametrize(
    ("title", "shown"),
    [("好的", '<a href="weixin://bizmsgmenu?msgmenucontent=好的&msgmenuid=yes">好的</a>'),
     ("A & B", "1. A & B")],
)  # fmt: skip
def test_choices_are_links_that_say_their_title(title: str, shown: str) -> None:
    text = f"**Shall I?**\n\n- [{title}](reply:yes)"
    message = OutboundMessage("wechat_mp", "main", Peer("user", "o1"), text=text, format="markdown")

    assert worded(message) == f"Shall I?\n\n{shown}"
