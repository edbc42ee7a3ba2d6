"""A connection that was lost is made again soon, however long the server was away."""

import pytest

from tests.fakes.clock import FakeClock
from wunder.config import Config
from wunder.errors import StoreUnavailable
from wunder.store.postgres.address import Address
from wunder.store.postgres.session import Line

#: Nobody listens there: a try fails at once.
NOWHERE = "postgresql://me:s3cret@127.0.0.1:1/wunder"


async def test_after_a_long_outage_the_next_try_is_never_more_than_two_seconds_away() -> None:
    clock = FakeClock()
    # What a gateway is started with: its cap for deliveries is a minute, and none of the database's.
    line = Line(Address(NOWHERE, Config().store_policy), "writer", clock.monotonic)
    for _ in range(100):  # a busy writer tries often, and at once
        with pytest.raises(StoreUnavailable):
            await line.session(at_once=True)
    clock.advance(2.0)
    with pytest.raises(StoreUnavailable) as refused:
        await line.session()
    assert "no connection" not in refused.value.detail, "it was tried, not put off"


async def test_while_the_backoff_runs_nobody_waits_for_a_try() -> None:
    clock = FakeClock()
    line = Line(Address(NOWHERE, Config().store_policy), "writer", clock.monotonic)
    with pytest.raises(StoreUnavailable):
        await line.session()
    with pytest.raises(StoreUnavailable, match="no connection"):
        await line.session()
