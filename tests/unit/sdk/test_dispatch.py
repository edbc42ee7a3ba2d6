"""The dispatcher: typed accounts, honest errors, one account object per revision."""

import asyncio
from dataclasses import dataclass

import pytest

from wunder_sdk import (
    AccountLookup,
    Channel,
    HealthResult,
    OutcomeUnknown,
    ParseResult,
    Send,
    SendResult,
    SignatureInvalid,
    ValidateResult,
)  # fmt: skip
from wunder_sdk.account import Account, AccountCache
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.errors import BadParams, ChannelError, MethodNotFound, ProviderUnavailable
from wunder_sdk.testing import ChannelDriver, FakeHost, check_fixture, http_request
from wunder_wire import methods as wire


@dataclass(frozen=True)
class Config:
    token: str


class Demo(Channel[Config]):
    config = Config
    seen: list[Account]

    def __init__(self):
        self.seen = []
        self.writes_first = False
        self.gives = None

    async def parse_inbound(self, account, http):
        self.seen.append(account)
        if http.headers.get("x-token") != account.config.token:
            raise SignatureInvalid
        if http.query.get("fail"):
            raise OutcomeUnknown("no answer")
        return ParseResult(ignored=http.json()["text"])

    async def send_outbound(self, account, send: Send):
        self.seen.append(account)
        if self.writes_first:
            _ = account.http.session
        if send.text == "bug":
            raise LookupError("secret text")
        return self.gives or SendResult(provider_message_id=send.text)

    async def identify_account(self, http):
        return AccountLookup("app_id", "7") if http.path == "/known" else None


class Silent(Channel):
    pass


@pytest.fixture
async def driver():
    driver = ChannelDriver(Demo, secrets={"token": "t"})
    yield driver
    await driver.close()


async def test_config_is_typed(driver):
    await driver.send("x")

    assert driver.channel.seen[0].config == Config("t")


async def test_one_account_object_serves_one_revision(driver):
    await driver.send("x")
    await driver.send("x")
    driver.account = wire.Account("test", 2, {}, {"token": "new"}, "demo")
    await driver.send("x")

    first, second, third = driver.channel.seen
    assert first is second
    assert third is not first
    assert third.config.token == "new"


async def test_header_names_have_no_case_and_the_signature_counts(driver):
    result = await driver.parse(b'{"text":"hi"}', {"X-TOKEN": "t"})
    assert result.ignored == "hi"

    with pytest.raises(SignatureInvalid):
        await driver.parse(b"{}", {"X-Token": "wrong"})


@pytest.mark.parametrize("body", [b"no json", b"\xff", b"[" * 70 + b"]" * 70, b'{"a":NaN}'])
async def test_a_broken_body_is_a_malformed_event(driver, body):
    with pytest.raises(ChannelError) as caught:
        await driver.parse(body, {"X-Token": "t"})

    assert caught.value.kind == "malformed_event"


async def test_unknown_outcome_means_unavailable_where_nothing_is_sent(driver):
    with pytest.raises(ProviderUnavailable):
        await driver.parse(b"{}", {"X-Token": "t"}, query=[("fail", "1")])


async def bug_of(driver):
    with pytest.raises(ChannelError) as caught:
        await driver.send("bug")
    return caught.value


async def test_a_bug_is_internal_and_its_outcome_unknown_where_nobody_watched(driver):
    bug = await bug_of(driver)

    assert (bug.kind, bug.outcome, bug.retryable) == ("internal", "unknown", False)
    assert "secret text" not in bug.message
    level, name, fields = driver.host.lines[-1]
    assert (level, name) == ("error", "channel_failed")
    assert "LookupError" in fields["traceback"]


async def test_a_bug_after_a_write_may_have_sent_and_before_it_has_not(driver):
    driver.channel.writes_first = True
    assert (await bug_of(driver)).outcome == "unknown"

    driver.channel.writes_first = False
    assert (await bug_of(driver)).outcome == "not_sent"


async def test_a_result_of_the_wrong_type_is_a_bug(driver):
    driver.channel.gives = {"provider_message_id": "1"}

    with pytest.raises(ChannelError, match=r"TypeError in channel\.send_outbound"):
        await driver.send("x")


async def test_a_config_that_does_not_fit_fails_validation_with_a_pointer(driver):
    driver.account = wire.Account("test", 3, {}, {"token": 5}, "demo")

    result = await driver.validate()

    assert (result.ok, result.errors[0].path) == (False, "/token")


