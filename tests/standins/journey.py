"""One journey for every channel: a whole gateway, a stand-in, and the channel built in or as a plugin."""

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.standins.agent.server import AgentServer
from tests.standins.kinds import Kind
from tests.vectors.replay import Recorded, Replay
from tests.waiting import until
from wunder.accounts.agents import AgentDraft
from wunder.accounts.bindings import BindingDraft
from wunder.accounts.keyring import Keyring
from wunder.app.gateway import Gateway
from wunder.config import Config
from wunder.model.delivery import StoredAttempt, StoredDelivery
from wunder.model.ids import ChannelId, PluginId
from wunder.plugins.bundle import bundle_builtin
from wunder.store.sqlite.store import open_store
from wunder.upkeep.ledger import DeliveryFilter

Way = Literal["builtin", "plugin"]
WAYS = ("builtin", pytest.param("plugin", marks=pytest.mark.process))
CHANNELS = Path(__file__).resolve().parents[2] / "src/wunder_channels"
#: Calls of a plugin take real time: fake time must not run away from them.
IN_FLIGHT = frozenset({"claimed", "sending"})
LOOKS_A_SECOND: dict[str, int] = {"builtin": 1, "plugin": 2}


@dataclass
class Journey:
    """What a test holds in its hands."""

    kind: Kind
    way: Way
    standin: Any
    gateway: Gateway
    clock: FakeClock
    data_dir: Path

    @property
    def platform(self) -> Any:
        """The platform behind the stand-in."""
        return self.standin.platform

    async def post(self, recorded: Recorded) -> tuple[int, bytes]:
        """The platform calls the webhook."""
        return await Replay(self.gateway, self.clock, self.kind.channel).post(recorded)

    async def write(self, text: str, person: int = 0) -> None:
        """Somebody writes, and the platform gets the answer it wants."""
        who = self.kind.person(person)
        recorded = self.kind.write(self.standin, who, text, self.clock.now() / 1000)
        assert await self.post(recorded) == (200, self.kind.ack)

    async def send_picture(self, content: bytes, person: int = 0) -> None:
        """Somebody sends a picture."""
        who, now_s = self.kind.person(person), self.clock.now() / 1000
        recorded = self.kind.picture(self.standin, who, content, now_s)
        assert await self.post(recorded) == (200, self.kind.ack)

    def texts(self) -> list[str]:
        """What people have read, oldest first."""
        return [one.text for one in self.platform.sent]

    async def deliveries(self) -> list[StoredDelivery]:
        """The outbox, oldest first."""
        page = await self.gateway.store.ledger.deliveries(DeliveryFilter(), 200, "")
        return list(reversed(page.items))

    async def attempts(self) -> list[StoredAttempt]:
        """Every attempt of every delivery."""
        found: list[StoredAttempt] = []
        for one in await self.deliveries():
            detail = await self.gateway.store.ledger.delivery(one.delivery_id)
            found += detail[1] if detail else ()
        return found

    async def until_states(self, *wanted: str, step_s: float = 1) -> list[StoredDelivery]:
        """Let everything run, time too, until the outbox is in these states."""
        looks = 0

        async def reached() -> bool:
            nonlocal looks
            looks += 1
            found = [str(one.state) for one in await self.deliveries()]
            # What is under way takes real time: fake time waits for it.
            is_calm = IN_FLIGHT.isdisjoint(found)
            if is_calm and looks % LOOKS_A_SECOND[self.way] == 0:
                self.clock.advance(step_s)
            assert not Counter(found)["unknown"] > Counter(wanted)["unknown"], found
            return found == list(wanted)

        async with asyncio.timeout(45):
            await until(reached)
        return await self.deliveries()

    async def until(self, condition: Callable[[], object]) -> None:
        """Let fake time pass at twice the pace of real time until `condition`, plain or async, holds.

        Calls of a plugin are timed by fake time: on a busy machine it must not run away from them.
        """
        began_s, passed_s = time.monotonic(), 0.0

        async def holds() -> bool:
            nonlocal passed_s
            due_s = 2 * (time.monotonic() - began_s)
            self.clock.advance(due_s - passed_s)
            passed_s = due_s
            verdict = condition()
            return bool(await verdict if inspect.isawaitable(verdict) else verdict)

        await until(holds)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass while everything runs."""
        until_s = self.clock.monotonic() + seconds

        async def is_over() -> bool:
            if IN_FLIGHT.isdisjoint(str(one.state) for one in await self.deliveries()):
                self.clock.advance(1)
            return self.clock.monotonic() >= until_s

        await until(is_over)

    async def become_plugin(self) -> None:
        """Install the channel's own bundle and let it serve, as `plugin install builtin:<id>` does."""
        channel, plugins = self.kind.channel, self.gateway.channels.plugins
        package = self.data_dir.with_name(f"{channel}.zip")
        packed = bundle_builtin(channel, CHANNELS, package)
        release = await plugins.install(package, sha256=packed.sha256, by="test", source="builtin")
        await plugins.approve(channel, release.version, packed.sha256, "test")
        await plugins.enable(channel, version=None, confirm=channel, by="test")
        await self.until_served("plugin")

    async def switch(self, source: Way) -> None:
        """Let the other one serve; the plugin is installed already."""
        await self.gateway.channels.plugins.set_source(self.kind.channel, source, "test")
        await self.until_served(source)

    async def until_served(self, source: Way) -> None:
        """Wait until this one answers webhooks."""

        def is_served() -> bool:
            provider = self.gateway.channels.providers.serving(ChannelId(self.kind.channel))
            if provider is None or provider.facts.source != source:
                return False
            report = self.gateway.channels.host.report(PluginId(self.kind.channel))
            return source == "builtin" or (report is not None and report.state == "ready")

        async with asyncio.timeout(30):
            await until(is_served)


