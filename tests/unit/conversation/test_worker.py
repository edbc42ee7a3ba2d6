"""Room 2's worker: a turn waits for its store, it does not fail for it."""

from pathlib import Path

from tests.journeys.corridor import corridor
from wunder.errors import StoreUnavailable
from wunder.model.delivery import DeliveryState


def text(number: int) -> dict:
    return {"id": f"m-{number}", "peer": "p1", "text": str(number)}


async def test_a_store_that_is_away_while_a_turn_reads_is_waited_for(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(text(1))
        await here.until_states(DeliveryState.SENT)
        read, tries = here.store.turns.history, 0

        async def away_at_first(*asked):
            nonlocal tries
            tries += 1
            if tries < 3:
                raise StoreUnavailable
            return await read(*asked)

        here.store.turns.history = away_at_first
        await here.post(text(2))
        for number in (1, 2):
            await here.until(lambda number=number: tries == number)
            await here.until(lambda: here.clock.sleepers)
            here.clock.advance(1)
        await here.until_states(DeliveryState.SENT, DeliveryState.SENT)
        assert here.platform.texts("p1") == ["1", "2"]
        assert await here.message_states() == ["answered", "answered"]
