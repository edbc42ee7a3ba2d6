"""One lock for installing and cleaning up, across coroutines and across processes."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wunder.errors import Conflict
from wunder.ports import Clock

LOCK_NAME = ".install.lock"
#: A lock of another process has no event to wait for; installs take seconds (choice).
LOOK_AGAIN_S = 0.1


class InstallLock:
    """Held from the first byte unpacked until the row is committed.

    The kernel gives it back when its holder dies: nobody has to clean it up.
    """

    def __init__(self, folder: Path, clock: Clock, wait_s: float) -> None:
        self._path = folder / LOCK_NAME
        self._clock = clock
        self._wait_s = wait_s
        self._ours = asyncio.Lock()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the lock. Raises: Conflict `install_busy` when another keeps it too long."""
        async with self._ours:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                await self._take(descriptor)
                yield
            finally:
                os.close(descriptor)

    async def _take(self, descriptor: int) -> None:
        give_up_at = self._clock.monotonic() + self._wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock.monotonic() >= give_up_at:
                    detail = (
                        "another process installs or removes a plugin; try again when it is done"
                    )
                    raise Conflict(detail, reason="install_busy") from None
                await self._clock.sleep(LOOK_AGAIN_S)
            else:
                return
