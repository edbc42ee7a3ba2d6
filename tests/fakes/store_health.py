"""A store whose health a test decides."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wunder.errors import StoreUnavailable


class FakeStoreHealth:
    """StoreHealth: healthy until told otherwise."""

    def __init__(self) -> None:
        self.probes = 0
        self.failure: StoreUnavailable | None = None
        self.is_hanging = False
        self.backups: list[str] = []

    async def probe(self) -> None:
        self.probes += 1
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure

    def figures(self) -> dict[str, float]:
        return {"commits": 1.0}

    async def backup(self, target: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.backups.append(target)
