"""WhatsApp end to end: somebody writes, the echo agent answers, the platform says what became of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.standins.whatsapp.server import WhatsAppStandin
from tests.standins.whatsapp.webhooks import Callback
from tests.vectors.replay import Recorded, Replay
from tests.waiting import until
from wunder.accounts.bindings import BindingDraft
from wunder.accounts.drafts import AccountDraft
from wunder.accounts.keyring import Keyring
from wunder.app.gateway import Gateway
from wunder.config import Config
from wunder.model.delivery import DeliveryState, StoredDelivery
from wunder.store.sqlite.store import open_store
from wunder.upkeep.ledger import DeliveryFilter

NUMBER_ID, NOW_MS = "106540352242922", 1_767_225_605_000
SECRETS = {
    "access_token": "EAAtest",
    "app_secret": "9f3c1b2a4d5e6f708192a3b4c5d6e7f8",
    "verify_token": "verify-me-7Q",
}
CLOCK_STEP_S = 1.0


class Journey:
    """A gateway at work on a clock that stands still, and the platform it speaks to."""

    def __init__(self, gateway: Gateway, clock: FakeClock, meta: WhatsAppStandin) -> None:
        self.gateway, self.clock, self.meta = gateway, clock, meta
        self._replay = Replay(gateway, clock, "whatsapp")

    async def post(self, callback: Callback) -> None:
        """Hand a webhook to the gateway's front door."""
        recorded = Recorded("POST", "", callback.headers, callback.body)
        assert await self._replay.post(recorded) == (200, b"")

    async def write(self, **asked: Any) -> None:
        """Somebody writes."""
        await self.post(self.meta.webhooks.write(asked))

    async def status(self, status: str, *, code: int = 0) -> None:
        """The platform tells what became of the message it took last."""
        await self.post(self.meta.webhooks.status(self.meta.platform.sent[-1], status, code=code))

    async def deliveries(self) -> list[StoredDelivery]:
        """The outbox, oldest first."""
        page = await self.gateway.store.ledger.deliveries(DeliveryFilter(), 100, "")
        return list(reversed(page.items))

    async def until_states(self, *wanted: DeliveryState) -> list[StoredDelivery]:
        """Let everything run, time too, until the outbox is in these states."""

        async def reached() -> bool:
            self.clock.advance(CLOCK_STEP_S)
            return [one.state for one in await self.deliveries()] == list(wanted)

        async with asyncio.timeout(20):
            await until(reached)
        return await self.deliveries()


@asynccontextmanager
async def _journey(data_dir: Path, **fields: Any) -> AsyncIterator[Journey]:
    clock = FakeClock(NOW_MS)
    async with WhatsAppStandin(NUMBER_ID, SECRETS["access_token"], SECRETS["app_secret"]) as meta:
        meta.platform.follow(lambda: clock.now() / 1000)
        host = meta.url.removeprefix("http://")
        config = msgspec.convert(
            {
                "gateway": {"data_dir": str(data_dir)},
                "api": {"access_log": "off"},
                "egress": {"allow_hosts": [host]},
            },
            Config,
        )
        store = await open_store(data_dir, clock)
        try:
            gateway = Gateway(config, store, Keyring(bytes(32)), clock)
            await gateway.load()
            await gateway.desks.accounts.create(
                AccountDraft(
                    channel="whatsapp",
                    account_id="main",
                    provider_config={
                        "phone_number_id": NUMBER_ID,
                        "api_base": meta.url,
                        **SECRETS,
                        **fields,
                    },
                ),
                "test",
            )
            binding = BindingDraft(channel="whatsapp", account_id="main", agent_id="echo")
            await gateway.desks.bindings.put(binding, None, "test")
            async with asyncio.TaskGroup() as group:
                parts = (store.run(), gateway.rooms.dispatcher.run(), gateway.rooms.worker.run())
                tasks = [group.create_task(part) for part in parts]
                yield Journey(gateway, clock, meta)
                for task in tasks:
                    task.cancel()
            await gateway.close()
        finally:
            await store.close()


async def test_a_message_is_answered_and_its_receipts_come_home(tmp_path: Path) -> None:
    async with _journey(tmp_path) as here:
        await here.write(text="你好 👍")
        (delivery,) = await here.until_states(DeliveryState.SENT)
        assert delivery.receipt == "none"

        await here.status("sent")
        await here.status("read")
        await here.status("delivered")

        (delivery,) = await here.deliveries()
        assert (delivery.state, delivery.receipt) == (DeliveryState.SENT, "read")
        assert [one.text for one in here.meta.platform.sent] == ["你好 👍"]


async def test_a_failed_receipt_fails_the_delivery_with_its_reason(tmp_path: Path) -> None:
    async with _journey(tmp_path) as here:
        await here.write(text="x")
        await here.until_states(DeliveryState.SENT)

        await here.status("failed", code=131047)

        (delivery,) = await here.until_states(DeliveryState.FAILED)
        assert delivery.error_kind == "receipt" and "24-hour window is closed" in delivery.error


async def test_a_closed_window_is_a_dead_letter_that_says_what_to_do(tmp_path: Path) -> None:
    async with _journey(tmp_path) as here:
        here.meta.platform.answer_with(131047)
        await here.write(text="x")

        (delivery,) = await here.until_states(DeliveryState.FAILED)

        assert delivery.error.startswith("the 24-hour window is closed: this person has to write")
        assert delivery.attempts == 1


@pytest.mark.parametrize(
    ("trouble", "calls"),
    [
        (lambda platform: platform.throttle(), 2),
        (lambda platform: platform.throttle(3, code=131056), 4),
        (lambda platform: platform.answer_with(131016), 2),
        (lambda platform: platform.fail(status=503), 2),
    ],
)
async def test_what_passes_is_waited_for_and_sent_once(
    tmp_path: Path, trouble: Callable[[Any], None], calls: int
) -> None:
    async with _journey(tmp_path) as here:
        trouble(here.meta.platform)
        await here.write(text="x")

        await here.until_states(DeliveryState.SENT)

        assert here.meta.platform.requests["message"] == calls
        assert len(here.meta.platform.sent) == 1


async def test_a_lost_answer_parks_the_delivery_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    async with _journey(tmp_path) as here:
        here.meta.platform.lose_next_answer()
        await here.write(text="x")

        await here.until_states(DeliveryState.UNKNOWN)

        assert len(here.meta.platform.sent) == 1


async def test_after_two_minutes_of_silence_everything_arrives_once_and_in_order(
    tmp_path: Path,
) -> None:
    async with _journey(tmp_path) as here:
        here.meta.platform.fail(10_000, status=503)
        for number in range(5):
            await here.write(text=f"{number}")
        down_until = here.clock.now() + 120_000

        async def is_over() -> bool:
            here.clock.advance(CLOCK_STEP_S)
            return here.clock.now() >= down_until

        async with asyncio.timeout(30):
            await until(is_over)
        assert not here.meta.platform.sent
        here.meta.platform.faults.clear()
        await here.until_states(*[DeliveryState.SENT] * 5)

        assert [one.text for one in here.meta.platform.sent] == ["0", "1", "2", "3", "4"]


async def test_a_long_answer_arrives_in_parts(tmp_path: Path) -> None:
    async with _journey(tmp_path, part_pause_s=0) as here:
        text = "\n\n".join(f"{number} " + "word " * 300 for number in range(8))
        await here.write(text=text)

        await here.until_states(DeliveryState.SENT)

        sent = [one.text for one in here.meta.platform.sent]
        assert len(sent) == 4
        assert "".join("".join(sent).split()) == "".join(text.split())
