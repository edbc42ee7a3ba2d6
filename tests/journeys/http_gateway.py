"""The whole gateway in this process behind a real socket: real store, rooms and desks, a fake platform."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import aiohttp

from tests.fakes.channel_provider import FakeChannelProvider
from wunder.accounts.keyring import Keyring
from wunder.accounts.setup_token import SetupToken
from wunder.api.listener import listener
from wunder.api.parts import ApiPolicy
from wunder.app.gateway import Gateway
from wunder.config import load_config
from wunder.model.ids import ChannelId
from wunder.observe.clock import SystemClock
from wunder.store.sqlite.store import SqliteStore, open_store

QUICK = {"WUNDER_RETRY_BASE_S": "0.01", "WUNDER_RETRY_CAP_S": "0.02"}
SCHEMA = {
    "type": "object",
    "properties": {
        "app_id": {"type": "string"},
        "app_secret": {"type": "string", "writeOnly": True},
        "address": {"type": "string", "format": "uri"},
    },
    "required": ["app_id"],
    "additionalProperties": False,
}


def wired(
    data_dir: Path,
    store: SqliteStore,
    platform: FakeChannelProvider,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Gateway:
    """The gateway as app wires it, with one channel that is the test's platform."""
    config = load_config(None, {}, {**QUICK, "WUNDER_DATA_DIR": str(data_dir), **settings})
    gateway = Gateway(config, store, Keyring(bytes(32)), SystemClock())
    gateway.channels.providers._builtins[ChannelId("chat")] = cast("Any", platform)
    return gateway


@dataclass
class HttpGateway:
    """What a test holds in its hands."""

    wired: Gateway
    platform: FakeChannelProvider
    http: aiohttp.ClientSession
    token: str = ""
    statuses: list[int] = field(default_factory=list)

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        """One call under /wunder/admin; status and what was answered."""
        token = self.token if token is None else token
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"/wunder/admin/{path}"
        async with self.http.request(method, url, json=body, headers=sent) as answer:
            text = await answer.text()
            return answer.status, await answer.json(content_type=None) if text else None

    async def upload(self, package: bytes, query: str = "") -> tuple[int, Any]:
        """Upload a plugin package."""
        form = aiohttp.FormData()
        form.add_field("file", package, filename="plugin.zip")
        sent = {"Authorization": f"Bearer {self.token}"}
        url = f"/wunder/admin/channel_plugins/upload{query}"
        async with self.http.post(url, data=form, headers=sent) as answer:
            return answer.status, await answer.json(content_type=None)

    async def webhook(self, *items: dict[str, Any], account: str = "main") -> int:
        """Deliver messages as the platform does."""
        url = f"/wunder/channel/chat/{account}/webhook"
        async with self.http.post(url, json=list(items)) as answer:
            await answer.read()
            return answer.status

    async def until(self, path: str, **wanted: Any) -> list[dict[str, Any]]:
        """Ask a list until its newest item has these fields; pytest's timeout bounds it."""
        while True:
            _, page = await self.call("GET", path)
            items: list[dict[str, Any]] = page["items"]
            if items and all(items[0][name] == value for name, value in wanted.items()):
                return items
            await asyncio.sleep(0.005)


@asynccontextmanager
async def http_gateway(
    data_dir: Path,
    *,
    is_set_up: bool = True,
    settings: Mapping[str, str] = MappingProxyType({}),
    **channel: Any,
) -> AsyncIterator[HttpGateway]:
    """Open a gateway on `data_dir` with a token of every scope, or as it is before its first user."""
    platform = FakeChannelProvider("chat", **{"account_schema": SCHEMA} | channel)
    store = await open_store(data_dir, SystemClock())
    gateway = wired(data_dir, store, platform, settings)
    await gateway.load()
    setup = await gateway.desks.tokens.offer_setup()
    stop = asyncio.Event()
    server = listener(gateway.app, "127.0.0.1", 0, ApiPolicy(), gateway.app.take_webhook)
    gateway.own_url = f"http://127.0.0.1:{server.port}"
    platform.blobs = gateway.attachments.blobs
    try:
        async with asyncio.TaskGroup() as group:
            rooms = [gateway.rooms.dispatcher.run(), gateway.rooms.worker.run(), store.run()]
            rooms += [
                gateway.channels.host.run(),
                gateway.attachments.run(),
                gateway.rooms.stage.run(),
            ]
            rooms += [gateway.console.hub.run(), gateway.console.minutes.run()]
            rooms += [gateway.upkeep.run()]
            tasks = [group.create_task(room) for room in rooms]
            serving = group.create_task(server.serve_until(stop))
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as http:
                here = HttpGateway(gateway, platform, http)
                if setup and is_set_up:
                    first = {"token": SetupToken(data_dir).read(), "name": "first"}
                    _, issued = await here.call("POST", "setup", first)
                    here.token = issued["token"]
                yield here
            stop.set()
            gateway.console.hub.close()
            await serving
            for task in tasks:
                task.cancel()
    finally:
        await gateway.close()
        await store.close()
