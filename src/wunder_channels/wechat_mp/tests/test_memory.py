"""What several processes of this channel agree on through the gateway."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wunder_channels.wechat_mp.memory import may_force_token
from wunder_sdk.state import State
from wunder_sdk.testing import FakeHost


async def test_of_two_nodes_that_would_force_a_token_at_once_one_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A forced token ends the one before: the second would end the first's."""
    host = FakeHost()
    put = host.state_put

    async def slow(key: str, value: object, account_id: str | None, rev: int | None) -> int:
        await asyncio.sleep(0)
        return await put(key, value, account_id, rev)

    monkeypatch.setattr(host, "state_put", slow)
    nodes = [cast("Any", SimpleNamespace(state=State(host, "main"))) for _ in range(2)]
    may = await asyncio.gather(*(may_force_token(node, 1_000_000) for node in nodes))
    assert sorted(may) == [False, True]
    assert not await may_force_token(nodes[0], 1_020_000)
    assert await may_force_token(nodes[0], 1_031_000)
