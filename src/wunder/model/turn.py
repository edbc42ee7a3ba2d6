"""Turn: one inbound message and its replies; what is claimed, what is committed."""

from collections.abc import Callable
from typing import Literal

import msgspec

from wunder.model.conversation import HistoryLine
from wunder.model.delivery import ClaimedDelivery, ReleaseRef
from wunder.model.ids import AgentId, At, BindingId, MessageId, SessionId, TurnId, derived_id
from wunder.model.message import Attachment, InboundMessage, MessageState, TextFormat
from wunder.model.trail import Step


class ClaimedTurn(msgspec.Struct, frozen=True):
    """A message in `answering`, claimed by this node with `fence`.

    `claims` counts started turns including this one. `session_id` is the conversation's current
    session, or None where this turn opens one. `inline_until` is set where the reply may travel in
    the response of the webhook that brought the message: then there is room for one.

    The last three are the store's own, so that T2 need not read them again: the lane, how many replies
    were given to the message and how many lines its session had when it was claimed.
    """

    turn_id: TurnId
    message: InboundMessage
    fence: int
    claims: int
    is_alone: bool
    session_id: SessionId | None
    inline_until: At | None = None
    lane_id: int = 0
    ordinals: int = 0
    said: int = 0

    @property
    def is_rerouted(self) -> bool:
        """True where a person put the message back into its lane: the turn is another one."""
        return self.turn_id != derived_id(self.message.message_id, "turn")


class Reply(msgspec.Struct, frozen=True):
    """One thing an agent says."""

    text: str
    format: TextFormat = "plain"
    attachments: tuple[Attachment, ...] = ()


class TurnCommit(msgspec.Struct, frozen=True):
    """What a turn ends with, committed exactly once (T2).

    Replies become outbound messages and deliveries in order; ids derive from the turn id. With an
    empty `session_id` no session is touched (unrouted, refused).
    """

    turn: ClaimedTurn
    state: MessageState
    at: At
    replies: tuple[Reply, ...] = ()
    expires_at: At = At(0)
    session_id: SessionId | None = None
    agent_id: AgentId | None = None
    binding_id: BindingId | None = None
    reason: str = ""
    steps: tuple[Step, ...] = ()
    release: ReleaseRef | None = None  # that serves the account now, for the trail


class TurnCommitted(msgspec.Struct, frozen=True):
    """T2 is durable. `claimed` holds the first delivery where it was born `sending` (at most one)."""

    claimed: tuple[ClaimedDelivery, ...] = ()
    queued: int = 0


class AgentTurn(msgspec.Struct, frozen=True):
    """What an agent is given: never `meta`, never secrets.

    `say`, where somebody watches, takes the text so far as often as there is more of it.
    """

    turn_id: TurnId
    session_id: SessionId
    message: InboundMessage
    history: tuple[HistoryLine, ...]
    say: Callable[[str], None] | None = None


class Shown(msgspec.Struct):
    """A reply that is shown while it is written: how to show more, and what is to be seen by now."""

    say: Callable[[str], None] | None = None
    text: str = ""


class NewSend(msgspec.Struct, frozen=True):
    """A message the operator's program sends first, not as an answer."""

    idempotency_key: str
    message_id: MessageId
    channel: str
    account_uid: str
    account_id: str
    peer_kind: Literal["user", "group", "channel"]
    peer_id: str
    thread_id: str
    text: str
    format: TextFormat
    attachments: tuple[Attachment, ...]
    at: At
    expires_at: At
