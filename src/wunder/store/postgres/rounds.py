"""Units of work side by side: each stops at its statements, and those of a round run as one, over arrays.

A unit is a coroutine that awaits nothing but statements, so it is driven by hand: no tasks, no event
loop in it. In each round every unit has one list of statements open; those with the same text are
run once for all rows, and those over arrays go to the server as one. Sixty-four units then cost as
many round trips as one.
"""

import types
from collections.abc import Coroutine, Generator, Sequence
from typing import Any

from wunder.store.postgres.session import Session
from wunder.store.postgres.statements import Many, Statement
from wunder.store.unit import Rows


class Ask:
    """A statement and the rows it is to be run for."""

    __slots__ = ("rows", "statement")

    def __init__(self, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> None:
        self.statement = statement
        self.rows = rows


@types.coroutine
def ask(asks: list[Ask]) -> Generator[list[Ask], list[list[Rows]], list[list[Rows]]]:
    """Stop until these statements have run; they must not depend on each other."""
    return (yield asks)


class _Unit:
    __slots__ = ("asks", "coroutine", "is_done", "result")

    def __init__(self, coroutine: Coroutine[list[Ask], list[list[Rows]], Any]) -> None:
        self.coroutine = coroutine
        self.asks: list[Ask] = []
        self.is_done = False
        self.result: Any = None

    def go_on(self, results: list[list[Rows]] | None) -> None:
        try:
            self.asks = self.coroutine.send(results)  # type: ignore[arg-type]  # None starts it
        except StopIteration as end:
            self.is_done, self.result = True, end.value

    def fail(self, error: BaseException) -> None:
        try:
            self.asks = self.coroutine.throw(error)
        except StopIteration as end:
            self.is_done, self.result = True, end.value


async def side_by_side(
    session: Session, coroutines: Sequence[Coroutine[Any, Any, Any]]
) -> list[Any]:
    """Run units in rounds; their results. What a unit or a statement raises ends them all."""
    units = [_Unit(one) for one in coroutines]
    try:
        for unit in units:
            unit.go_on(None)
        while running := [unit for unit in units if not unit.is_done]:
            for unit, results in zip(running, await _round(session, running), strict=True):
                unit.go_on(results)
    finally:
        for unit in units:
            unit.coroutine.close()
    return [unit.result for unit in units]


async def alone(session: Session, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run one unit; it hears of what its statements raise."""
    unit = _Unit(coroutine)
    unit.go_on(None)
    while not unit.is_done:
        try:
            (results,) = await _round(session, [unit])
        except Exception as error:  # noqa: BLE001 - handed to the unit, which raises what it cannot bear
            unit.fail(error)
        else:
            unit.go_on(results)
    return unit.result


async def _round(session: Session, units: Sequence[_Unit]) -> list[list[list[Rows]]]:
    """Run what the units ask for; each text once, all over arrays as one."""
    wanted: dict[Statement, list[Ask]] = {}
    for unit in units:
        for one in unit.asks:
            wanted.setdefault(one.statement, []).append(one)
    rows = {text: [row for one in asks for row in one.rows] for text, asks in wanted.items()}
    parts = [(text, of) for text, of in rows.items() if isinstance(text, Many) and of]
    results: dict[Statement, list[Rows]] = {}
    if parts:
        results.update(zip((many for many, _ in parts), await session.ask(parts), strict=True))
    for text, of in rows.items():
        if isinstance(text, str):
            results[text] = [await session.fetch(text, *row) for row in of]
    found: dict[Ask, list[Rows]] = {}
    for text, asks in wanted.items():
        left = iter(results.get(text, ()))
        for one in asks:
            found[one] = [next(left) for _ in one.rows]
    return [[found[one] for one in unit.asks] for unit in units]
