"""Trail and events: the steps of one message, and what happened to the gateway's parts."""

from enum import StrEnum
from typing import Any

import msgspec

from wunder.model.ids import AccountId, AccountUid, At, MessageId


class StepName(StrEnum):
    """The steps a message takes, in the past tense (row P7)."""

    RECEIVED = "received"  # the webhook request arrived
    PARSED = "parsed"  # the provider verified and parsed it
    ACCEPTED = "accepted"  # T1 committed
    TURN_STARTED = "turn_started"
    AGENT_FAILED = "agent_failed"
    ANSWERED = "answered"  # T2 committed
    NOT_ANSWERED = "not_answered"
    QUEUED = "queued"
    SENDING = "sending"  # T3 committed
    SENT = "sent"
    RETRIED = "retried"  # goes back to pending
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REPLAYED = "replayed"
    CORRECTED = "corrected"  # went out anew with another text, as a delivery of its own
    RECEIPT = "receipt"
    REROUTED = "rerouted"


class Step(msgspec.Struct, frozen=True):
    """One step of one inbound (or sent-first) message. `detail` never holds text or secrets."""

    message_id: MessageId
    step: StepName
    at: At
    plugin_id: str = ""
    version: str = ""
    account_uid: str = ""
    account_id: str = ""
    delivery_id: str = ""
    attempt_no: int = 0
    detail: dict[str, Any] = {}


class Event(msgspec.Struct, frozen=True):
    """One monitor event (row S4): `name` past tense, fixed vocabulary; fields hold no secrets."""

    name: str
    at: At
    level: str = "info"  # info, warning, error: error means a person must act
    plugin_id: str = ""
    version: str = ""
    account_uid: AccountUid = AccountUid("")
    account_id: AccountId = AccountId("")
    message_id: str = ""
    delivery_id: str = ""
    fields: dict[str, Any] = {}
    event_id: int = 0  # set by the store
