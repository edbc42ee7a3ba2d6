"""Vectors over HTTP: a real gateway on a real store, a fixed clock, and requests as they were recorded."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes.clock import FakeClock
from wunder.accounts.drafts import AccountDraft
from wunder.accounts.keyring import Keyring
from wunder.api.listener import listener
from wunder.api.parts import ApiPolicy
from wunder.app.gateway import Gateway
from wunder.config import Config
from wunder.model.account import AccessRules
from wunder.store.sqlite.store import open_store
from wunder.upkeep.ledger import MessageFilter

DEFAULT_BODY_BYTES = 5 * 1_048_576


@dataclass(frozen=True)
class Recorded:
    """One request of a vector: raw bytes, raw query."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Replay:
    """One gateway with one account of the channel under test."""

    def __init__(self, gateway: Gateway, clock: FakeClock, channel: str) -> None:
        self.gateway = gateway
        self.clock = clock
        self.channel = channel

    async def add_account(self, config: dict[str, Any], account_id: str = "main") -> None:
        """Make the account of a vector; every group is heard."""
        draft = AccountDraft(
            channel=self.channel,
            account_id=account_id,
            provider_config=config,
            access=AccessRules(groups="all"),
        )
        await self.gateway.desks.accounts.create(draft, "test")

    async def post(self, recorded: Recorded, account_id: str = "main") -> tuple[int, bytes]:
        """Speak HTTP to the gateway's front door, byte for byte as it was recorded.

        Without an account it is the URL that all accounts of the channel share.
        """
        path = "/".join(filter(None, ("/wunder/channel", self.channel, account_id, "webhook")))
        target = f"{path}?{recorded.query}" if recorded.query else path
        length = {"Content-Length": str(len(recorded.body)), "Connection": "close"}
        own = {
            name: value for name, value in recorded.headers.items() if name.title() not in length
        }
        lines = [f"{name}: {value}" for name, value in {"Host": "gateway", **own, **length}.items()]
        first = f"{recorded.method} {target} HTTP/1.1\r\n".encode()
        head = first + "\r\n".join([*lines, "", ""]).encode("latin-1")
        async with opened(self.gateway) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head + recorded.body)
            answered = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = re.search(rb"content-length: (\d+)", answered)
            body = await reader.readexactly(int(size[1]) if size else 0)
            writer.close()
        return int(answered.split(b" ", 2)[1]), body

    async def stored(self) -> list[Any]:
        """What the database holds, as the ledger tells it."""
        page = await self.gateway.store.ledger.messages(MessageFilter(direction="in"), 50, "")
        return list(page.items)


@asynccontextmanager
async def opened(gateway: Gateway) -> AsyncIterator[int]:
    """The gateway's front door on a port of its own; the port."""
    door, stop = gateway.app, asyncio.Event()
    server = listener(door, "127.0.0.1", 0, ApiPolicy(), door.take_webhook)
    async with asyncio.TaskGroup() as serving:
        serving.create_task(server.serve_until(stop))
        try:
            yield server.port
        finally:
            stop.set()


@asynccontextmanager
async def replay(
    data_dir: Path, channel: str, now_ms: int, max_body_bytes: int = DEFAULT_BODY_BYTES
) -> AsyncIterator[Replay]:
    """Open a gateway whose clock stands at `now_ms`."""
    clock = FakeClock(now_ms)
    config = msgspec.convert(
        {
            "gateway": {"data_dir": str(data_dir), "max_body_bytes": max_body_bytes},
            "api": {"access_log": "off"},
        },
        Config,
    )
    store = await open_store(data_dir, clock)
    try:
        gateway = Gateway(config, store, Keyring(bytes(32)), clock)
        await gateway.load()
        yield Replay(gateway, clock, channel)
    finally:
        await store.close()
