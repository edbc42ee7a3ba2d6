"""Fault: why a provider could not do what was asked, in the protocol's own kinds."""

from enum import StrEnum
from typing import Any, Literal

import msgspec


class FaultKind(StrEnum):
    """The protocol's error kinds and those the host makes itself: an enum, safe as metric label."""

    BAD_FRAME = "bad_frame"
    BAD_REQUEST = "bad_request"
    BAD_PARAMS = "bad_params"
    METHOD_NOT_FOUND = "method_not_found"
    INTERNAL = "internal"
    BUSY = "busy"
    SHUTTING_DOWN = "shutting_down"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    PROTOCOL_UNSUPPORTED = "protocol_unsupported"
    TOO_LARGE = "too_large"
    UNSUPPORTED_FEATURE = "unsupported_feature"
    SIGNATURE_INVALID = "signature_invalid"
    MALFORMED_EVENT = "malformed_event"
    FORBIDDEN = "forbidden"
    ACCOUNT_CONFIG_INVALID = "account_config_invalid"
    AUTH_FAILED = "auth_failed"
    RATE_LIMITED = "rate_limited"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_REJECTED = "provider_rejected"
    RECIPIENT_UNREACHABLE = "recipient_unreachable"
    OUTCOME_UNKNOWN = "outcome_unknown"
    DUPLICATE = "duplicate"
    STATE_CONFLICT = "state_conflict"
    QUOTA = "quota"
    # made by the host
    PLUGIN_CRASHED = "plugin_crashed"
    TIMEOUT = "timeout"
    WRITE_STALLED = "write_stalled"
    BREAKER_OPEN = "breaker_open"
    NOT_READY = "not_ready"


#: Kinds that say nothing against the call itself: it waits, and uses up no retry (delivery semantics).
OUTAGES = frozenset(
    {
        FaultKind.BUSY,
        FaultKind.SHUTTING_DOWN,
        FaultKind.RATE_LIMITED,
        FaultKind.PROVIDER_UNAVAILABLE,
        FaultKind.BREAKER_OPEN,
        FaultKind.NOT_READY,
        FaultKind.AUTH_FAILED,
        FaultKind.ACCOUNT_CONFIG_INVALID,
    }
)
#: Kinds that a further try cannot change.
PERMANENT = frozenset(
    {
        FaultKind.PROVIDER_REJECTED,
        FaultKind.RECIPIENT_UNREACHABLE,
        FaultKind.TOO_LARGE,
        FaultKind.FORBIDDEN,
        FaultKind.MALFORMED_EVENT,
        FaultKind.METHOD_NOT_FOUND,
        FaultKind.UNSUPPORTED_FEATURE,
        FaultKind.BAD_PARAMS,
        FaultKind.BAD_REQUEST,
        FaultKind.SIGNATURE_INVALID,
        FaultKind.QUOTA,
    }
)
MAX_RETRY_AFTER_S = 3_600.0
MAX_WORDS = 1_000


class Fault(msgspec.Struct, frozen=True):
    """One failed provider call. `outcome` says whether the platform may have been reached."""

    kind: FaultKind
    message: str = ""
    outcome: Literal["not_sent", "sent", "unknown"] = "not_sent"
    is_retryable: bool = False
    retry_after_s: float | None = None  # clamped to 0..MAX_RETRY_AFTER_S
    scope: Literal["message", "peer", "account", "plugin"] | None = None
    provider_code: str = ""
    http_status: int | None = None
    next_state: dict[str, Any] | None = None  # of a duplicate part: what follows if it had arrived


def fault_as_told(
    kind: str, message: str, outcome: str, is_retryable: bool, retry_after_ms: int | None
) -> Fault:
    """Make a fault of what a channel answered: a strange kind is `internal`, numbers are clamped."""
    known = FaultKind(kind) if kind in FaultKind.__members__.values() else FaultKind.INTERNAL
    wait_s = None
    if retry_after_ms is not None:  # clamped first: of an integer of any size there is no fraction
        wait_s = min(max(retry_after_ms, 0), int(MAX_RETRY_AFTER_S * 1000)) / 1000
    told = outcome if outcome in ("sent", "unknown") else "not_sent"
    return Fault(
        kind=known,
        message=message[:MAX_WORDS],
        outcome=told,  # type: ignore[arg-type]  # one of the three by the line above
        is_retryable=is_retryable,
        retry_after_s=wait_s,
    )
