"""A burst of ten times what fits: the newest is turned away, what was accepted is answered, others come in."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.corridor import Agents, Corridor, corridor
from wunder.errors import RequestRefused, StoreFull
from wunder.model.delivery import DeliveryState
from wunder.model.provider import StaticAck
from wunder.model.turn import AgentTurn, Reply
from wunder.upkeep.admission import AdmissionPolicy

S = DeliveryState
CAPACITY = 40
SMALL = AdmissionPolicy(messages_floor=CAPACITY, messages_ceiling=CAPACITY)


class SlowAgents(Agents):
    """Nobody is answered until the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.answer_with = self.wait

    async def wait(self, turn: AgentTurn) -> tuple[Reply, ...]:
        await self.gate.wait()
        return (Reply(turn.message.content.text),)


async def send(here: Corridor, number: int, peer: str, account: str = "main") -> int:
    """One message; 200, or the status it was turned away with."""
    item = {"id": f"{account}-{peer}-{number}", "peer": peer, "text": f"{number}"}
    try:
        answer = await here.post(item, account=account)
    except RequestRefused as refused:
        assert refused.retry_after_s is not None and refused.retry_after_s >= 1
        return refused.http_status
    return answer.status


async def test_a_burst_of_ten_times_capacity_loses_nothing_it_accepted(tmp_path: Path) -> None:
    agents = SlowAgents()
    async with corridor(tmp_path, agents=agents, admission=SMALL) as here:
        await here.add_account("quiet")
        accepted = []
        # One conversation: one turn runs, the others wait.
        for number in range(10 * CAPACITY):
            if number % 10 == 0:
                await here.upkeep.gate.look()
            if await send(here, number, "p1") == 200:
                accepted.append(str(number))
        waiting = here.store.health.figures()["channel_messages_received"]
        assert waiting <= CAPACITY
        assert CAPACITY // 2 <= len(accepted) <= CAPACITY + 1
        assert accepted == [str(number) for number in range(len(accepted))], "the newest went"
        assert await send(here, 9_999, "p1") == 429
        assert await send(here, 1, "p2", "quiet") == 200, "the flood does not take others' room"
        agents.gate.set()
        await here.until_states(*[S.SENT] * (len(accepted) + 1))
        assert here.platform.texts("p1") == accepted
        await here.upkeep.gate.look()
        assert await send(here, 10_000, "p1") == 200, "and it comes in again by itself"


@pytest.mark.parametrize("floods", [1, 3])
async def test_each_account_keeps_its_share_however_many_flood(tmp_path: Path, floods: int) -> None:
    agents = SlowAgents()
    async with corridor(tmp_path, agents=agents, admission=SMALL) as here:
        names = [f"flood{number}" for number in range(floods)]
        for name in [*names, "quiet"]:
            await here.add_account(name)
        for number in range(2 * CAPACITY):
            await here.upkeep.gate.look()
            for name in names:
                await send(here, number, "p", name)
        share = int(CAPACITY / 2 / (floods + 2))
        for number in range(share):
            assert await send(here, number, "p", "quiet") == 200
        agents.gate.set()
        await here.until(lambda: len(here.platform.arrivals) > share)


async def unavailable(here: Corridor, **kinds: Any) -> Any:
    """What a platform is answered while the store takes nothing."""

    async def full(*_: object) -> None:
        raise StoreFull

    intake: Any = here.store.intake
    intake.take_in = intake.spool = full
    return await here.post({"id": "m1", "peer": "p1", "text": "x"})


async def test_a_full_store_is_503_with_a_time_to_come_again(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:
        with pytest.raises(RequestRefused) as refused:
            await unavailable(here)
        assert (refused.value.http_status, refused.value.reason) == (503, "store_full")


async def test_a_full_store_drops_the_connection_where_the_platform_shows_errors(
    tmp_path: Path,
) -> None:
    async with corridor(tmp_path, when_unavailable="drop") as here:
        assert (await unavailable(here)).status == 0


async def test_overload_drops_the_connection_where_the_platform_shows_errors(
    tmp_path: Path,
) -> None:
    agents = SlowAgents()
    full = AdmissionPolicy(messages_floor=1, messages_ceiling=1, memory_bytes=1)
    async with corridor(tmp_path, agents=agents, admission=full, when_unavailable="drop") as here:
        await here.upkeep.gate.look()  # memory: one byte is allowed
        assert (await here.post({"id": "m1", "peer": "p1", "text": "x"})).status == 0


async def test_overload_keeps_what_a_platform_does_not_bring_again(tmp_path: Path) -> None:
    full = AdmissionPolicy(memory_bytes=1)
    kinds = {"redelivery": "none", "ack": StaticAck(200, "text/plain", b"ok")}
    async with corridor(tmp_path, admission=full, **kinds) as here:
        gate: Any = here.upkeep.gate
        await gate.look()
        answer = await here.post({"id": "m1", "peer": "p1", "text": "kept"})
        assert (answer.status, answer.body) == (200, b"ok")
        for _ in range(20):
            here.clock.advance(2)
            await asyncio.sleep(0.005)
        assert here.agents.turns == [], "what was kept does not come in by the back door"
        assert here.store.health.figures()["channel_spool"] == 1
        gate._resident_bytes = lambda: 0
        await gate.look()

        async def came() -> bool:
            here.clock.advance(2)
            return here.platform.texts("p1") == ["kept"]

        await here.until(came)
