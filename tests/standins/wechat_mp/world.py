"""A whole gateway between the platform's stand-in and an agent that answers when a test says so."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes.clock import FakeClock
from tests.standins.agent.server import AgentServer
from tests.standins.wechat_mp.callbacks import ORIGINAL_ID, CallbackWriter
from tests.standins.wechat_mp.server import MpStandin
from tests.waiting import until
from wunder.accounts.agents import AgentDraft
from wunder.accounts.bindings import BindingDraft
from wunder.accounts.drafts import AccountDraft
from wunder.accounts.keyring import Keyring
from wunder.api.listener import listener
from wunder.api.parts import ApiPolicy
from wunder.app.gateway import Gateway
from wunder.config import Config
from wunder.store.sqlite.store import open_store
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter

APP_ID = "wx1234567890abcdef"
SECRETS = {
    "app_secret": "FAKEmpSecretFAKEmpSecretFAKE0001",
    "token": "MpT0ken01",
    "encoding_aes_key": "FIVnSBaYDdCrxT1nbLHOpoSH/lMfB+BzC655o4Vbzo4",
}
SIGNING_SECRET = "s" * 32


@dataclass
class World:
    """What a test holds in its hands."""

    mp: MpStandin
    agent: AgentServer
    gateway: Gateway
    clock: FakeClock

    async def say(self, text: str, **asked: Any) -> list[dict[str, Any]]:
        """Have a user write, and deliver it as the platform does."""
        now_s = int(self.clock.now() / 1000)
        return await self.mp.deliver(
            self.mp.callbacks.write({"text": text, "created_s": now_s, **asked})
        )

    def seen(self, openid: str = "") -> list[str]:
        """What users read, oldest first."""
        return [one.text for one in self.mp.platform.sent if openid in ("", one.touser)]

    async def until_seen(self, *texts: str) -> None:
        """Let everything run until users read exactly this."""
        await until(lambda: self.seen() == list(texts))

    async def until_held(self, delivery: int) -> None:
        """Let everything run until the gateway holds the n-th delivery for its reply."""
        inline = self.gateway.rooms.webhooks._inline
        await until(lambda: self.mp.posts >= delivery and inline._waiting)

    async def states(self) -> list[str]:
        """The states of all deliveries, oldest first."""
        page = await self.gateway.store.ledger.deliveries(DeliveryFilter(), 200, "")
        return [str(row.state) for row in reversed(page.items)]

    async def until_states(self, *states: str) -> None:
        """Let everything run until the deliveries are in these states."""

        async def reached() -> bool:
            return await self.states() == list(states)

        await until(reached)

    async def deliveries(self) -> list[Any]:
        """All deliveries, oldest first."""
        page = await self.gateway.store.ledger.deliveries(DeliveryFilter(), 200, "")
        return list(reversed(page.items))

    async def messages(self) -> list[Any]:
        """All inbound messages, oldest first."""
        page = await self.gateway.store.ledger.messages(MessageFilter(direction="in"), 200, "")
        return list(reversed(page.items))

    async def pass_time(self, seconds: int) -> None:
        """Let the gateway's clock run, and everything that waits for it."""
        for _ in range(seconds):
            self.clock.advance(1)
            await asyncio.sleep(0.002)


@asynccontextmanager
async def world(data_dir: Path, mode: str = "safe", **account: Any) -> AsyncIterator[World]:
    """Open everything; `account` are fields of the official account."""
    writer = CallbackWriter(APP_ID, SECRETS["token"], SECRETS["encoding_aes_key"], mode)
    agent = AgentServer(SIGNING_SECRET)
    await agent.start()
    clock = FakeClock(int(time.time()) * 1000)
    async with MpStandin(writer, SECRETS["app_secret"]) as mp:
        hosts = [one.removeprefix("http://").partition("/")[0] for one in (mp.url, agent.url)]
        config = msgspec.convert(
            {
                "gateway": {"data_dir": str(data_dir)},
                "api": {"access_log": "off"},
                "egress": {"allow_hosts": hosts},
                "dispatcher": {"poll_s": 0.02},
                "worker": {"poll_s": 0.02},
                "inline": {"poll_s": 0.02},
            },
            Config,
        )
        store = await open_store(data_dir, clock)
        gateway = Gateway(config, store, Keyring(bytes(32)), clock)
        await gateway.load()
        await _set_up(gateway, mp, agent, {"encrypt_mode": mode, **account})
        server = listener(gateway.app, "127.0.0.1", 0, ApiPolicy(), gateway.app.take_webhook)
        stop = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tg:
                rooms = (store.run(), gateway.rooms.dispatcher.run(), gateway.rooms.worker.run())
                tasks = [tg.create_task(room) for room in rooms]
                serving = tg.create_task(server.serve_until(stop))
                mp.webhook_url = (
                    f"http://127.0.0.1:{server.port}/wunder/channel/wechat_mp/main/webhook"
                )
                yield World(mp, agent, gateway, clock)
                agent.go_on.set()
                stop.set()
                await serving
                for task in tasks:
                    task.cancel()
        finally:
            await gateway.close()
            await store.close()
            await agent.stop()


async def _set_up(
    gateway: Gateway, mp: MpStandin, agent: AgentServer, fields: dict[str, Any]
) -> None:
    await gateway.desks.agents.put(
        AgentDraft(
            agent_id="service",
            kind="http",
            config={"url": agent.url, "signing_secret": SIGNING_SECRET},
        ),
        None,
        "test",
    )
    config = {
        "app_id": APP_ID,
        "original_id": ORIGINAL_ID,
        "domain": mp.url,
        **SECRETS,
        **fields,
    }
    draft = AccountDraft(channel="wechat_mp", account_id="main", provider_config=config)
    await gateway.desks.accounts.create(draft, "test")
    binding = BindingDraft(channel="wechat_mp", account_id="main", agent_id="service", events=True)
    await gateway.desks.bindings.put(binding, None, "test")
