"""Waiting for what another process or thread does: by condition, never for a fixed time."""

import asyncio
import inspect
import time
from collections.abc import Callable

#: How often a condition is looked at; the test's own limit bounds the whole.
LOOK_EVERY_S = 0.005
LIMIT_S = 30.0


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until `condition`, plain or async, holds."""
    while True:
        verdict = condition()
        if inspect.isawaitable(verdict):
            verdict = await verdict
        if verdict:
            return
        await asyncio.sleep(LOOK_EVERY_S)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait for other processes until `condition` holds. Raises: AssertionError after LIMIT_S."""
    ends_at = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < ends_at, f"not within {LIMIT_S:g} s"
        time.sleep(LOOK_EVERY_S)