@asynccontextmanager
async def agent_server() -> AsyncIterator[AgentServer]:
    """An agent over HTTP that does what a test says."""
    server = AgentServer("s" * 32)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def journey(
    kind: Kind, way: Way, data_dir: Path, *, agent: AgentServer | None = None, **fields: Any
) -> AsyncIterator[Journey]:
    """Open a gateway with one account of this kind; `fields` are further ones of the account.

    The agent is one that echoes, or the one that is given.
    """
    clock = FakeClock(int(time.time()) * 1000)
    async with kind.standin() as standin:
        platform: Any = standin.platform  # type: ignore[attr-defined]  # every stand-in has one
        platform._clock = lambda: clock.now() / 1000
        addresses = [standin.url, *([agent.url] if agent is not None else [])]
        given = {
            "gateway": {"data_dir": str(data_dir)},
            "api": {"access_log": "off"},
            "egress": {"allow_hosts": [urlsplit(one).netloc for one in addresses]},
        }
        store = await open_store(data_dir, clock)
        gateway = Gateway(msgspec.convert(given, Config), store, Keyring(bytes(32)), clock)
        await gateway.load()
        replay = Replay(gateway, clock, kind.channel)
        await replay.add_account({**kind.account(standin.url), **fields})
        if agent is not None:
            config = {"url": agent.url, "signing_secret": agent.secret}
            draft = AgentDraft(agent_id="service", kind="http", config=config)
            await gateway.desks.agents.put(draft, None, "test")
        agent_id = "echo" if agent is None else "service"
        binding = BindingDraft(channel=kind.channel, account_id="main", agent_id=agent_id)
        await gateway.desks.bindings.put(binding, None, "test")
        here = Journey(kind, way, standin, gateway, clock, data_dir)
        try:
            async with asyncio.TaskGroup() as group:
                rooms = [gateway.rooms.dispatcher.run(), gateway.rooms.worker.run(), store.run()]
                rooms += [
                    gateway.attachments.run(),
                    gateway.rooms.stage.run(),
                    gateway.channels.host.run(),
                ]
                tasks = [group.create_task(room) for room in rooms]
                try:
                    if way == "plugin":
                        await here.become_plugin()
                    yield here
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            await gateway.close()
            await store.close()
