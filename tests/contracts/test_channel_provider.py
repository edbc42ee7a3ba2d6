"""The door ChannelProvider (row N1a): the small platform of the tests, a built-in, a plugin process."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.vectors.replay import replay
from tests.vectors.test_qqbot_vectors_http import CASES, account_of
from wunder.errors import ProviderFault
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.fault import FaultKind
from wunder.model.provider import RawRequest

QQ = next(case for case in CASES if case["id"] == "qq-c2c-minimal")


class Case(msgspec.Struct):
    """A provider, an account of it, and a request that it accepts."""

    provider: object
    account: Account
    good: RawRequest
    forged: RawRequest


def _account(channel: str) -> Account:
    row = AccountRow(
        account_uid="u" * 32,
        channel=channel,
        account_id="main",
        display_name="",
        status="enabled",
        config=AccountConfig(),
        secrets=b"",
        rev=1,
        secret_rev=1,
        webhook_key="k",
        created_at=0,
        updated_at=0,
    )
    return Account(row, {})


@asynccontextmanager
async def fake(tmp_path: Path):
    body = json.dumps([{"id": "1", "peer": "ann", "text": "123"}]).encode()
    good = RawRequest("POST", "/", (), (), body, "127.0.0.1", FakeClock().now())
    forged = msgspec.structs.replace(good, headers=(("bad", "1"),))
    yield Case(FakeChannelProvider("chat"), _account("chat"), good, forged)


@asynccontextmanager
async def builtin(tmp_path: Path):
    async with replay(tmp_path, "qqbot", QQ["now"] * 1000) as replayed:
        await replayed.add_account(account_of(QQ))
        here = replayed.gateway
        account = here.ground.accounts.named("qqbot", "main")
        good = RawRequest(
            "POST",
            "/",
            (),
            tuple(QQ["request"]["headers"].items()),
            base64.b64decode(QQ["request"]["body_b64"]),
            "127.0.0.1",
            here.ground.clock.now(),
        )
        forged = msgspec.structs.replace(good, body=good.body + b" ")
        yield Case(here.channels.providers.serving("qqbot"), account, good, forged)


@pytest.fixture(params=[fake, builtin])
async def case(request, tmp_path):
    async with request.param(tmp_path) as given:
        yield given


async def test_it_says_what_it_is(case) -> None:
    facts = case.provider.facts
    assert facts.channel == case.account.row.channel
    assert facts.release.plugin_id and facts.release.version


async def test_a_good_request_becomes_messages_of_this_account(case) -> None:
    parsed = await case.provider.parse_inbound(case.account, case.good)
    (message,) = parsed.messages
    assert message.conversation.account_uid == case.account.uid
    assert (message.channel, message.account_id) == (case.account.row.channel, "main")
    assert message.content.text == "123"


async def test_a_forged_request_is_a_fault_of_its_kind(case) -> None:
    with pytest.raises(ProviderFault) as refused:
        await case.provider.parse_inbound(case.account, case.forged)
    assert refused.value.fault.kind is FaultKind.SIGNATURE_INVALID


async def test_parsing_is_stateless_and_concurrent(case) -> None:
    async with asyncio.TaskGroup() as tg:
        parses = [
            tg.create_task(case.provider.parse_inbound(case.account, case.good)) for _ in range(8)
        ]
    first = parses[0].result().messages
    assert all(parse.result().messages == first for parse in parses)


async def test_a_good_configuration_is_called_good(case) -> None:
    verdict = await case.provider.validate_account_config(case.account, "static")
    assert verdict.is_ok


async def test_it_has_a_health(case) -> None:
    assert (await case.provider.health()).status == "ok"
