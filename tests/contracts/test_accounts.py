"""What every book of accounts promises to the rooms."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from tests.fakes.accounts import FakeAccounts
from tests.fakes.sealer import FakeSealer
from wunder.accounts.book import AccountBook
from wunder.accounts.sealing import account_context, seal_secrets
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.ids import AccountId, AccountUid, At, ChannelId

CHAT = ChannelId("chat")


def row(label: str, **changes) -> AccountRow:
    usual = AccountRow(
        account_uid=AccountUid(f"uid-{label}"),
        channel=CHAT,
        account_id=AccountId(label),
        display_name="",
        status="enabled",
        config=AccountConfig(provider_config={"app_id": label}),
        secrets=b"",
        rev=1,
        secret_rev=1,
        webhook_key=f"key-{label}",
        created_at=At(0),
        updated_at=At(0),
    )
    return msgspec.structs.replace(usual, **changes)


ROWS = [
    row("one"),
    row("two", status="disabled"),
    row("three", status="draft"),
    row("else", channel=ChannelId("other")),
]


class Rows:
    """A table that holds ROWS, sealed."""

    def __init__(self, sealer: FakeSealer) -> None:
        self._sealer = sealer

    async def all(self) -> list[AccountRow]:
        return [
            msgspec.structs.replace(
                one,
                secrets=seal_secrets(
                    self._sealer, {"s": one.account_id}, account_context(one.account_uid, 1)
                ),
            )
            for one in ROWS
        ]

    async def counts(self) -> dict[str, int]:
        return dict(Counter(row.channel for row in ROWS))


@pytest.fixture(params=["fake", "book"])
async def accounts(request):
    if request.param == "fake":
        return FakeAccounts(*(Account(one, {"s": one.account_id}) for one in ROWS))
    sealer = FakeSealer()
    table: Any = Rows(sealer)
    book = AccountBook(table, sealer)
    await book.reload()
    return book


def test_an_account_is_found_by_its_identity(accounts):
    assert accounts.get(AccountUid("uid-one")).row.account_id == "one"
    assert accounts.get(AccountUid("uid-nobody")) is None


def test_an_account_is_opened(accounts):
    assert accounts.get(AccountUid("uid-two")).secrets == {"s": "two"}


@pytest.mark.parametrize("label", ["one", "two", "three"])
def test_an_account_is_found_by_label_and_webhook_key_enabled_or_not(accounts, label):
    assert accounts.named(CHAT, label).uid == f"uid-{label}"
    assert accounts.named(CHAT, f"key-{label}").uid == f"uid-{label}"


def test_names_are_those_of_one_channel(accounts):
    assert accounts.named(CHAT, "else") is None
    assert accounts.named(ChannelId("other"), "one") is None


def test_only_enabled_accounts_are_enabled(accounts):
    assert [one.uid for one in accounts.enabled(CHAT)] == ["uid-one"]
    assert accounts.enabled(ChannelId("nowhere")) == []


async def test_the_only_account_is_the_one_that_never_had_another_beside_it(accounts) -> None:
    channels = Counter(row.channel for row in ROWS)
    for channel, count in channels.items():
        only = accounts.only(channel)
        enabled = accounts.enabled(channel)
        assert only == (enabled[0] if count == 1 and enabled else None)
