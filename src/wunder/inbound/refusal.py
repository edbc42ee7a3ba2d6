"""What a provider's refusal of a request means in HTTP (pure; plugin protocol 1, Errors)."""

from wunder.errors import RequestRefused
from wunder.model.fault import Fault, FaultKind

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


def refusal_of(fault: Fault) -> RequestRefused:
    """Translate a fault of parse_inbound into the answer the platform gets.

    Anything that is no judgement of the request is 503: the platform shall deliver again.
    """
    status, reason = _STATUS.get(fault.kind, (503, f"provider_{fault.kind}"))
    retry_after_s = 5 if status in (429, 503) else None
    return RequestRefused(status, reason, retry_after_s=retry_after_s)
