"""Kept counters: each node counts what it did itself; a figure is the sum over the nodes."""

import msgspec

from wunder.store.postgres.session import Session
from wunder.store.postgres.statements import Many, Parts
from wunder.store.unit import Rows

#: One row a node: nodes never wait for each other's figures.
PREFIX = "count."
_WRITE = Many(
    """
INSERT INTO meta (key, value) SELECT key, value FROM {v}
ON CONFLICT (key) DO UPDATE SET value = excluded.value
""",
    "key text, value text",
)
_OF_NODE = "SELECT value FROM meta WHERE key = ?"
_ALL = "SELECT key, value FROM meta WHERE key LIKE 'count.%'"

_decode = msgspec.json.Decoder(dict[str, int]).decode
_encode = msgspec.json.Encoder().encode


#: How many transactions this node has committed that wrote something: the figure by which a commit is
#: known again whose answer was lost.
COMMITS = "commits"


async def commits_of(session: Session, node_id: str) -> int:
    """The commits of a node as they are stored; 0 where another node has taken over its figures."""
    rows = await session.fetch(_OF_NODE, PREFIX + node_id)
    return _decode(rows[0][0]).get(COMMITS, 0) if rows else 0


class Counters:
    """This node's committed figures, and what the others' were when they were last looked at."""

    def __init__(self, node_id: str) -> None:
        self._key = PREFIX + node_id
        self._own: dict[str, int] = {}
        self._others: dict[str, int] = {}

    def load(self, rows: Rows) -> None:
        """Take over what is stored; ALL_COUNTERS. For the start of a life."""
        stored = {str(key): value for key, value in rows}
        self._own = _decode(stored.get(self._key, "{}"))
        self.look(rows)

    def look(self, rows: Rows) -> None:
        """Take over what the other nodes have stored."""
        others: dict[str, int] = {}
        for key, value in rows:
            if key != self._key:
                for name, count in _decode(value).items():
                    others[name] = others.get(name, 0) + count
        self._others = others

    def changed(self, changes: dict[str, int]) -> Parts:
        """What a transaction with these changes writes of this node's figures."""
        if not any(changes.values()):
            return []
        return [(_WRITE, [(self._key, _encode(self._with(changes)).decode())])]

    def committed(self, changes: dict[str, int]) -> None:
        """Take over the changes of a transaction that was committed."""
        self._own = self._with(changes)

    def own(self, name: str) -> int:
        """What this node alone counted."""
        return self._own.get(name, 0)

    def value(self, name: str) -> int:
        """One figure; 0 where nothing was counted."""
        return self._own.get(name, 0) + self._others.get(name, 0)

    def snapshot(self) -> dict[str, float]:
        """All figures."""
        names = self._own.keys() | self._others.keys()
        return {name: float(self.value(name)) for name in sorted(names)}

    def _with(self, changes: dict[str, int]) -> dict[str, int]:
        figures = dict(self._own)
        for name, delta in changes.items():
            if delta:
                figures[name] = figures.get(name, 0) + delta
        return figures


ALL_COUNTERS = _ALL


def folded(counts: dict[str, int], value: str) -> None:
    """Add the figures of a node that is gone to changes of one that is there."""
    for name, count in _decode(value).items():
        counts[name] = counts.get(name, 0) + count
