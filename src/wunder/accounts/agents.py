"""What operators do to agents; their secrets follow the rules of an account's."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from wunder.accounts.agent_kinds import AGENT_SCHEMAS
from wunder.accounts.changes import changes_between
from wunder.accounts.schema import SchemaView
from wunder.accounts.schema_check import SchemaCheck, refuse
from wunder.accounts.sealing import agent_context, agent_secrets, seal_secrets
from wunder.accounts.secrets import Merged, masked, merge
from wunder.errors import Conflict, FieldFault, Invalid, NotFound, StoreBroken
from wunder.model.binding import AgentKind, AgentRow, AgentSpec
from wunder.model.ids import AgentId, At
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import AgentTable, Clock, EventLog, Sealer

log = get_logger(__name__)

LABEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class AgentDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole agent as written. Absent `config`: what is stored stays."""

    agent_id: str
    kind: AgentKind
    config: dict[str, Any] | UnsetType = UNSET
    is_default: bool = False
    is_visible_to_users: bool = False


class AgentView(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as shown. `config` holds {"set": true} for each secret."""

    agent_id: str
    kind: AgentKind
    config: dict[str, Any]
    is_default: bool
    is_visible_to_users: bool
    rev: int
    created_at: At
    updated_at: At


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentParts:
    """What the desk works with; `hmac8` names a secret in the event log without telling it."""

    agents: AgentTable
    schemas: SchemaCheck
    sealer: Sealer
    hmac8: Callable[[str], str]
    events: EventLog
    clock: Clock


class AgentDesk:
    """Lists, writes and removes agents, and keeps their specs in memory for whoever runs them."""

    def __init__(self, parts: AgentParts) -> None:
        self._parts = parts
        self._rows: dict[AgentId, AgentRow] = {}
        self._specs: dict[AgentId, AgentSpec] = {}

    async def reload(self) -> None:
        """Read the table again."""
        self._rows = {row.agent_id: row for row in await self._parts.agents.all()}
        self._specs = {
            agent_id: spec
            for agent_id, spec in self._specs.items()
            if agent_id in self._rows and self._rows[agent_id].rev == spec.rev
        }

    def spec(self, agent_id: str) -> AgentSpec | None:
        """Return an agent with its secrets opened; None when there is none or its seal is broken."""
        known = self._specs.get(AgentId(agent_id))
        row = self._rows.get(AgentId(agent_id))
        if known is not None or row is None:
            return known
        try:
            secrets = agent_secrets(self._parts.sealer, row)
        except StoreBroken:
            log.exception("agent_seal_broken", agent_id=agent_id)
            return None
        spec = AgentSpec(row.agent_id, row.kind, row.config, secrets, row.rev)
        self._specs[row.agent_id] = spec
        return spec

    def ids(self) -> Collection[AgentId]:
        """Return the ids of all agents."""
        return self._rows.keys()

    def default_id(self) -> AgentId | None:
        """Return the agent for what names none."""
        return next((row.agent_id for row in self._rows.values() if row.is_default), None)

    async def list(self) -> list[AgentView]:
        """Return every agent by id."""
        rows = await self._parts.agents.all()
        return [self._view(row) for row in sorted(rows, key=lambda row: row.agent_id)]

    async def get(self, agent_id: str) -> AgentView:
        """Return one agent. Raises: NotFound."""
        row = await self._row(agent_id)
        if row is None:
            raise NotFound(f"There is no agent {agent_id}.")
        return self._view(row)

    async def put(self, draft: AgentDraft, rev: int | None, by: str) -> AgentView:
        """Make an agent or replace it; the first one is the default.

        Raises:
            Invalid: Fields are wrong, or a changed address needs the secrets again (rule 6).
            Conflict: `rev`; `kind`: an agent never becomes one of another kind.
        """
        if not LABEL.fullmatch(draft.agent_id):
            words = "Begin with a-z or 0-9; then a-z, 0-9, _ and - up to 64 characters."
            raise Invalid(faults=[FieldFault("/agent_id", "pattern", words)])
        old = await self._row(draft.agent_id)
        _refuse_change(draft, old, rev)
        before = agent_secrets(self._parts.sealer, old) if old else {}
        merged = await self._merged(draft, old, before)
        row = self._new_row(draft, old, merged, before)
        if not await self._parts.agents.all():
            row = msgspec.structs.replace(row, is_default=True)
        stored = await self._parts.agents.put(row, old.rev if old else None)
        was = Merged(old.config if old else {}, before, ())
        self._record(
            "agent_changed" if old else "agent_created",
            {"by": by, "agent_id": row.agent_id, **changes_between(was, merged, self._parts.hmac8)},
        )
        await self.reload()
        return self._view(stored)

    async def remove(self, agent_id: str, by: str) -> None:
        """Remove an agent. Raises: Conflict while bindings name it or it is the default; NotFound."""
        await self._parts.agents.remove(AgentId(agent_id))
        self._record("agent_removed", {"by": by, "agent_id": agent_id})
        await self.reload()

    async def _merged(
        self, draft: AgentDraft, old: AgentRow | None, before: dict[str, Any]
    ) -> Merged:
        schema = AGENT_SCHEMAS[draft.kind]
        given: Any = draft.config
        if given is UNSET and old is None:
            given = {}
        if given is not UNSET:
            refuse(self._parts.schemas.size_faults(given), "/config")
        merged = merge(schema, given, old.config if old else {}, before)
        refuse(merged.faults, "/config")
        # Our own defaults are right; the first start makes an agent of them, without the library.
        if "required" in schema or merged.whole != SchemaView(schema).with_defaults({}):
            refuse(await self._parts.schemas.faults(schema, merged.whole), "/config")
        return merged

    def _new_row(
        self, draft: AgentDraft, old: AgentRow | None, merged: Merged, before: dict[str, Any]
    ) -> AgentRow:
        now = self._parts.clock.now()
        secret_rev, sealed = (old.secret_rev, old.secrets) if old else (0, b"")
        if merged.secrets != before or old is None:
            secret_rev += 1
            context = agent_context(draft.agent_id, secret_rev)
            sealed = seal_secrets(self._parts.sealer, merged.secrets, context)
        return AgentRow(
            agent_id=AgentId(draft.agent_id),
            kind=draft.kind,
            config=merged.public,
            secrets=sealed,
            secret_rev=secret_rev,
            # Exactly one is the default: it passes to another, it is never just given up.
            is_default=draft.is_default or (old is not None and old.is_default),
            is_visible_to_users=draft.is_visible_to_users,
            created_at=old.created_at if old else now,
            updated_at=now,
            rev=old.rev + 1 if old else 1,
        )

    async def _row(self, agent_id: str) -> AgentRow | None:
        rows = await self._parts.agents.all()
        return next((row for row in rows if row.agent_id == agent_id), None)

    def _view(self, row: AgentRow) -> AgentView:
        try:
            secrets = agent_secrets(self._parts.sealer, row)
        except StoreBroken:
            secrets = {}
        return AgentView(
            agent_id=row.agent_id,
            kind=row.kind,
            config=masked(AGENT_SCHEMAS[row.kind], row.config, secrets),
            is_default=row.is_default,
            is_visible_to_users=row.is_visible_to_users,
            rev=row.rev,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def _record(self, name: str, fields: dict[str, Any]) -> None:
        self._parts.events.record(Event(name=name, at=self._parts.clock.now(), fields=fields))
        log.info(name, agent_id=fields["agent_id"], by=fields["by"])


def _refuse_change(draft: AgentDraft, old: AgentRow | None, rev: int | None) -> None:
    if old is None:
        if rev is not None:
            raise Conflict("It was removed meanwhile.", reason="rev", state={"rev": None})
        return
    if rev is not None and rev != old.rev:
        raise Conflict("Somebody changed it meanwhile.", reason="rev", state={"rev": old.rev})
    if draft.kind != old.kind:
        words = "An agent keeps its kind: make another and move the bindings."
        raise Conflict(words, reason="kind", state={"kind": old.kind})
