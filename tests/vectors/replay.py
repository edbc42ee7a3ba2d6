"""Vectors over HTTP: a real gateway on a real store, a fixed clock, and requests as they were recorded."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes.clock import FakeClock
from wunder.accounts.drafts import AccountDraft
from wunder.accounts.keyring import Keyring
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
        """Speak ASGI to the gateway's front door, as uvicorn would.

        Without an account it is the URL that all accounts of the channel share.
        """
        headers = [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in recorded.headers.items()
        ]
        headers.append((b"content-length", str(len(recorded.body)).encode()))
        path = "/".join(filter(None, ("/wunder/channel", self.channel, account_id, "webhook")))
        scope = {
            "type": "http",
            "method": recorded.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": recorded.query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "extensions": {},
        }
        said: list[dict[str, Any]] = []
        parts = [{"type": "http.request", "body": recorded.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return parts.pop(0) if parts else await asyncio.Future()

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        await self.gateway.app(scope, receive, send)
        return said[0]["status"], b"".join(one.get("body", b"") for one in said[1:])

    async def stored(self) -> list[Any]:
        """What the database holds, as the ledger tells it."""
        page = await self.gateway.store.ledger.messages(MessageFilter(direction="in"), 50, "")
        return list(page.items)


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
