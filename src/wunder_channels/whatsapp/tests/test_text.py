"""Text reads on a phone as it was meant: marks, choices to tap, long answers in parts."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.whatsapp.server import WhatsAppStandin
from wunder_channels.whatsapp.choices import interactive
from wunder_channels.whatsapp.formatting import to_whatsapp
from wunder_channels.whatsapp.parts import TEXT_MAX, parts_of
from wunder_channels.whatsapp.tests.driver import Driver, reply, to_phone
from wunder_channels.whatsapp.tests.people import People
from wunder_sdk import ProviderRejected
from wunder_sdk.choices import as_lines, take_choices

# --- marks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**bold** and __bold__", "*bold* and *bold*"),
        ("*it* and _it_", "_it_ and _it_"),
        ("***both*** and ***un", "*_both_* and ***un"),
        ("**a *b* c**", "*a _b_ c*"),
        ("~~gone~~ ~stays~", "~gone~ ~stays~"),
        ("# Title #\n## **Sub**\ntext", "*Title*\n*Sub*\ntext"),
        ("[site](https://a.b/c_d) ![pic](https://a/p.png)", "site (https://a.b/c_d) pic (https://a/p.png)"),
        ("[https://a.b](https://a.b) <https://c.d>", "https://a.b https://c.d"),
        ('[a](https://x/(y) "t")', "a (https://x/(y))"),
        ("* one\n+ two\n  - three\n1. four", "- one\n- two\n  - three\n1. four"),
        ("| a | **b** |\n|---|:-:|\n| 1 | 2 |", "a | *b*\n1 | 2"),
        ("a | b\n--|--\n1 | 2", "a | b\n1 | 2"),
        ("one\n\n---\n\ntwo", "one\n\n\ntwo"),
        ("`a *b* **c**` *d*", "`a *b* **c**` _d_"),
        ("```python\nx = '**no**'\ny\n```\n**yes**", "```\nx = '**no**'\ny\n```\n*yes*"),
        ("```\none\n```", "```one```"),
        ("```js\nopen\nended", "```\nopen\nended\n```"),
        (r"\*not\* \_bold\_ 2 \* 3", "*not* _bold_ 2 * 3"),
        ("2 * 3 * 4 and snake__case__name", "2 * 3 * 4 and snake__case__name"),
        ("> quoted", "> quoted"),
        ("**unclosed and ** spaced**", "**unclosed and ** spaced**"),
        ("", ""),
    ],
)  # fmt: skip
def test_markdown_becomes_what_whatsapp_shows(markdown: str, shown: str) -> None:
    assert to_whatsapp(markdown) == shown


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab *_~`#[]()|-\\\n<>!.:/", max_size=120))
def test_any_markdown_keeps_its_letters(markdown: str) -> None:
    shown = to_whatsapp(markdown)

    if "```" not in markdown and "](" not in markdown:
        assert [one for one in shown if one in "ab"] == [one for one in markdown if one in "ab"]


@pytest.mark.parametrize(
    "mark", ["**", "***a", "__", "~~", "*", "[a](", "`", "|", "**a ", "![", "<http://", "\\"]
)
def test_a_line_full_of_marks_is_read_quickly(mark: str) -> None:
    assert to_whatsapp(mark * (100_000 // len(mark))) is not None


# --- choices --------------------------------------------------------------------------------------------


def _choices(*titles: str) -> Any:
    return take_choices("\n".join(f"- [{one}](reply:id{n})" for n, one in enumerate(titles)))[1]


def test_choices_are_taken_out_of_the_text() -> None:
    text, choices = take_choices(
        'Which?\n\n- [Yes](reply:yes)\n- [No](reply:no "not today")\n\n[site](https://a.b) stays'
    )

    assert text == "Which?\n\n\n[site](https://a.b) stays"
    assert [(one.id, one.title, one.description) for one in choices] == [
        ("yes", "Yes", ""), ("no", "No", "not today"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("titles", "kind"),
    [(("Yes", "No"), "button"), (("x" * 20,), "button"), (("x" * 21,), "list"), (tuple("abcd"), "list"),
     (tuple("abcdefghij"), "list"), (tuple("abcdefghijk"), None), (("x" * 25,), None),
     (("a", "a"), None)],
)  # fmt: skip
def test_choices_become_buttons_a_list_or_lines(titles: tuple[str, ...], kind: str | None) -> None:
    shown = interactive(_choices(*titles), "Which?")

    assert (shown["type"] if shown else None) == kind
    assert as_lines(_choices(*titles)).startswith(f"1. {titles[0]}")


async def test_an_agent_offers_buttons_and_the_tap_comes_back(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    asked = "**Agree?**\n[同意](reply:ok:42) [不](reply:no)"

    await bot.send(reply(await people.write(), asked, format="markdown"))

    shown = meta.platform.sent[0].body["interactive"]
    assert shown["body"] == {"text": "*Agree?*"}
    assert [one["reply"] for one in shown["action"]["buttons"]] == [
        {"id": "ok:42", "title": "同意"}, {"id": "no", "title": "不"},
    ]  # fmt: skip
    tapped = await people.write("interactive", "同意", payload="ok:42")
    assert (tapped.text, tapped.meta["payload_id"]) == ("同意", "ok:42")


async def test_a_list_is_taken_by_the_platform(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    rows = "\n".join(f'{n}. [Row {n}](reply:r{n} "about {n}")' for n in range(1, 11))

    await bot.send(reply(await people.write(), f"Pick\n{rows}", format="markdown"))

    rows_sent = meta.platform.sent[0].body["interactive"]["action"]["sections"][0]["rows"]
    assert len(rows_sent) == 10 and rows_sent[9] == {
        "id": "r10", "title": "Row 10", "description": "about 10",
    }  # fmt: skip


async def test_a_group_reads_choices_as_lines(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write("text", group=True)

    await bot.send(reply(message, "Which?\n[A](reply:a)\n[B](reply:b)", format="markdown"))

    assert meta.platform.sent[0].text == "Which?\n\n1. A\n2. B"


async def test_long_text_with_choices_ends_in_something_to_tap_or_in_lines(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    message = await people.write()
    choice = "\n\n[A](reply:a)"

    await bot.send_all(reply(message, "w " * 2000 + "\n\n" + "end" + choice, format="markdown"))
    await bot.send_all(reply(message, "x" * 1100 + choice, format="markdown"))

    kinds = [one.body["type"] for one in meta.platform.sent]
    assert kinds == ["text", "interactive", "text"]
    assert meta.platform.sent[2].text.endswith("\n\n1. A")


def test_plain_text_stays_as_it_is() -> None:
    (part,) = parts_of(to_phone("1", "**x** [A](reply:a)"))

    assert part.text == "**x** [A](reply:a)"


# --- parts ----------------------------------------------------------------------------------------------


def _letters(text: str) -> str:
    return "".join(text.split())


def test_the_language_of_a_long_fence_is_not_shown_in_each_part() -> None:
    parts = parts_of(to_phone("1", "```python\n" + "print(1)\n" * 900 + "```"))

    assert [one.text.split("\n")[0] for one in parts] == ["```python", "```", "```"]
    assert all(one.text.endswith("\n```") and len(one.text) <= TEXT_MAX for one in parts)


async def test_a_long_answer_goes_out_in_parts_and_in_order(
    people: People, meta: WhatsAppStandin, bot: Driver
) -> None:
    text = "\n\n".join(f"{n} " + "word " * 300 for n in range(8))

    results = await bot.send_all(reply(await people.write(), text))

    sent = [one.text for one in meta.platform.sent]
    assert len(sent) == len(results) == 4 and all(len(one) <= TEXT_MAX for one in sent)
    assert _letters("".join(sent)) == _letters(text)
    assert [one.body["biz_opaque_callback_data"] for one in meta.platform.sent] == [
        f"delivery-1#{n}" for n in range(4)
    ]


async def test_a_part_keeps_its_distance_from_the_one_before(
    people: People, meta: WhatsAppStandin, bot: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.configure(part_pause_s=1.0)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("wunder_channels.whatsapp.sending.asyncio.sleep", sleep)
    message = reply(await people.write(), "word " * 1000)
    first = await bot.send(message)
    assert first.next is not None
    bot.host.clock_ms += 400
    await bot.send(message, part=1, state=first.next.state)
    bot.host.clock_ms += 60_000
    await bot.send(message, part=1, state=first.next.state)

    assert slept == [pytest.approx(0.6), 0.0]


@pytest.mark.parametrize("text", [None, "", "  \n"])
async def test_nothing_is_not_sent(people: People, bot: Driver, text: str | None) -> None:
    with pytest.raises(ProviderRejected):
        await bot.send(reply(await people.write(), text))
