"""Through the whole gateway: somebody writes on Feishu, the agent answers, whatever the platform does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.standins.feishu.callbacks import CHATS
from tests.standins.feishu.platform import App, Fault
from tests.standins.feishu.server import FeishuStandin
from tests.vectors.replay import Recorded, Replay
from tests.waiting import until
from wunder.accounts.bindings import BindingDraft
from wunder.accounts.keyring import Keyring
from wunder.app.gateway import Gateway
from wunder.config import Config
from wunder.model.delivery import DeliveryState
from wunder.store.sqlite.store import open_store
from wunder.upkeep.ledger import DeliveryFilter

APP = App("cli_a1b2c3d4e5f60001", "FAKEsecret", "vT0ken", "enc-key-示例")


@dataclass
class Journey:
    """What a test holds in its hands."""

    feishu: FeishuStandin
    gateway: Gateway
    clock: FakeClock

    async def write(self, text: str, kind: str = "p2p", **asked: object) -> None:
        """Somebody writes; Feishu delivers it and gets its 200."""
        callback = self.feishu.callbacks.write({"kind": kind, "text": text, **asked})
        replay = Replay(self.gateway, self.clock, "feishu")
        status, body = await replay.post(Recorded("POST", "", callback.headers, callback.body))
        assert (status, body) == (200, b'{"code":0}')

    async def states(self) -> list[DeliveryState]:
        page = await self.gateway.store.ledger.deliveries(DeliveryFilter(), 200, "")
        return [row.state for row in reversed(page.items)]

    async def until_states(self, *wanted: DeliveryState) -> None:
        """Let a second of the gateway's time pass at each look."""

        async def reached() -> bool:
            self.clock.advance(1)
            return await self.states() == list(wanted)

        await until(reached)

    def texts(self) -> list[str]:
        return [one.text for one in self.feishu.platform.sent]


@asynccontextmanager
async def journey(data_dir: Path) -> AsyncIterator[Journey]:
    clock = FakeClock()
    async with FeishuStandin(APP) as feishu:
        given = {
            "gateway": {"data_dir": str(data_dir)},
            "api": {"access_log": "off"},
            "egress": {"allow_hosts": [feishu.url.removeprefix("http://")]},
        }
        store = await open_store(data_dir, clock)
        gateway = Gateway(msgspec.convert(given, Config), store, Keyring(bytes(32)), clock)
        await gateway.load()
        await Replay(gateway, clock, "feishu").add_account(
            {
                "app_id": APP.app_id,
                "app_secret": APP.app_secret,
                "verification_token": APP.verification_token,
                "encrypt_key": APP.encrypt_key,
                "domain": feishu.url,
            }
        )
        binding = BindingDraft(channel="feishu", account_id="main", agent_id="echo")
        await gateway.desks.bindings.put(binding, None, "test")
        try:
            async with asyncio.TaskGroup() as group:
                rooms = (gateway.rooms.dispatcher.run(), gateway.rooms.worker.run(), store.run())
                tasks = [group.create_task(room) for room in rooms]
                try:
                    yield Journey(feishu, gateway, clock)
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            await gateway.close()
            await store.close()


async def test_a_question_in_a_group_is_answered_under_it(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        await here.write("天气怎么样", "group", at_bot=True)

        await here.until_states(DeliveryState.SENT)
        (sent,) = here.feishu.platform.sent
        assert (sent.chat_id, sent.text) == (CHATS["group"], "天气怎么样")
        assert sent.reply_to in here.feishu.platform.received


async def test_a_question_delivered_twice_is_answered_once(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        for _ in range(2):
            await here.write("once", message_id="om_in_once")

        await here.until_states(DeliveryState.SENT)
        assert here.texts() == ["once"]


@pytest.mark.parametrize("status", [503, 429])
async def test_after_two_minutes_of_outage_everything_arrives_once_and_in_order(
    tmp_path: Path, status: int
) -> None:
    async with journey(tmp_path) as here:
        here.feishu.platform.faults.append(Fault("fail", 10**6, status))
        texts = [f"question {number}" for number in range(6)]
        for text in texts[:3]:
            await here.write(text)

        def two_minutes_passed() -> bool:
            here.clock.advance(1)
            return here.clock.monotonic() >= 120

        await until(two_minutes_passed)
        assert here.texts() == []
        here.feishu.platform.faults.clear()
        here.feishu.platform.lose_next_answer()
        for text in texts[3:]:
            await here.write(text)

        await here.until_states(*[DeliveryState.SENT] * 6)
        assert here.texts() == texts


@pytest.mark.parametrize(
    ("code", "times", "state", "arrives"),
    [(99991400, 2, DeliveryState.SENT, True), (230020, 2, DeliveryState.SENT, True),
     (230049, 2, DeliveryState.SENT, True), (99991663, 1, DeliveryState.SENT, True),
     (230011, 1, DeliveryState.SENT, True), (230013, 1, DeliveryState.FAILED, False),
     (230022, 1, DeliveryState.FAILED, False), (230025, 1, DeliveryState.FAILED, False)],
)  # fmt: skip
async def test_each_class_of_refusal_ends_as_it_should(
    tmp_path: Path, code: int, times: int, state: DeliveryState, arrives: bool
) -> None:
    async with journey(tmp_path) as here:
        here.feishu.platform.answer_with(code, times=times)
        await here.write("hi", "group", at_bot=True)

        await here.until_states(state)
        assert here.texts() == (["hi"] if arrives else [])


async def test_a_missing_permission_waits_for_an_administrator(tmp_path: Path) -> None:
    async with journey(tmp_path) as here:
        here.feishu.platform.rules.scopes.remove("im:message:send_as_bot")
        await here.write("hi")
        await until(lambda: here.feishu.platform.refused)
        here.feishu.platform.rules.scopes.add("im:message:send_as_bot")

        await here.until_states(DeliveryState.SENT)
        assert here.texts() == ["hi"]
