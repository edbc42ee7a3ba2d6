"""A store whose health a test decides."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wunder.errors import StoreUnavailable


class FakeStoreHealth:
    """StoreHealth: healthy until told otherwise."""

    def __init__(self) -> None:
        self.probes = 0
        self.failure: StoreUnavailable | None = None
        self.is_hanging = False

    async def probe(self) -> None:
        self.probes += 1
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure

    def figures(self) -> dict[str, float]:
        return {"commits": float(self.probes)}

    async def backup(self, target: str) -> None:
        if self.failure is not None:
            raise self.failure
        Path(target).write_bytes(b"a copy")
