"""What a provider's refusal of a request means in HTTP (pure; plugin protocol 1, Errors)."""

import math

from wunder.errors import RequestRefused
from wunder.model.fault import Fault, FaultKind

#: Where nobody said how long, in seconds.
RETRY_AFTER_S = 5

_STATUS: dict[FaultKind, tuple[int, str]] = {
    FaultKind.SIGNATURE_INVALID: (401, "signature_invalid"),
    FaultKind.AUTH_FAILED: (401, "signature_invalid"),
    FaultKind.MALFORMED_EVENT: (400, "malformed_event"),
    FaultKind.FORBIDDEN: (403, "forbidden"),
    FaultKind.TOO_LARGE: (413, "too_large"),
    FaultKind.METHOD_NOT_FOUND: (404, "webhook_not_supported"),
    FaultKind.UNSUPPORTED_FEATURE: (404, "webhook_not_supported"),
    FaultKind.RATE_LIMITED: (429, "rate_limited"),
}


def is_judgement(kind: FaultKind) -> bool:
    """True where a fault says something of the request itself; else nobody could look at it yet."""
    return kind in _STATUS


def refusal_of(fault: Fault) -> RequestRefused:
    """Translate a judgement of parse_inbound into the answer the platform gets."""
    status, reason = _STATUS[fault.kind]
    retry_after_s = comes_again_after_s(fault) if status == 429 else None
    return RequestRefused(status, reason, retry_after_s=retry_after_s)


def comes_again_after_s(fault: Fault) -> int:
    """After how many seconds the platform may ask again: as whoever refused said, at least one."""
    if fault.retry_after_s is None:
        return RETRY_AFTER_S
    return max(1, math.ceil(fault.retry_after_s))
