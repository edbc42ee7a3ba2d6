"""The catalogue: built when first used, rebuilt when the row changes."""

import sys

import msgspec
import pytest

from tests.fakes.agents import FakeAgentBook, FakeLaterTable
from tests.fakes.clock import FakeClock
from tests.fakes.media import FakeMedia
from tests.unit.agents.turns import turn
from wunder.accounts.agent_kinds import AGENT_SCHEMAS
from wunder.agents.catalog import AgentCatalog
from wunder.agents.later import LaterReplies
from wunder.agents.settings import EchoSettings, HttpSettings, OpenAiSettings
from wunder.egress.client import GuardedClient
from wunder.model.binding import AgentSpec
from wunder.model.ids import AgentId
from wunder.model.message import Attachment
from wunder.model.turn import Reply


@pytest.fixture
def book():
    return FakeAgentBook()


@pytest.fixture
def specs(book):
    return book.specs


@pytest.fixture
def catalog(book):
    later = LaterReplies(FakeLaterTable())
    return AgentCatalog(book, GuardedClient(), FakeClock(), FakeMedia(), later)


def spec(kind="echo", config=None, secrets=None, rev=1):
    return AgentSpec(AgentId("a"), kind, config or {}, secrets or {}, rev)


async def test_a_changed_row_is_another_agent(specs, catalog):
    specs["a"] = spec()
    first = catalog.get(AgentId("a"))
    assert await first.answer(turn("x")) == (Reply("x"),)
    specs["a"] = spec(config={"prefix": "> "}, rev=2)
    assert catalog.get(AgentId("a")) is not first
    assert await catalog.get(AgentId("a")).answer(turn("x")) == (Reply("> x"),)
    del specs["a"]
    assert catalog.get(AgentId("a")) is None


def test_settings_that_do_not_fit_make_no_agent(specs, catalog):
    specs["a"] = spec("openai", {"model": "m"})
    assert catalog.get(AgentId("a")) is None
    assert catalog.get(AgentId("a")) is None


def test_every_kind_is_built_without_its_library(specs, catalog):
    before = {name for name in sys.modules if name.split(".")[0] in ("openai", "httpx2")}
    specs["a"] = spec("openai", {"base_url": "https://a.example", "model": "m"}, {"api_key": "k"})
    assert catalog.get(AgentId("a")) is not None
    specs["a"] = spec("http", {"url": "https://a.example"}, {"signing_secret": "k"}, 2)
    assert catalog.get(AgentId("a")) is not None
    after = {name for name in sys.modules if name.split(".")[0] in ("openai", "httpx2")}
    assert after == before


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("echo", EchoSettings), ("openai", OpenAiSettings), ("http", HttpSettings)],
)
def test_the_form_of_a_kind_and_its_settings_say_the_same(kind, settings):
    properties = AGENT_SCHEMAS[kind]["properties"]
    assert set(properties) == set(settings.__struct_fields__)
    defaults = {field.name: field.default for field in msgspec.structs.fields(settings)}
    for name, field in properties.items():
        if "default" in field:
            assert defaults[name] == field["default"]


async def test_echo_names_what_is_attached(specs, catalog):
    specs["a"] = spec()
    asked = turn("", attachments=(Attachment("image", name="cat.png"),))
    assert await catalog.get(AgentId("a")).answer(asked) == (Reply("[image: cat.png]"),)
