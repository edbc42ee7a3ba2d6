"""Messages and sessions: found, followed step by step, sent first, routed again (row P7)."""

from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import IDEMPOTENCY_KEY, AdminRequest
from wunder.api.query import Cursor, Limit, Moment
from wunder.errors import Conflict, NotFound
from wunder.model.conversation import Session
from wunder.model.ids import At, MessageId
from wunder.model.message import Attachment, MessageState, StoredMessage, TextFormat
from wunder.model.trail import Step
from wunder.outbound.queue import SendRequest
from wunder.ports import Page
from wunder.upkeep.ledger import MessageFilter, SessionFilter

PATH = "/wunder/admin/channels"
TAGS = ["Messages"]
_CAN_BE_REROUTED = frozenset({MessageState.UNROUTED.value, MessageState.FAILED.value})


class SessionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sessions; `text` is a substring of the peer's name or id. Absent fields match everything."""

    channel: str = ""
    account_id: str = ""
    text: Annotated[str, msgspec.Meta(max_length=256)] = ""
    limit: Limit = 50
    cursor: Cursor = ""


class MessageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages. `text` is a substring of text, names and ids; times are Unix milliseconds."""

    text: Annotated[str, msgspec.Meta(max_length=256)] = ""
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    session_id: str = ""
    state: MessageState | None = None
    direction: Literal["in", "out"] | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 50
    cursor: Cursor = ""


class PeerRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The other side: a user, a group or a channel, by the platform's id."""

    kind: Literal["user", "group", "channel"]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class ThreadRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A thread inside the peer."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class SendFirst(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that is no answer. `ttl_s` absent: the account's own."""

    channel: str
    account_id: str
    peer: PeerRef
    text: str = ""
    thread: ThreadRef | None = None
    format: TextFormat = "plain"
    attachments: tuple[Attachment, ...] = ()
    ttl_s: int = 0


class Queued(msgspec.Struct, frozen=True):
    """The message waits in its lane; `is_new` is false where the key was used before."""

    delivery_id: str
    is_new: bool


class Rerouted(msgspec.Struct, frozen=True):
    """How many messages went back to the tail of their lanes."""

    moved: int


@get(
    f"{PATH}/sessions",
    operation_id="list_sessions",
    tags=TAGS,
    summary="List the sessions",
    opt={"query": SessionQuery},
)
async def list_sessions(request: AdminRequest) -> Page[Session]:
    """Running conversations, latest first."""
    query = request.read_query(SessionQuery)
    where = SessionFilter(query.channel, query.account_id, query.text)
    return await request.parts.ledger.sessions(where, query.limit, query.cursor)


@get(
    f"{PATH}/messages",
    operation_id="list_messages",
    tags=TAGS,
    summary="Find messages",
    opt={"query": MessageQuery},
)
async def list_messages(request: AdminRequest) -> Page[StoredMessage]:
    """Inbound and outbound messages, newest first; an id of ours as `text` is that message.

    A call looks through what it can in a few hundredths of a second: a page may hold fewer items than
    asked for, even none, while `next_cursor` says where to go on.
    """
    query = request.read_query(MessageQuery)
    where = MessageFilter(
        text=query.text,
        channel=query.channel,
        account_id=query.account_id,
        peer_id=query.peer_id,
        session_id=query.session_id,
        state=query.state.value if query.state else "",
        direction=query.direction or "",
        since=None if query.since is None else At(query.since),
        until=None if query.until is None else At(query.until),
    )
    return await request.parts.ledger.messages(where, query.limit, query.cursor)


@get(
    f"{PATH}/messages/{{message_id:str}}",
    operation_id="get_message",
    tags=TAGS,
    summary="Show a message",
)
async def get_message(message_id: FromPath[str], request: AdminRequest) -> StoredMessage:
    """One message, either direction."""
    found = await request.parts.ledger.message(MessageId(message_id))
    if found is None:
        raise NotFound
    return found


@get(
    f"{PATH}/messages/{{message_id:str}}/trail",
    operation_id="get_trail",
    tags=TAGS,
    summary="Show where a message is",
)
async def get_trail(message_id: FromPath[str], request: AdminRequest) -> Page[Step]:
    """Every step from webhook to platform receipt, oldest first, by inbound or outbound id."""
    steps = await request.parts.ledger.trail(MessageId(message_id))
    if not steps and await request.parts.ledger.message(MessageId(message_id)) is None:
        raise NotFound
    return Page(tuple(steps))


@post(
    f"{PATH}/messages/{{message_id:str}}/reroute",
    operation_id="reroute_message",
    tags=TAGS,
    summary="Route a message again",
    status_code=200,
)
async def reroute_message(message_id: FromPath[str], request: AdminRequest) -> Rerouted:
    """Put an `unrouted` or `failed` message back at the tail of its lane; any other: 409."""
    found = await request.parts.ledger.message(MessageId(message_id))
    if found is None:
        raise NotFound
    moved = await request.parts.turns.reroute([found.message_id], request.parts.clock.now())
    if not moved:
        raise Conflict(
            "Only messages that are unrouted or failed can be routed again.",
            reason="message_state",
            state={"state": found.state, "allowed": sorted(_CAN_BE_REROUTED)},
        )
    request.parts.wake()
    return Rerouted(moved)


@post(
    f"{PATH}/messages",
    operation_id="send_first",
    tags=TAGS,
    summary="Send a message first",
    status_code=202,
    opt={
        "headers": [IDEMPOTENCY_KEY],
        "example": {
            "channel": "parrot",
            "account_id": "main",
            "peer": {"kind": "user", "id": "u-1"},
            "text": "Your order has left the house.",
        },
    },
)
async def send_first(
    data: JSONBody[SendFirst],
    request: AdminRequest,
) -> Queued:
    """Queue a message through the same lanes, pace and trail as answers.

    The same `Idempotency-Key` again returns the delivery that the first call made. While too much
    waits for the account's platform: 429 or 503 with `Retry-After`.
    """
    gate = request.parts.upkeep.gate
    if not gate.is_outbox_quiet:
        account_uid = await request.parts.accounts.uid_of(data.channel, data.account_id)
        refused = gate.send_refusal(account_uid)
        if refused is not None:
            raise refused
        gate.queued(account_uid)
    delivery_id, is_new = await request.parts.sends.send(
        SendRequest(
            channel=data.channel,
            account_id=data.account_id,
            peer_kind=data.peer.kind,
            peer_id=data.peer.id,
            thread_id=data.thread.id if data.thread else "",
            text=data.text,
            format=data.format,
            attachments=data.attachments,
            ttl_s=data.ttl_s,
        ),
        request.idempotency_key(),
    )
    return Queued(delivery_id, is_new)


HANDLERS = (
    list_sessions,
    list_messages,
    get_message,
    get_trail,
    reroute_message,
    send_first,
)
