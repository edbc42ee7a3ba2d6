"""What room 1 hands to the store: messages with their keys, receipts, and what could not be parsed."""

from enum import StrEnum
from typing import Literal

import msgspec

from wunder.model.delivery import ReleaseRef
from wunder.model.ids import AccountId, AccountUid, At, ChannelId, MessageId, RequestId
from wunder.model.message import InboundMessage, MessageState
from wunder.model.turn import ClaimedTurn

MAX_QUARANTINE_BODY_BYTES = 65_536


class Stranger(msgspec.Struct, frozen=True):
    """Nobody named this peer: T1 says `text` with `code`, unless it was let in or told lately."""

    code: str
    text: str
    good_until: At
    pause_ms: int  # between two answers to one peer
    open_per_peer: int
    open_per_account: int


class NewMessage(msgspec.Struct, frozen=True):
    """One message to take in, with its fixed id and key.

    `state` is `received`, or already final: `no_answer` (not addressed), `refused` (deny list).
    A refused message is stored without body. `digest` is SHA-256 of the content: the same key with
    another digest is kept as an event and alerted.
    """

    message: InboundMessage
    dedupe_key: bytes
    digest: bytes
    keep_key_until: At
    state: MessageState = MessageState.RECEIVED
    reason: str = ""
    inline_until: At | None = None  # a reply may travel in the webhook's response until then
    stranger: Stranger | None = None  # T1 decides the state: it knows who was let in


class NewReceipt(msgspec.Struct, frozen=True):
    """A receipt, joined to its attempt by (account_uid, provider_message_id), now or within 24 h."""

    provider_message_id: str
    status: Literal["delivered", "read", "failed"]
    at: At
    detail: str = ""


class NewQuarantine(msgspec.Struct, frozen=True):
    """Something that arrived and could not be stored as a message; bounded, shown, replayable."""

    reason: str
    body: bytes
    detail: str = ""


class AccountIntake(msgspec.Struct, frozen=True):
    """What one account's parse of a request gave, and which release parsed it."""

    account_uid: AccountUid
    channel: ChannelId
    account_id: AccountId
    release: ReleaseRef
    messages: tuple[NewMessage, ...] = ()
    receipts: tuple[NewReceipt, ...] = ()
    quarantine: tuple[NewQuarantine, ...] = ()


class IntakeUnit(msgspec.Struct, frozen=True):
    """One request's T1: all of it commits, or none. Re-running it after an ambiguous COMMIT is a no-op."""

    request_id: RequestId
    received_at: At
    parsed_at: At
    at: At
    parts: tuple[AccountIntake, ...]
    spool_id: str | None = None  # removed in the same transaction


class Taken(StrEnum):
    """What became of one message of a unit."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    COLLISION = "collision"  # same key, another content: kept as an event, alerted
    QUARANTINED = "quarantined"  # the store refused this row alone


class TakenIn(msgspec.Struct, frozen=True):
    """T1 is durable. `results` is by message id; `claimed` were born `answering`.

    `originals` names, for each duplicate that is still there, the message it repeats.
    `is_behind_spool`: nothing was taken, earlier requests of the account still wait in the spool.
    """

    results: dict[MessageId, Taken]
    claimed: tuple[ClaimedTurn, ...] = ()
    originals: dict[MessageId, MessageId] = {}
    is_behind_spool: bool = False


def spool_context(account_uid: str, spool_id: str) -> str:
    """What the seal of a kept request is bound to."""
    return f"spool|{account_uid}|{spool_id}"


class SpooledRequest(msgspec.Struct, frozen=True):
    """A raw webhook request kept for later parsing; `sealed` is the encrypted HttpRequest."""

    spool_id: str
    account_uid: AccountUid
    channel: ChannelId
    account_id: AccountId
    sealed: bytes
    received_at: At
    tries: int = 0
    retry_at: At = At(0)


class SpoolVerdict(StrEnum):
    """What became of a spooled request that gave no messages."""

    REFUSED = "refused"  # bad signature and the like: removed, a security event
    LATER = "later"  # it failed: try again at `retry_at`
    NOT_READY = "not_ready"  # nobody could look at it, no try of its own: again at `retry_at`
    QUARANTINED = "quarantined"
