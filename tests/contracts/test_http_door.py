"""The door HttpDoor: sessions of the guarded client for channels that run in this process."""

import aiohttp
import pytest
from aiohttp import web

from wunder.egress.client import EgressPolicy, GuardedClient


async def _hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


@pytest.fixture
async def site():
    app = web.Application()
    app.router.add_get("/", _hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_rule_10_a_session_does_not_reach_loopback(site: str) -> None:
    async with GuardedClient().session() as session:
        with pytest.raises((aiohttp.ClientError, PermissionError)):
            await session.get(f"http://{site}/")


async def test_rule_10_a_session_reaches_what_the_operator_allows(site: str) -> None:
    client = GuardedClient(EgressPolicy(allow_hosts=(site,)))
    async with client.session() as session:
        answer = await session.get(f"http://{site}/")
        assert await answer.text() == "hello"
    await client.close()


async def test_each_call_gives_a_session_of_its_own() -> None:
    client = GuardedClient()
    async with client.session() as first, client.session() as second:
        assert first is not second
