"""What every book of bindings promises."""

from typing import Any

import pytest

from tests.fakes.bindings import FakeBindings
from wunder.accounts.book import BindingBook
from wunder.model.binding import Binding
from wunder.model.ids import AccountId, AgentId, BindingId, ChannelId

BINDINGS = [
    Binding(BindingId("b1"), "*", "*", "*", "*", AgentId("echo")),
    Binding(BindingId("b2"), "chat", "main", "group", "g", AgentId("echo"), is_enabled=False),
]


class Rows:
    async def all(self) -> list[Binding]:
        return BINDINGS


@pytest.fixture(params=["fake", "book"])
async def bindings(request):
    if request.param == "fake":
        return FakeBindings(*BINDINGS)
    table: Any = Rows()
    book = BindingBook(table)
    await book.reload()
    return book


def test_an_account_is_told_its_own_bindings_and_those_of_all_disabled_ones_too(bindings):
    assert set(bindings.of(ChannelId("chat"), AccountId("main"))) == set(BINDINGS)


def test_an_account_is_not_told_the_bindings_of_another(bindings):
    assert list(bindings.of(ChannelId("chat"), AccountId("other"))) == [BINDINGS[0]]


def test_what_was_handed_out_does_not_change(bindings):
    assert isinstance(bindings.of(ChannelId("chat"), AccountId("main")), tuple)
