"""`agents`: who answers. As soon as there is one, exactly one is the default."""

from typing import Any

import msgspec

from wunder.errors import Conflict, NotFound
from wunder.model.binding import AgentRow
from wunder.model.ids import AgentId
from wunder.store.bindings import ALONE
from wunder.store.clean import from_json, to_json
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works

_COLUMNS = """agent_id, kind, config, secrets, secret_rev, is_default, is_visible_to_users, created_at,
  updated_at, rev"""
_ALL = f"SELECT {_COLUMNS} FROM agents ORDER BY created_at, agent_id"  # noqa: S608 - constant
_REV = "SELECT rev, created_at, is_default FROM agents WHERE agent_id = ?"
_PUT = f"""
INSERT INTO agents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (agent_id) DO UPDATE SET kind = excluded.kind, config = excluded.config,
  secrets = excluded.secrets, secret_rev = excluded.secret_rev, is_default = excluded.is_default,
  is_visible_to_users = excluded.is_visible_to_users, updated_at = excluded.updated_at, rev = excluded.rev
"""  # noqa: S608 - constant


class SqlAgentTable:
    """Port AgentTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def all(self) -> list[AgentRow]:
        """Every agent, oldest first."""
        return [_row(row) for row in await self._reader.rows(_ALL)]

    async def put(self, row: AgentRow, expected_rev: int | None) -> AgentRow:
        """Store an agent; as stored. The first one becomes the default, whatever it says.

        Raises: Conflict `rev`; Conflict `default_needed` when it would leave no default.
        """
        return await self._writer.work(lambda tx: _put(tx, row, expected_rev))

    async def remove(self, agent_id: AgentId) -> None:
        """Forget an agent. Raises: Conflict `agent_bound`, `default_needed`; NotFound."""
        await self._writer.work(lambda tx: _remove(tx, agent_id))


def _row(row: tuple[Any, ...]) -> AgentRow:
    config = from_json(row[2])
    return AgentRow(row[0], row[1], config, row[3], row[4], bool(row[5]), bool(row[6]), *row[7:])


async def _put(tx: Transaction, row: AgentRow, expected_rev: int | None) -> AgentRow:
    await tx.alone(ALONE)
    found = await tx.first(_REV, (row.agent_id,))
    if found is None and expected_rev:
        raise NotFound("No such agent; list the agents to see those there are.")
    rev, created_at, was_default = found or (0, row.created_at, 0)
    if expected_rev is not None and expected_rev != rev:
        words = f"The agent was changed meanwhile: it has rev {rev}."
        raise Conflict(words, reason="rev", state={"rev": rev})
    if was_default and not row.is_default:
        raise Conflict("Make another agent the default first.", reason="default_needed")
    has_default = await tx.first("SELECT 1 FROM agents WHERE is_default = 1") is not None
    is_default = row.is_default or not has_default
    if is_default:
        await tx.run("UPDATE agents SET is_default = 0 WHERE is_default = 1")
    stored = msgspec.structs.replace(row, rev=rev + 1, created_at=created_at, is_default=is_default)
    values = (
        stored.agent_id,
        stored.kind,
        to_json(stored.config),
        stored.secrets,
        stored.secret_rev,
        int(stored.is_default),
        int(stored.is_visible_to_users),
        stored.created_at,
        stored.updated_at,
        stored.rev,
    )
    await tx.run(_PUT, values)
    tx.tell("agents")
    return stored


async def _remove(tx: Transaction, agent_id: AgentId) -> None:
    await tx.alone(ALONE)
    found = await tx.first(_REV, (agent_id,))
    if found is None:
        raise NotFound("No such agent; list the agents to see those there are.")
    bound = await tx.run(
        "SELECT binding_id FROM channel_bindings WHERE agent_id = ? LIMIT 20", (agent_id,)
    )
    if bound:
        state = {"bindings": [row[0] for row in bound]}
        raise Conflict("Bindings still name this agent.", reason="agent_bound", state=state)
    if found[2]:
        raise Conflict("Make another agent the default first.", reason="default_needed")
    await tx.run("DELETE FROM agents WHERE agent_id = ?", (agent_id,))
    tx.tell("agents")
