"""`channel_bindings`: which conversations of an account go to which agent."""

from typing import Any

import msgspec

from wunder.errors import Conflict, NotFound
from wunder.model.binding import Binding
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works

#: Rules and the agents that they name change one after the other: a lock on a row that is not there yet,
#: or on another table's, would keep nobody from it.
ALONE = "agents"
_COLUMNS = """binding_id, channel, account_id, peer_kind, peer_id, agent_id, priority, is_enabled, events,
  owner_user_id, created_at, rev"""
_ALL = f"SELECT {_COLUMNS} FROM channel_bindings ORDER BY created_at, binding_id"  # noqa: S608 - constant
_REV = "SELECT rev, created_at FROM channel_bindings WHERE binding_id = ?"
_PUT = f"""
INSERT INTO channel_bindings ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (binding_id) DO UPDATE SET channel = excluded.channel, account_id = excluded.account_id,
  peer_kind = excluded.peer_kind, peer_id = excluded.peer_id, agent_id = excluded.agent_id,
  priority = excluded.priority, is_enabled = excluded.is_enabled, events = excluded.events,
  owner_user_id = excluded.owner_user_id, created_at = excluded.created_at, rev = excluded.rev
"""  # noqa: S608 - constant


class SqlBindingTable:
    """Port BindingTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def all(self) -> list[Binding]:
        """Every binding, oldest first."""
        return [_row(row) for row in await self._reader.rows(_ALL)]

    async def put(self, row: Binding, expected_rev: int | None) -> Binding:
        """Store a binding, new or in place of the old; as stored.

        Raises: Conflict `rev` when `expected_rev` is given (0: there must be none) and differs;
            NotFound when there is none to change.
        """
        return await self._writer.work(lambda tx: _put(tx, row, expected_rev))

    async def remove(self, binding_id: str) -> None:
        """Forget a binding. Raises: NotFound."""

        async def unit(tx: Transaction) -> None:
            gone = await tx.run("DELETE FROM channel_bindings WHERE binding_id = ?", (binding_id,))
            if not gone.rowcount:
                raise NotFound("No such binding; list the bindings to see those there are.")
            tx.tell("bindings")

        await self._writer.work(unit)


def _row(row: tuple[Any, ...]) -> Binding:
    values = list(row)
    values[7], values[8] = bool(row[7]), bool(row[8])
    return Binding(*values)


async def _put(tx: Transaction, row: Binding, expected_rev: int | None) -> Binding:
    await tx.alone(ALONE)
    found = await tx.first(_REV, (row.binding_id,))
    if found is None and expected_rev:
        raise NotFound("No such binding; list the bindings to see those there are.")
    rev, created_at = found or (0, row.created_at)
    if expected_rev is not None and expected_rev != rev:
        words = f"The binding was changed meanwhile: it has rev {rev}."
        raise Conflict(words, reason="rev", state={"rev": rev})
    stored = msgspec.structs.replace(row, rev=rev + 1, created_at=created_at)
    values = msgspec.structs.astuple(stored)
    await tx.run(_PUT, tuple(int(one) if isinstance(one, bool) else one for one in values))
    tx.tell("bindings")
    return stored