async def test_validation_and_health_are_fine_unless_overridden(driver):
    assert await driver.validate("live") == ValidateResult(ok=True)
    assert await driver.dispatcher.call("plugin.health", wire.Empty()) == HealthResult()


async def test_identification_wraps_the_lookup(driver):
    found = wire.IdentifyParams(http_request(path="/known"))
    nothing = wire.IdentifyParams(http_request(path="/"))

    call = driver.dispatcher.call
    assert (await call("channel.identify_account", found)).lookup == AccountLookup("app_id", "7")
    assert (await call("channel.identify_account", nothing)).lookup is None


async def test_methods_that_are_not_overridden_do_not_exist():
    dispatcher = Dispatcher(Silent(), FakeHost())

    assert dispatcher.capabilities == {}
    assert not dispatcher.knows("channel.send_outbound")
    with pytest.raises(MethodNotFound):
        await dispatcher.call("channel.send_outbound", wire.Empty())


async def test_a_body_that_is_no_base64_is_the_hosts_fault(driver):
    request = wire.HttpRequest("POST", "/", (), (), "%%%", "", 0)
    with pytest.raises(BadParams):
        await driver.dispatcher.call(
            "channel.parse_inbound", wire.ParseParams(driver.account, request)
        )


async def test_fixtures_are_compared_in_part():
    fixture = {
        "account": {"secrets": {"token": "t"}},
        "http": {"headers": {"X-Token": "t"}, "body": '{"text":"hi"}'},
        "expect": {"ignored": "hi"},
    }
    await check_fixture(Demo, fixture)

    await check_fixture(
        Demo,
        {
            **fixture,
            "account": {"secrets": {"token": "z"}},
            "expect": {"error": "signature_invalid"},
        },
    )
    with pytest.raises(AssertionError, match="/ignored: expected 'ho', found 'hi'"):
        await check_fixture(Demo, {**fixture, "expect": {"ignored": "ho"}})


class Connection:
    closed = False

    async def close(self):
        self.closed = True


class ConnectingHost(FakeHost):
    def __init__(self):
        super().__init__()
        self.opened = []

    def http_session(self, account_id):
        self.opened.append(Connection())
        return self.opened[-1]


async def test_the_cache_is_bounded_and_closes_what_leaves():
    host = ConnectingHost()
    cache = AccountCache(limit=2)
    for name in ("a", "b", "c"):
        account = Account(name, "demo", 1, {}, host)
        _ = account.http.session
        await cache.keep(account)

    assert [connection.closed for connection in host.opened] == [True, False, False]
    assert cache.find("a", 1, "demo") is None
    assert cache.find("b", 1, "demo") is not None
    await cache.close()
    assert all(connection.closed for connection in host.opened)


async def test_a_replaced_account_closes_after_its_last_call():
    host = ConnectingHost()
    cache = AccountCache()
    old = Account("a", "demo", 1, {}, host)
    _ = old.http.session
    await cache.keep(old)
    old.hold()

    await cache.keep(Account("a", "demo", 2, {}, host))
    assert not host.opened[0].closed
    await old.release()
    assert host.opened[0].closed


async def test_state_is_scoped_and_compared():
    driver = ChannelDriver(Demo, secrets={"token": "t"})
    await driver.send("x")
    state = driver.channel.seen[0].state

    rev = await state.put("k", {"n": 1}, rev=0)
    assert await state.get_with_rev("k") == ({"n": 1}, rev)
    with pytest.raises(ChannelError, match="revision"):
        await state.put("k", 2, rev=rev + 5)
    assert await driver.channel.state.get("k") is None
    await state.delete("k")
    assert await state.get("k") is None


async def test_logs_take_sentences_and_fields():
    driver = ChannelDriver(Demo)
    driver.channel.log.warning("token for %s", "app", lives_s=5)

    assert driver.host.lines == [("warning", "token for app", {"lives_s": 5})]


async def test_calls_run_concurrently():
    class Meeting(Channel):
        def __init__(self):
            self.barrier = asyncio.Barrier(2)

        async def send_outbound(self, account, send):
            await self.barrier.wait()
            return SendResult()

    driver = ChannelDriver(Meeting)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(driver.send("a"))
        group.create_task(driver.send("b"))
