"""The examples of docs/agents.md are run, in both languages."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.unit.agents.turns import turn
from wunder.agents.http_wire import EventStream, read_replies, request_body, signature
from wunder.agents.settings import HttpSettings
from wunder.model.conversation import HistoryLine

PAGES = [Path(__file__).parents[3] / "docs" / name for name in ("agents.md", "agents.zh-CN.md")]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, kind: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == kind]


@every_page
def test_the_example_accepts_our_signature_and_no_other(page):
    space: dict = {}
    (source,) = blocks(page, "python")
    exec(source, space)
    now = int(space["time"].time())
    is_ours = space["is_from_wunder"]
    header = signature("secret", now, b"{}")
    assert is_ours("secret", header, b"{}")
    assert not is_ours("secret", header, b"{ }")
    assert not is_ours("other", header, b"{}")
    assert not is_ours("secret", signature("secret", now - 301, b"{}"), b"{}")
    assert not is_ours("secret", "", b"{}")


@every_page
def test_the_example_request_has_the_fields_that_are_sent(page):
    shown = json.loads(blocks(page, "json")[0])
    line = HistoryLine("user", "a", "b")
    settings = HttpSettings(url="", signing_secret="")
    sent = json.loads(request_body(turn(history=(line,)), settings))
    assert list(shown) == list(sent)
    for part in ("peer", "sender", "message"):
        assert list(shown[part]) == list(sent[part])
    assert list(shown["history"][0]) == list(sent["history"][0])


@every_page
def test_the_example_answers_are_read(page):
    (reply,) = read_replies(blocks(page, "json")[1].encode())
    assert reply.format == "markdown"
    stream, later = blocks(page, "")
    events = EventStream()
    assert events.feed(stream.encode() + b"\n")
    assert events.replies
    assert read_replies(later.split("\n\n")[1].encode())


def test_both_pages_name_the_same_settings():
    first, second = (
        set(re.findall(r"`([a-z]+_[a-z_]+)`", page.read_text("utf-8"))) for page in PAGES
    )
    assert first == second
    assert {field.name for field in msgspec.structs.fields(HttpSettings)} - {"url"} <= first
