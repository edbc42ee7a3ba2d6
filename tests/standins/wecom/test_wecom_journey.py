"""Through the whole gateway: somebody writes on WeCom, the agent answers, whatever the platform does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.standins.wecom.callbacks import Callback, Keys
from tests.standins.wecom.platform import Fault, WecomPlatform
from tests.standins.wecom.server import WecomStandin
from tests.vectors.replay import Recorded, Replay
from tests.waiting import until
from wunder.accounts.bindings import BindingDraft
from wunder.accounts.keyring import Keyring
from wunder.app.gateway import Gateway
from wunder.config import Config
from wunder.model.delivery import DeliveryState
from wunder.store.sqlite.store import open_store
from wunder.upkeep.ledger import DeliveryFilter

CORP_ID, AGENT_ID, SECRET = "ww1234567890abcdef", 1000002, "FAKEsecretFAKEsecret"
KEYS = Keys("CpT0ken01", "IWh9k9QI91Lh1lHRTV8iDqqmPvwYAwrmdx/wWvDTLHQ")
CHANNEL = "wechat"
SENT, FAILED = DeliveryState.SENT, DeliveryState.FAILED


@dataclass
class Journey:
    """What a test holds in its hands."""

    wecom: WecomStandin
    gateway: Gateway
    clock: FakeClock

    async def post(self, callback: Callback) -> bytes:
        """WeCom delivers a callback and gets its 200."""
        replay = Replay(self.gateway, self.clock, CHANNEL)
        recorded = Recorded(
            callback.method, callback.raw_query, dict(callback.headers), callback.body
        )
        status, body = await replay.post(recorded)
        assert status == 200
        return body

    async def write(self, text: str, **asked: Any) -> bytes:
        """Somebody writes."""
        return await self.post(self.wecom.callbacks.write({"text": text, **asked}))

    async def states(self) -> list[DeliveryState]:
        page = await self.gateway.store.ledger.deliveries(DeliveryFilter(), 200, "")
        return [row.state for row in reversed(page.items)]

    async def until_states(self, *wanted: DeliveryState) -> None:
        """Let a second pass, for the gateway and for WeCom, at each look."""

        async def reached() -> bool:
            self.let_pass(1)
            return await self.states() == list(wanted)

        await until(reached)

    def let_pass(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.wecom.platform.advance(seconds)


@asynccontextmanager
async def journey(data_dir: Path, **config: Any) -> AsyncIterator[Journey]:
    clock = FakeClock(1_767_225_600_000)
    platform = WecomPlatform(CORP_ID, AGENT_ID, SECRET, clock=lambda: 0.0)
    async with WecomStandin(platform, KEYS) as wecom:
        given = {
            "gateway": {"data_dir": str(data_dir)},
            "api": {"access_log": "off"},
            "egress": {"allow_hosts": [wecom.url.removeprefix("http://")]},
        }
        store = await open_store(data_dir, clock)
        gateway = Gateway(msgspec.convert(given, Config), store, Keyring(bytes(32)), clock)
        await gateway.load()
        pair = {"token": KEYS.token, "encoding_aes_key": KEYS.encoding_aes_key}
        app = {"corp_id": CORP_ID, "agent_id": AGENT_ID, "secret": SECRET}
        own = config or app
        account = {**own, **pair, "domain": wecom.url}
        await Replay(gateway, clock, CHANNEL).add_account(account)
        binding = BindingDraft(channel=CHANNEL, account_id="main", agent_id="echo")
        await gateway.desks.bindings.put(binding, None, "test")
        try:
            async with asyncio.TaskGroup() as group:
                rooms = (gateway.rooms.dispatcher.run(), gateway.rooms.worker.run(), store.run())
                tasks = [group.create_task(room) for room in rooms]
                try:
                    yield Journey(wecom, gateway, clock)
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            await gateway.close()
            await store.close()


async def test_a_member_asks_an_app_and_is_answered(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        assert await here.write("你好") == b""

        await here.until_states(SENT)
        (sent,) = here.wecom.platform.sent
        assert (sent.peer, sent.text) == ("zhangsan", "你好")


async def test_the_address_check_is_answered_by_the_gateway(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        assert await here.post(here.wecom.callbacks.address_check("16161")) == b"16161"


async def test_a_question_delivered_three_times_is_answered_once(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        for _ in range(3):
            await here.write("once", message_id="7")

        await here.until_states(SENT)
        assert here.wecom.platform.texts() == ["once"]


async def test_equal_answers_to_equal_questions_all_arrive(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        for _ in range(3):
            await here.write("ok")

        await here.until_states(SENT, SENT, SENT)
        assert here.wecom.platform.texts() == ["ok"] * 3
        assert here.wecom.platform.dropped == []


@pytest.mark.parametrize(
    "fault", [Fault("fail", 10**6, 503), Fault("fail", 10**6, 502), Fault("code", 10**6, code=-1),
              Fault("code", 10**6, code=45009)],
    ids=["503", "502", "-1", "45009"],
)  # fmt: skip
async def test_after_two_minutes_of_outage_everything_arrives_once_and_in_order(
    tmp_path: Path, fault: Fault
) -> None:
    async with journey(tmp_path) as here:
        here.wecom.platform.faults.append(fault)
        texts = [f"question {number}" for number in range(6)]
        for text in texts[:3]:
            await here.write(text)

        def two_minutes_passed() -> bool:
            here.let_pass(1)
            return here.clock.monotonic() >= 120

        await until(two_minutes_passed)
        assert here.wecom.platform.texts() == []
        here.wecom.platform.faults.clear()
        here.wecom.platform.lose_next_answer()
        for text in texts[3:]:
            await here.write(text)

        await here.until_states(*[SENT] * 6)
        assert here.wecom.platform.texts() == texts


async def test_the_thirty_first_answer_of_a_minute_waits_and_none_is_dropped(
    tmp_path: Path,
) -> None:
    async with journey(tmp_path) as here:
        texts = [f"n{number}" for number in range(33)]
        for text in texts:
            await here.write(text)

        await here.until_states(*[SENT] * 33)
        assert here.wecom.platform.texts() == texts
        assert here.wecom.platform.dropped == []


@pytest.mark.parametrize(
    ("code", "times", "state", "arrives"),
    [(-1, 2, SENT, True), (6000, 1, SENT, True), (45009, 1, SENT, True), (45033, 2, SENT, True),
     (40014, 1, SENT, True), (42001, 1, SENT, True), (81013, 1, FAILED, False),
     (60111, 1, FAILED, False), (45002, 1, FAILED, False), (44004, 1, FAILED, False),
     (99999, 1, FAILED, False)],
)  # fmt: skip
async def test_each_class_of_refusal_ends_as_it_should(
    tmp_path: Path, code: int, times: int, state: DeliveryState, arrives: bool
) -> None:
    async with journey(tmp_path) as here:
        here.wecom.platform.answer_with(code, times=times)
        await here.write("hi")

        await here.until_states(state)
        assert here.wecom.platform.texts() == (["hi"] if arrives else [])


async def test_a_member_whom_wecom_names_invalid_is_a_dead_letter(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        here.wecom.platform.rules.invalid_users = {"zhangsan"}
        await here.write("hi")

        await here.until_states(FAILED)
        assert here.wecom.platform.sent == []


async def test_an_untrusted_address_waits_for_an_administrator(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        here.wecom.platform.rules.trusted_ip = False
        await here.write("hi")
        await until(lambda: here.wecom.platform.refused)
        here.wecom.platform.rules.trusted_ip = True

        await here.until_states(SENT)
        assert here.wecom.platform.texts() == ["hi"]


# --- an AI bot ------------------------------------------------------------------------------------------


async def test_an_ai_bot_answers_through_the_response_url(tmp_path: Path) -> None:
    async with journey(tmp_path, mode="webhook", bot_name="小智") as here:
        assert await here.write("@小智 查天气", kind="bot_text", group="wrG1") == b""

        await here.until_states(SENT)
        (sent,) = here.wecom.platform.sent
        assert (sent.way, sent.peer, sent.text) == ("response", "wrG1", "查天气")


async def test_an_ai_bot_answers_in_a_stream_and_its_end_is_a_receipt(tmp_path: Path) -> None:
    async with journey(tmp_path, mode="webhook", streaming=True) as here:
        callbacks = here.wecom.callbacks
        opened = callbacks.read_answer(await here.write("你好", kind="bot_text"))["stream"]
        await here.until_states(SENT)
        shown = opened
        while not shown["finish"]:
            here.let_pass(1)
            shown = callbacks.read_answer(await here.post(callbacks.poll(opened["id"])))["stream"]

        assert (opened["finish"], shown["content"]) == (False, "你好")
        page = await here.gateway.store.ledger.deliveries(DeliveryFilter(), 10, "")
        assert [row.receipt for row in page.items] == ["delivered"]
        assert here.wecom.platform.sent == []
