"""A chat page and what is said on it may be served by different nodes of one database."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.journeys.chat_stream import opened_page
from tests.journeys.gateway_process import GatewayProcess
from tests.postgres_server import postgres

pytestmark = pytest.mark.process


@pytest.fixture
async def url() -> str:
    return await postgres().new_database()


@pytest.fixture
def nodes(url: str, tmp_path: Path) -> Iterator[list[GatewayProcess]]:
    """Two gateways with one key."""
    with ExitStack() as stack:
        running: list[GatewayProcess] = []
        for number in range(2):
            place = tmp_path / f"node{number}"
            if running:
                (place / "keys").mkdir(parents=True, mode=0o700)
                place.chmod(0o700)
                shutil.copy2(running[0].data_dir / "keys/master.key", place / "keys/master.key")
            node = GatewayProcess(place, WUNDER_STORE_DATABASE_URL=url)
            running.append(stack.enter_context(node))
        yield running


async def test_what_is_said_on_one_node_is_shown_by_another_with_the_same_token(
    nodes: list[GatewayProcess],
) -> None:
    account = {"channel": "webchat", "account_id": "front"}
    key = nodes[0].call("POST", "channels/accounts", account)["webhook_key"]
    nodes[0].call("POST", "channels/bindings", account | {"agent_id": "echo"})
    async with (
        aiohttp.ClientSession(nodes[0].url) as first,
        aiohttp.ClientSession(nodes[1].url) as second,
    ):
        async with first.post(f"/wunder/chat/{key}/visits", json={}) as answer:
            token = (await answer.json())["token"]
        async with opened_page(second, key, token) as page:
            headers = {"Authorization": f"Bearer {token}"}
            said = {"id": "line-0001", "text": "hello"}
            path = f"/wunder/chat/{key}/messages"
            async with first.post(path, json=said, headers=headers) as answer:
                assert answer.status == 202
            await page.until("hello", "done")
            await page.until("hello", "delivered")
