"""Problem documents (RFC 9457): what went wrong, in words and codes, never with the values."""

from http import HTTPStatus
from typing import Any

import msgspec

from wunder.errors import (
    Conflict,
    FieldFault,
    Invalid,
    PackageRefused,
    ProviderFault,
    RequestRefused,
    StoreFull,
    StoreUnavailable,
    WunderError,
)

# Choices: a busy store frees itself within seconds, a full disk needs a person or a retention run.
BUSY_RETRY_S = 5
FULL_RETRY_S = 30
MAX_FOREIGN_CHARS = 300


class PlaceOfFault(msgspec.Struct, frozen=True):
    """One wrong field: a JSON pointer into the request, a stable code, words."""

    pointer: str
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every answer that is not a success, as `application/problem+json`.

    `code` is stable and for programs; `state` says what a conflict is with; `trace_id` finds the
    log line.
    """

    title: str
    status: int
    code: str
    detail: str = ""
    type: str = "about:blank"
    errors: tuple[PlaceOfFault, ...] = ()
    state: dict[str, Any] = {}
    retry_after_s: int | None = None
    trace_id: str = ""


def problem(
    status: int,
    code: str,
    detail: str = "",
    *,
    errors: tuple[PlaceOfFault, ...] = (),
    retry_after_s: int | None = None,
    trace_id: str = "",
) -> Problem:
    """Make a problem document whose title is the phrase of its status."""
    return Problem(
        title=_phrase(status),
        status=status,
        code=code,
        detail=detail,
        errors=errors,
        retry_after_s=retry_after_s,
        trace_id=trace_id,
    )


def problem_of(error: WunderError, trace_id: str = "") -> Problem:
    """Say an error of ours to an administrator."""
    made = problem(
        error.status, error.code, error.detail, retry_after_s=_retry_after(error), trace_id=trace_id
    )
    match error:
        case PackageRefused():
            return msgspec.structs.replace(made, code=error.reason, errors=_places(error.faults))
        case Invalid():
            return msgspec.structs.replace(made, errors=_places(error.faults))
        case Conflict():
            return msgspec.structs.replace(made, code=error.reason, state=error.state)
        case RequestRefused():
            return refusal(error, trace_id)
        case ProviderFault():
            words = f"{error.fault.kind}: {error.fault.message}"[:MAX_FOREIGN_CHARS]
            return msgspec.structs.replace(made, code=error.fault.kind.value, detail=words)
        case _:
            return made


def refusal(error: RequestRefused, trace_id: str = "") -> Problem:
    """Say a refused webhook to a stranger: the reason's code and nothing of ours."""
    return problem(
        error.http_status,
        error.reason,
        error.reason.replace("_", " "),
        retry_after_s=error.retry_after_s,
        trace_id=trace_id,
    )


def outage(error: WunderError, trace_id: str = "") -> Problem:
    """Say to a stranger that we cannot take a request now: nothing was accepted, come again."""
    return problem(
        503,
        "unavailable",
        "try again later",
        retry_after_s=_retry_after(error) or BUSY_RETRY_S,
        trace_id=trace_id,
    )


def _retry_after(error: WunderError) -> int | None:
    if isinstance(error, StoreFull):
        return FULL_RETRY_S
    return BUSY_RETRY_S if isinstance(error, StoreUnavailable) else None


def _places(faults: tuple[FieldFault, ...]) -> tuple[PlaceOfFault, ...]:
    return tuple(PlaceOfFault(one.pointer, one.code, one.message) for one in faults)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
