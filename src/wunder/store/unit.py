"""Units of work that are written once for both engines: coroutines that await nothing but statements.

What messages pass through is written for each engine, with its own ways to be fast. Everything else
is a unit over a Transaction: its SQL is what both understand.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from wunder.store.gathered import Gathered

T = TypeVar("T")


class Rows(list[tuple[Any, ...]]):
    """What a statement returned, and how many rows it touched."""

    __slots__ = ("rowcount",)

    def __init__(self, rows: Sequence[tuple[Any, ...]], rowcount: int) -> None:
        super().__init__(rows)
        self.rowcount = rowcount


class RowExists(Exception):
    """A unique index has such a row already; `args` name it."""


class Transaction(Gathered):
    """What a unit may do; statements are written with `?` or `?1`."""

    #: What a SELECT ends with whose row the unit is going to change.
    for_update = ""
    #: What a SELECT ends with that passes over rows another node holds.
    skip_locked = ""

    async def run(self, sql: str, row: tuple[Any, ...] = ()) -> Rows:
        """Run a statement with cleaned values. Raises: RowExists."""
        raise NotImplementedError

    async def first(self, sql: Any, row: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """Run a statement, one that both engines know or this one's own, and return its first row."""
        found = await self.run(sql, row)
        return found[0] if found else None

    def put(self, statement: Any, row: tuple[Any, ...]) -> None:
        """Write a row by a statement of the engine: at once, or with the like of others of its batch.

        No statement of this unit may read it.
        """
        raise NotImplementedError

    async def settle_down(self) -> None:
        """Write what was put off, for a unit that reads what others of its batch wrote."""

    async def alone(self, name: str) -> None:
        """Let no other unit, on no other node, run under the same name until this one is committed."""

    def has_spooled(self) -> bool:
        """False where certainly no request waits in any account's spool."""
        return bool(self.figure("channel_spool"))

    def tell(self, topic: str) -> None:
        """Have other nodes hear of a topic when this is committed."""


Unit = Callable[[Transaction], Coroutine[Any, Any, T]]


class Works(Protocol):
    """The writer of an engine, as doors that are written once know it."""

    async def work(self, unit: Unit[T], *, is_intake: bool = False) -> T:
        """Run a unit in the next group commit; its result is durable when this returns.

        Raises: StoreUnavailable, StoreFull, StoreBroken, and whatever the unit raises.
        """


async def no_work(_tx: Transaction) -> None:
    """Commit what rides along."""


def doing(sql: str, values: tuple[Any, ...]) -> Unit[None]:
    """A unit of one statement."""

    async def unit(tx: Transaction) -> None:
        await tx.run(sql, values)

    return unit
