"""Row C1, which account a request is for: named by it, looked up, or the only one there is."""

import pytest

from tests.fakes.accounts import FakeAccounts
from tests.fakes.channel_provider import FakeChannelProvider
from wunder.errors import RequestRefused
from wunder.inbound.account_choice import choose_accounts
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.ids import AccountId, AccountUid, At, ChannelId
from wunder.model.provider import RawRequest

CHAT = ChannelId("chat")


def account(name: str, app: str = "", *, is_enabled: bool = True) -> Account:
    row = AccountRow(
        account_uid=AccountUid(f"uid-{name}"),
        channel=CHAT,
        account_id=AccountId(name),
        display_name="",
        secrets=b"",
        rev=1,
        secret_rev=1,
        status="enabled" if is_enabled else "disabled",
        config=AccountConfig(provider_config={"app": app}),
        webhook_key=f"key-of-{name}",
        created_at=At(0),
        updated_at=At(0),
    )
    return Account(row, {})


def request(query: dict | None = None, **headers: str) -> RawRequest:
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return RawRequest("POST", "/", tuple((query or {}).items()), given, b"", "::1", At(0))


async def chosen(accounts, asked: RawRequest, named: str | None = None, **facts) -> list[str]:
    provider = FakeChannelProvider("chat", **facts)
    found = await choose_accounts(FakeAccounts(*accounts), CHAT, provider, named, asked)
    return [one.row.account_id for one in found]


async def refusal(accounts, asked: RawRequest, named: str | None = None, **facts) -> tuple:
    with pytest.raises(RequestRefused) as refused:
        await chosen(accounts, asked, named, **facts)
    return refused.value.http_status, refused.value.reason


TWO = (account("one", "11"), account("two", "22"))


async def test_the_only_account_there_is_needs_no_name() -> None:
    assert await chosen([account("one")], request()) == ["one"]


async def test_of_several_accounts_none_is_guessed() -> None:
    assert await refusal(TWO, request()) == (404, "account_ambiguous")


async def test_without_accounts_nobody_is_meant() -> None:
    assert await refusal([], request()) == (404, "account_unknown")


@pytest.mark.parametrize("name", ["two", "key-of-two"])
async def test_path_query_and_header_name_an_account_by_label_or_key(name: str) -> None:
    assert await chosen(TWO, request(), name) == ["two"]
    assert await chosen(TWO, request({"account_id": name})) == ["two"]
    assert await chosen(TWO, request(X_Channel_Account=name)) == ["two"]


async def test_two_names_for_one_account_agree() -> None:
    assert await chosen(TWO, request({"account_id": "two"}), "key-of-two") == ["two"]


async def test_two_names_that_differ_are_refused() -> None:
    asked = request({"account_id": "one"})
    assert await refusal(TWO, asked, "two") == (400, "account_conflict")
    assert await refusal(TWO, request(X_Channel_Account="one"), "two") == (400, "account_conflict")


async def test_a_named_account_that_is_unknown_or_disabled_is_404_without_fall_through() -> None:
    accounts = [account("one"), account("off", is_enabled=False)]
    for name in ("nobody", "off", "key-of-off"):
        assert await refusal(accounts, request(), name) == (404, "account_unknown")


async def test_the_manifests_lookup_finds_the_account() -> None:
    lookup = {"lookup_header": "X-App", "lookup_config": "app"}
    assert await chosen(TWO, request(X_App="22"), **lookup) == ["two"]
    assert await refusal(TWO, request(X_App="33"), **lookup) == (404, "account_unknown")


async def test_a_name_goes_before_the_lookup() -> None:
    lookup = {"lookup_header": "X-App", "lookup_config": "app"}
    assert await chosen(TWO, request(X_App="22"), "one", **lookup) == ["one"]


async def test_of_several_that_match_at_most_four_are_tried() -> None:
    lookup = {"lookup_header": "X-App", "lookup_config": "app"}
    same = [account(f"a{number}", "11") for number in range(6)]
    assert await chosen(same, request(X_App="11"), **lookup) == ["a0", "a1", "a2", "a3"]


async def test_a_disabled_account_is_never_looked_up() -> None:
    lookup = {"lookup_header": "X-App", "lookup_config": "app"}
    accounts = [account("off", "11", is_enabled=False), account("on", "11"), account("b", "22")]
    assert await chosen(accounts, request(X_App="11"), **lookup) == ["on"]


async def test_a_provider_that_cannot_say_leaves_it_to_the_other_ways() -> None:
    can_identify = {"identify_account": True}
    assert await chosen([account("one")], request(), capabilities=can_identify) == ["one"]
