"""What a Python plugin needs of the interpreter: `python>=3.11,<4` read and compared."""

import re

Version = tuple[int, ...]
_CLAUSE = re.compile(r"(>=|<=|==|>|<)\s*(\d{1,3}(?:\.\d{1,3}){0,2})\Z", re.ASCII)
_NAME = "python"
PARTS = 3


class RuntimeWish:
    """A parsed `runtime`; made by `parse`."""

    def __init__(self, clauses: tuple[tuple[str, Version], ...]) -> None:
        self._clauses = clauses

    def is_met_by(self, here: Version) -> bool:
        """True when an interpreter of version `here` will do; `==3.11` takes every 3.11.x."""
        return all(_holds(operator, here, wanted) for operator, wanted in self._clauses)


def parse(runtime: str) -> RuntimeWish | None:
    """Return the wish in a manifest's `runtime`, None where it cannot be understood."""
    if not runtime.startswith(_NAME):
        return None
    rest = runtime.removeprefix(_NAME).strip()
    if not rest:
        return RuntimeWish(())
    clauses = []
    for part in rest.split(","):
        match = _CLAUSE.match(part.strip())
        if match is None:
            return None
        clauses.append((match[1], tuple(int(number) for number in match[2].split("."))))
    return RuntimeWish(tuple(clauses))


def _holds(operator: str, here: Version, wanted: Version) -> bool:
    if operator == "==":
        return here[: len(wanted)] == wanted
    full_here = (*here, 0, 0, 0)[:PARTS]
    full_wanted = (*wanted, 0, 0, 0)[:PARTS]
    match operator:
        case ">=":
            return full_here >= full_wanted
        case "<=":
            return full_here <= full_wanted
        case ">":
            return full_here > full_wanted
        case _:
            return full_here < full_wanted
