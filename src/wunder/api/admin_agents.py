"""Agents: what answers. Made by administrators; one is the default."""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from wunder.accounts.agent_kinds import AGENT_SCHEMAS
from wunder.accounts.agents import AgentDraft, AgentView
from wunder.api.admin_request import IF_MATCH, AdminRequest
from wunder.api.secret_scope import writes_secrets
from wunder.errors import AgentFailed, Conflict, FieldFault, Invalid, NotFound
from wunder.model.binding import AgentKind
from wunder.model.conversation import Conversation
from wunder.model.ids import (
    AccountId,
    AccountUid,
    AgentId,
    ChannelId,
    MessageId,
    PlatformMessageId,
    SessionId,
    TurnId,
    new_id,
)
from wunder.model.message import Content, InboundMessage, Sender
from wunder.model.turn import AgentTurn, Reply
from wunder.ports import Page

PATH = "/wunder/admin/agents"
TAGS = ["Agents"]
#: Choice: longer than any agent is given in a turn by default, shorter than a proxy waits.
TRY_S = 90.0
_EXAMPLE = {
    "agent_id": "helper",
    "kind": "openai",
    "config": {"base_url": "https://api.example.com/v1", "model": "small", "api_key": "write-only"},
}


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say to the agent."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class Tried(msgspec.Struct, frozen=True):
    """What it answered, and how long that took."""

    replies: tuple[Reply, ...]
    took_ms: int


class AgentKindView(msgspec.Struct, frozen=True):
    """A kind of agent, and the form of its configuration."""

    kind: AgentKind
    config_schema: dict[str, Any]


@get(PATH, operation_id="list_agents", tags=TAGS, summary="List the agents")
async def list_agents(request: AdminRequest) -> Page[AgentView]:
    """Every agent; a secret shows as `{"set": true}`."""
    return Page(tuple(await request.parts.agents.list()))


@get(
    "/wunder/admin/agent_kinds",
    operation_id="list_agent_kinds",
    tags=TAGS,
    summary="List the kinds of agents",
)
async def list_agent_kinds(request: AdminRequest) -> Page[AgentKindView]:
    """What an agent can be, each with the JSON Schema of its configuration, as channels have."""
    return Page(tuple(AgentKindView(kind, schema) for kind, schema in AGENT_SCHEMAS.items()))


@get(f"{PATH}/{{agent_id:str}}", operation_id="get_agent", tags=TAGS, summary="Show an agent")
async def get_agent(agent_id: FromPath[str], request: AdminRequest) -> AgentView:
    """One agent."""
    return await request.parts.agents.get(agent_id)


@post(
    PATH, operation_id="create_agent", tags=TAGS, summary="Make an agent", opt={"example": _EXAMPLE}
)
async def create_agent(data: JSONBody[AgentDraft], request: AdminRequest) -> AgentView:
    """Make an agent; the first one is the default."""
    if data.agent_id in {view.agent_id for view in await request.parts.agents.list()}:
        raise Conflict("There is an agent with this id.", reason="agent_exists")
    return await _put(data, None, request)


@put(
    f"{PATH}/{{agent_id:str}}",
    operation_id="replace_agent",
    tags=TAGS,
    summary="Make an agent or write it anew",
    opt={"example": _EXAMPLE, "headers": [IF_MATCH]},
)
async def replace_agent(
    agent_id: FromPath[str], data: JSONBody[AgentDraft], request: AdminRequest
) -> AgentView:
    """Replace everything but secrets that are absent or `{"set": true}`: those stay."""
    if data.agent_id != agent_id:
        fault = FieldFault("/agent_id", "immutable", "an agent cannot be renamed")
        raise Invalid("Path and body name different agents.", [fault])
    return await _put(data, request.seen_rev(), request)


@delete(
    f"{PATH}/{{agent_id:str}}",
    operation_id="remove_agent",
    tags=TAGS,
    summary="Remove an agent",
)
async def remove_agent(agent_id: FromPath[str], request: AdminRequest) -> None:
    """Remove it; 409 while bindings name it or it is the default."""
    await request.parts.agents.remove(agent_id, request.by)


@post(
    f"{PATH}/{{agent_id:str}}/try",
    operation_id="try_agent",
    tags=TAGS,
    summary="Say something to an agent",
    status_code=200,
    opt={"example": {"text": "What are your opening hours?"}},
)
async def try_agent(agent_id: FromPath[str], data: JSONBody[Trial], request: AdminRequest) -> Tried:
    """Ask the agent as a turn would, without history; nothing is stored or sent."""
    agent = request.parts.answers.get(AgentId(agent_id))
    if agent is None:
        raise NotFound
    clock = request.parts.clock
    started = clock.monotonic()
    try:
        async with asyncio.timeout(TRY_S):
            replies = await agent.answer(_turn(data.text, request))
    except TimeoutError:
        raise AgentFailed(f"The agent did not answer within {TRY_S:g} s.") from None
    return Tried(replies, round((clock.monotonic() - started) * 1000))


async def _put(draft: AgentDraft, rev: int | None, request: AdminRequest) -> AgentView:
    if writes_secrets(AGENT_SCHEMAS[draft.kind], draft.config):
        request.require_secrets()
    return await request.parts.agents.put(draft, rev, request.by)


def _turn(text: str, request: AdminRequest) -> AgentTurn:
    """Make a turn of a conversation that exists nowhere."""
    now = request.parts.clock.now()
    message = InboundMessage(
        message_id=MessageId(new_id()),
        conversation=Conversation(AccountUid(""), "user", "trial"),
        channel=ChannelId(""),
        account_id=AccountId(""),
        platform_message_id=PlatformMessageId("trial"),
        sender=Sender("trial"),
        content=Content(text=text),
        sent_at=now,
        received_at=now,
    )
    return AgentTurn(TurnId(new_id()), SessionId(new_id()), message, ())


HANDLERS = (
    list_agents,
    list_agent_kinds,
    get_agent,
    create_agent,
    replace_agent,
    remove_agent,
    try_agent,
)
