"""Binding and agent: which conversations of an account go to which agent."""

from typing import Any, Literal

import msgspec

from wunder.model.ids import AgentId, At, BindingId

ANY = "*"
AgentKind = Literal["echo", "openai", "http"]


class Binding(msgspec.Struct, frozen=True):
    """A rule; `*` matches any value. `account_id` is the label, `peer_kind` user, group or channel.

    Ownership: a user's binding names exactly one account they own.
    """

    binding_id: BindingId
    channel: str
    account_id: str
    peer_kind: str
    peer_id: str
    agent_id: AgentId
    priority: int = 0
    is_enabled: bool = True
    events: bool = False  # also answer messages of type `event`
    owner_user_id: str = ""
    created_at: At = At(0)
    rev: int = 1


class AgentRow(msgspec.Struct, frozen=True):
    """One row of `agents`. `secrets` is sealed like an account's."""

    agent_id: AgentId
    kind: AgentKind
    config: dict[str, Any]
    secrets: bytes
    secret_rev: int
    is_default: bool
    is_visible_to_users: bool
    created_at: At
    updated_at: At
    rev: int = 1


class AgentSpec(msgspec.Struct, frozen=True):
    """An agent with its secrets opened, as the agents room needs it. Never logged."""

    agent_id: AgentId
    kind: AgentKind
    config: dict[str, Any]
    secrets: dict[str, Any]
    rev: int

    def __repr__(self) -> str:
        return f"AgentSpec({self.agent_id}, {self.kind})"
