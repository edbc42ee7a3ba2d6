"""Delivery and attempt: the duty to get one outbound message to a platform, and each try at it."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from wunder.model.ids import (
    AccountId,
    AccountUid,
    At,
    AttemptId,
    ChannelId,
    DeliveryId,
    MessageId,
    PluginId,
)
from wunder.model.message import OutboundMessage


class DeliveryState(StrEnum):
    """Where a delivery is on its way through room 3."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # sent, no answer: it may have arrived; never blindly repeated
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    HELD = "held"  # after a restore, until a person releases it
    STREAMING = "streaming"


_S = DeliveryState
#: State -> states it may become. Evidence of delivery settles to `sent` from any recorded attempt.
DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    _S.PENDING: frozenset({_S.CLAIMED, _S.SENDING, _S.SENT, _S.EXPIRED, _S.CANCELLED, _S.HELD}),
    _S.CLAIMED: frozenset({_S.SENDING, _S.PENDING, _S.CANCELLED}),
    _S.SENDING: frozenset(
        {_S.SENT, _S.PENDING, _S.FAILED, _S.UNKNOWN, _S.EXPIRED, _S.CANCELLED, _S.HELD}
    ),
    _S.STREAMING: frozenset({_S.SENT, _S.PENDING, _S.FAILED, _S.UNKNOWN, _S.HELD}),
    _S.HELD: frozenset({_S.PENDING, _S.CANCELLED, _S.SENT}),
    _S.UNKNOWN: frozenset({_S.SENT, _S.PENDING, _S.CANCELLED}),  # pending: a person replays it
    _S.FAILED: frozenset({_S.PENDING, _S.SENT}),  # pending: replay; sent: late evidence
    _S.EXPIRED: frozenset({_S.PENDING, _S.SENT}),
    _S.CANCELLED: frozenset({_S.SENT}),
    _S.SENT: frozenset({_S.FAILED, _S.PENDING}),  # failed: only by a receipt; pending: by force
}
#: States that no longer hold the lane of their conversation.
RELEASED = frozenset({_S.SENT, _S.FAILED, _S.UNKNOWN, _S.EXPIRED, _S.CANCELLED})

ReceiptState = Literal["none", "delivered", "read", "failed"]
#: Receipts move forward only; `failed` wins.
RECEIPT_ORDER: dict[str, int] = {"none": 0, "delivered": 1, "read": 2, "failed": 3}


class ReleaseRef(msgspec.Struct, frozen=True):
    """Whose code did it: a built-in writes its id and `builtin@<gateway version>`."""

    plugin_id: PluginId
    version: str

    @property
    def parts(self) -> tuple[PluginId, str]:
        """Both, in the order in which steps and events take them."""
        return self.plugin_id, self.version


class SendGrant(msgspec.Struct, frozen=True):
    """A reserved send slot: which account, and which release will write the frame.

    The manifest's idempotency is stored with the mark: who finds a `sending` row after a crash must
    know whether the platform would recognise a repeat.
    """

    account_uid: AccountUid
    release: ReleaseRef
    limit: int = 1  # how many sends of this account the grant covers
    idempotency_window_s: int | None = None
    idempotency_applies_to: Literal["all", "replies"] = "all"


#: What part 0 of a delivery that was shown while it was written carries as its state.
SHOWN_AS = "shown_as"


class ClaimedDelivery(msgspec.Struct, frozen=True):
    """A delivery in `sending`, its attempt row committed: the frame may now be written.

    `attempt_no` counts tries of this delivery from 1; `retries_used` those that counted against
    the policy; `first_sending_at` opens the platform's idempotency window. `lane_id` is the store's own.
    """

    delivery_id: DeliveryId
    attempt_id: AttemptId
    attempt_no: int
    fence: int
    message: OutboundMessage
    root_message_id: MessageId | None  # the inbound message of the turn
    reply_ordinal: int
    part: int
    part_state: dict[str, Any] | None
    retries_used: int
    collisions: int
    first_sending_at: At
    queued_at: At
    expires_at: At
    release: ReleaseRef
    begun_by: ReleaseRef | None  # the release that sent part 0 of a message in parts
    had_unknown: bool  # an earlier attempt of this delivery reached `sending` and was not refuted
    epoch: int = 0  # the life of the node that marked it; its frames may be written in no other
    lane_id: int = 0

    @property
    def idempotency_key(self) -> str:
        """Stable across retries, own for each part."""
        return self.delivery_id if self.part == 0 else f"{self.delivery_id}#{self.part}"

    @property
    def shown_as(self) -> str | None:
        """The platform's id of what shows this reply already, "" where it is not known; None: nothing does."""
        return (self.part_state or {}).get(SHOWN_AS) if self.part == 0 else None


class InlineStanding(StrEnum):
    """Why a webhook that waits for a reply has none to carry."""

    WAITING = "waiting"  # its turn still runs
    OVER = "over"  # there is none, or it went another way


class Settlement(msgspec.Struct, frozen=True):
    """The outcome of one attempt and what becomes of its delivery (T4).

    `state` PENDING needs `retry_at`; SENDING means the part arrived and the next part follows at
    once with `next_state`. `take_next` asks for the next head of the lane in the same commit.
    `lane_until` keeps the lane shut after a parked `unknown` whose call may still be running.
    """

    delivery: ClaimedDelivery
    state: DeliveryState
    at: At
    outcome: Literal["sent", "not_sent", "unknown"]
    error_kind: str = ""
    error: str = ""
    provider_code: str = ""
    provider_message_id: str = ""
    raw_result: dict[str, Any] | None = None
    retry_at: At | None = None
    uses_retry: bool = False
    new_ordinal: bool = False  # a collision: the next try gets the next reply ordinal
    next_state: dict[str, Any] | None = None
    took_ms: int = 0
    take_next: bool = False
    lane_until: At | None = None


class Evidence(msgspec.Struct, frozen=True):
    """A late success of a call whose attempt was already settled: monotone, whatever the fence.

    With `next_state` the part arrived and another follows: the delivery goes on with that one.
    """

    attempt_id: AttemptId
    provider_message_id: str
    at: At
    raw_result: dict[str, Any] | None = None
    next_state: dict[str, Any] | None = None


class StoredDelivery(msgspec.Struct, frozen=True):
    """One row of `channel_outbox` as people and the API read it."""

    delivery_id: DeliveryId
    message_id: MessageId
    root_message_id: MessageId | None
    account_uid: AccountUid
    channel: ChannelId
    account_id: AccountId
    peer_kind: str
    peer_id: str
    thread_id: str
    state: DeliveryState
    receipt: ReceiptState
    attempts: int
    retries_used: int
    part: int
    reply_ordinal: int
    provider_message_id: str
    error_kind: str
    error: str
    retry_at: At | None
    expires_at: At
    created_at: At
    settled_at: At | None
    replays: int
    plugin_id: str  # whose code made the last try, "" before the first
    version: str
    excerpt: str  # how the message begins
    successor_id: str = ""  # the delivery that went out in its place, corrected
    predecessor_id: str = ""  # the one that this corrects


class StoredAttempt(msgspec.Struct, frozen=True):
    """One row of `channel_attempts`."""

    attempt_id: AttemptId
    delivery_id: DeliveryId
    attempt_no: int
    part: int
    started_at: At
    settled_at: At | None
    outcome: str  # "" while under way; then sent, not_sent, unknown
    error_kind: str
    error: str
    provider_code: str
    provider_message_id: str
    raw_result: dict[str, Any] | None
    took_ms: int
    plugin_id: PluginId
    version: str
    account_uid: AccountUid
    account_id: AccountId
