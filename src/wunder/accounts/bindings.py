"""What operators and users do to bindings: which conversations of an account go to which agent."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from wunder.errors import Conflict, FieldFault, Invalid, NotFound
from wunder.model.account import AccountRow
from wunder.model.binding import ANY, AgentRow, Binding
from wunder.model.conversation import Conversation
from wunder.model.ids import AccountUid, AgentId, At, BindingId, new_id
from wunder.model.trail import Event
from wunder.ports import AccountTable, AgentTable, BindingTable, Clock, EventLog

MAX_ID_CHARS = 256
MAX_PRIORITY = 1_000_000
PEER_KINDS = frozenset({ANY, "user", "group", "channel"})

#: conversation.routing.route, handed over by app.py: rooms do not import each other.
Route = Callable[[Iterable[Binding], str, str, Conversation, str], Binding | None]


class BindingDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A binding as written; `*` matches any value."""

    channel: str
    account_id: str
    peer_kind: str = ANY
    peer_id: str = ANY
    agent_id: str
    priority: int = 0
    is_enabled: bool = True
    events: bool = False
    owner_user_id: str = ""


class RouteQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A conversation for which the desk tells the binding."""

    channel: str
    account_id: str
    peer_kind: str
    peer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingParts:
    """What the desk works with. `on_change` runs after each stored change: reload the book."""

    bindings: BindingTable
    accounts: AccountTable
    agents: AgentTable
    route: Route
    events: EventLog
    clock: Clock
    on_change: Callable[[], Awaitable[None]]


class BindingDesk:
    """Lists, writes, tests and removes bindings."""

    def __init__(self, parts: BindingParts) -> None:
        self._parts = parts

    async def list(self) -> list[Binding]:
        """Return every binding, oldest first."""
        return sorted(
            await self._parts.bindings.all(), key=lambda one: (one.created_at, one.binding_id)
        )

    async def get(self, binding_id: str) -> Binding:
        """Return one binding. Raises: NotFound."""
        for binding in await self._parts.bindings.all():
            if binding.binding_id == binding_id:
                return binding
        raise NotFound(f"There is no binding {binding_id}.")

    async def put(
        self, draft: BindingDraft, rev: int | None, by: str, binding_id: str | None = None
    ) -> Binding:
        """Make a binding, or replace the one with `binding_id`.

        Raises:
            Invalid: A field names nothing, or a user's binding is not of one account they own.
            NotFound: `binding_id` names none.
            Conflict: `rev`.
        """
        old = await self.get(binding_id) if binding_id is not None else None
        if old is not None and rev is not None and rev != old.rev:
            raise Conflict("Somebody changed it meanwhile.", reason="rev", state={"rev": old.rev})
        faults = await self._faults(draft)
        if faults:
            raise Invalid(faults=faults)
        row = Binding(
            binding_id=old.binding_id if old else BindingId(new_id()),
            channel=draft.channel,
            account_id=draft.account_id,
            peer_kind=draft.peer_kind,
            peer_id=draft.peer_id,
            agent_id=AgentId(draft.agent_id),
            priority=draft.priority,
            is_enabled=draft.is_enabled,
            events=draft.events,
            owner_user_id=draft.owner_user_id,
            created_at=old.created_at if old else self._parts.clock.now(),
            rev=old.rev + 1 if old else 1,
        )
        stored = await self._parts.bindings.put(row, old.rev if old else None)
        self._record("binding_changed" if old else "binding_created", stored, by)
        await self._parts.on_change()
        return stored

    async def remove(self, binding_id: str, by: str) -> None:
        """Remove a binding. Raises: NotFound."""
        old = await self.get(binding_id)
        await self._parts.bindings.remove(binding_id)
        self._record("binding_removed", old, by)
        await self._parts.on_change()

    async def test(self, question: RouteQuestion) -> Binding | None:
        """Return the binding that would serve a conversation now, None where it is unrouted."""
        account = await self._account(question.channel, question.account_id)
        return self._parts.route(
            await self._parts.bindings.all(),
            question.channel,
            question.account_id,
            Conversation(
                account.account_uid if account else AccountUid(""),
                question.peer_kind,
                question.peer_id,
            ),
            account.owner_user_id if account else "",
        )

    async def _faults(self, draft: BindingDraft) -> Sequence[FieldFault]:
        account = await self._account(draft.channel, draft.account_id)
        agents = {row.agent_id: row for row in await self._parts.agents.all()}
        agent = agents.get(AgentId(draft.agent_id))
        faults = list(_form_faults(draft))
        if draft.channel == ANY and draft.account_id != ANY:
            words = "An account is one of a channel: name the channel."
            faults.append(FieldFault("/channel", "needed", words))
        elif draft.account_id != ANY and account is None:
            faults.append(FieldFault("/account_id", "unknown", "There is no such account."))
        if agent is None:
            faults.append(FieldFault("/agent_id", "unknown", "There is no such agent."))
        if draft.owner_user_id:
            faults += _ownership_faults(draft, account, agent)
        return faults

    async def _account(self, channel: str, account_id: str) -> AccountRow | None:
        for row in await self._parts.accounts.all():
            if (row.channel, row.account_id) == (channel, account_id) and row.status != "deleted":
                return row
        return None

    def _record(self, name: str, binding: Binding, by: str) -> None:
        fields = {"by": by, "binding_id": binding.binding_id, "agent_id": binding.agent_id}
        self._parts.events.record(Event(name=name, at=At(self._parts.clock.now()), fields=fields))


def _form_faults(draft: BindingDraft) -> Iterable[FieldFault]:
    if draft.peer_kind not in PEER_KINDS:
        yield FieldFault("/peer_kind", "enum", "One of user, group, channel and *.")
    if not 0 < len(draft.peer_id) <= MAX_ID_CHARS:
        yield FieldFault("/peer_id", "length", f"1 to {MAX_ID_CHARS} characters; * for every peer.")
    if not -MAX_PRIORITY <= draft.priority <= MAX_PRIORITY:
        yield FieldFault("/priority", "range", f"At most {MAX_PRIORITY} either way.")


def _ownership_faults(
    draft: BindingDraft, account: AccountRow | None, agent: AgentRow | None
) -> list[FieldFault]:
    """A user's binding names exactly one account they own, and an agent meant for users."""
    faults = []
    if account is None or account.owner_user_id != draft.owner_user_id:
        words = "Name exactly one account of your own."
        faults.append(FieldFault("/account_id", "not_owned", words))
    if agent is not None and not agent.is_visible_to_users:
        faults.append(FieldFault("/agent_id", "unknown", "There is no such agent."))
    return faults
