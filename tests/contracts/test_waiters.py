"""The door Waiters: telling that a turn ended never blocks and needs nobody to listen."""

from tests.fakes.clock import FakeClock
from tests.fakes.waiters import FakeWaiters
from tests.journeys.corridor import corridor
from wunder.inbound.inline import InlineDesk, InlinePolicy


async def test_a_message_that_nobody_holds_wakes_nobody(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        desk = InlineDesk(here.store.outbox, FakeClock(), InlinePolicy())
        for waiters in (FakeWaiters(), desk):
            waiters.ended("nobody")
            waiters.ended("nobody")
