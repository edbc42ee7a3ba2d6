"""What each refusal of QQ means: whether to wait, to word the message differently, or to give up."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from wunder_sdk import (
    AuthFailed,
    ChannelError,
    Duplicate,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RecipientUnreachable,
    TooLarge,
)


class Refusal(StrEnum):
    """Why QQ did not take a message."""

    TOKEN = "token"  # noqa: S105 - the name of a class of errors
    RATE = "rate"
    SYSTEM = "system"
    TRY_AGAIN = "try_again"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    ACTIVE_RATE = "active_rate"
    ACTIVE_DENIED = "active_denied"
    LINK = "link"
    MARKDOWN = "markdown"
    CONTENT = "content"
    TOO_LONG = "too_long"
    PEER = "peer"
    APP = "app"
    BAD_REQUEST = "bad_request"
    NO_ANSWER = "no_answer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """An answer of QQ's API, read once.

    Attributes:
        status: HTTP status.
        code: `err_code`, else `code`; None if the answer carries none, 0 counts as none.
        words: The platform's own message, for operators.
        document: The whole JSON object, empty if there was none.
        readable: Was the body a JSON object (or absent by status 204)?
        trace_id: For the platform's support.
        retry_after_s: What the Retry-After header says.
    """

    status: int
    code: int | None
    words: str
    document: dict[str, object]
    readable: bool
    trace_id: str
    retry_after_s: float | None


def _codes(refusal: Refusal, codes: Iterable[int]) -> dict[int, Refusal]:
    return dict.fromkeys(codes, refusal)


#: Code -> refusal. Source: QQ bot docs 2026-07, error codes, and what SDKs observed.
REFUSAL_OF_CODE: dict[int, Refusal] = {
    **_codes(Refusal.SYSTEM, (11252, 11263, 11281)),
    **_codes(Refusal.TOKEN, range(11241, 11245)),
    **_codes(Refusal.RATE, (20028, 22009, 50002, 620006, 1100100, 1100308)),
    **_codes(Refusal.TRY_AGAIN, (50055001, 50055002, 50055006, 40034004, 40054006, 304082)),
    **_codes(Refusal.TRY_AGAIN, (304083, 304010, 304017, 304021, 850026, 850027, 40093001)),
    **_codes(Refusal.DUPLICATE, (40054005,)),
    **_codes(Refusal.EXPIRED, (304103, *range(304026, 304029), 40034005, 40034128)),
    **_codes(Refusal.EXPIRED, range(40034024, 40034028)),
    **_codes(Refusal.ACTIVE_RATE, (40034100,)),
    **_codes(Refusal.ACTIVE_DENIED, (40034102, 40034105, *range(304045, 304051), 304022)),
    **_codes(Refusal.LINK, (304003, 40054010)),
    **_codes(Refusal.MARKDOWN, (40034012, 50056, 304036, 304041, 40034127, 40034124)),
    **_codes(Refusal.MARKDOWN, range(40034008, 40034012)),
    **_codes(Refusal.CONTENT, (40034006, 304025, 1100101, 1100103, 40093002)),
    **_codes(Refusal.TOO_LONG, (40054007, 40054018, 304020, 850031)),
    **_codes(Refusal.PEER, (40034101, 40054002, 40054003, 40054004, 40054013)),
    **_codes(Refusal.PEER, (*range(304031, 304035), 1100104, 1100301)),
    **_codes(Refusal.APP, (11251, 11253, 11254, 11261, 11265, 40054016, 100007, 100016)),
    **_codes(Refusal.BAD_REQUEST, (10003, 10004, 404, 405, 12002, 22006, 50006, 50035, 50059)),
    **_codes(Refusal.BAD_REQUEST, (304061, 304080, 340069, 40007)),
}
#: Accepted, but a person at QQ looks at it first; HTTP 201 or 202.
ACCEPTED_FOR_REVIEW = frozenset({304023, 304024})
#: Markdown refused because this bot may not use it at all: not worth trying again soon.
MARKDOWN_NOT_ALLOWED = frozenset({40034012, 50056, 304036})
#: Both a token error and a system error in the docs: refreshed once, then it is a system error.
_TOKEN_OR_SYSTEM = 11242

#: "Please retry" is believed this often (QQ bot docs 2026-07, error codes: at most 4 times).
_MOST_TRIES_AGAIN = 4
_ACTIVE_WAIT_S = 60.0
_UNKNOWN_WAIT_S = 5.0


def refusal_of(answer: PlatformAnswer) -> Refusal | None:
    """Return why QQ refused, None if it took the message (perhaps pending review)."""
    if answer.code in ACCEPTED_FOR_REVIEW:
        return None
    if answer.code is not None and answer.code in REFUSAL_OF_CODE:
        return REFUSAL_OF_CODE[answer.code]
    if answer.status < 300 and answer.readable:
        return None if answer.code is None else Refusal.UNKNOWN
    return _refusal_of_status(answer)


def _refusal_of_status(answer: PlatformAnswer) -> Refusal:
    by_status = {401: Refusal.TOKEN, 429: Refusal.RATE, 503: Refusal.SYSTEM}
    if answer.status in by_status:
        return by_status[answer.status]
    if answer.status < 300 or answer.status >= 500:
        # Taken, perhaps: the answer that would say so is missing or broken.
        return Refusal.NO_ANSWER
    return Refusal.BAD_REQUEST if answer.code is None else Refusal.UNKNOWN


def error_for(
    refusal: Refusal, answer: PlatformAnswer, attempt: int, *, passive: bool
) -> ChannelError:
    """Return the exception to raise for a refusal that no other wording can get around.

    Args:
        refusal: What `refusal_of` said.
        answer: Where the platform's words, code and status come from.
        attempt: From 1; waits grow with it, and some refusals are believed only so often.
        passive: Did the message answer an inbound one?
    """
    kind, wait_s = _lasting(refusal, answer) or _passing(refusal, answer, attempt, passive=passive)
    error = kind(
        _words(refusal, answer),
        provider_code=answer.code,
        http_status=answer.status,
        retry_after=wait_s,
    )
    if refusal is Refusal.ACTIVE_RATE:
        error.scope = "peer"
    elif refusal is Refusal.EXPIRED:
        # This reply came too late; the peer itself can still be written to.
        error.scope = "message"
    return error


def _lasting(
    refusal: Refusal, answer: PlatformAnswer
) -> tuple[type[ChannelError], float | None] | None:
    kinds: dict[Refusal, type[ChannelError]] = {
        Refusal.TOKEN: AuthFailed,
        Refusal.APP: AuthFailed,
        Refusal.DUPLICATE: Duplicate,
        Refusal.EXPIRED: RecipientUnreachable,
        Refusal.PEER: RecipientUnreachable,
        Refusal.ACTIVE_DENIED: ProviderRejected,
        Refusal.LINK: ProviderRejected,
        Refusal.MARKDOWN: ProviderRejected,
        Refusal.CONTENT: ProviderRejected,
        Refusal.BAD_REQUEST: ProviderRejected,
        Refusal.TOO_LONG: TooLarge,
        Refusal.NO_ANSWER: OutcomeUnknown,
    }
    if refusal is Refusal.TOKEN and answer.code == _TOKEN_OR_SYSTEM:
        return None
    kind = kinds.get(refusal)
    return None if kind is None else (kind, None)


def _passing(
    refusal: Refusal, answer: PlatformAnswer, attempt: int, *, passive: bool
) -> tuple[type[ChannelError], float | None]:
    growing_s = 3.0 * 2 ** min(attempt - 1, 5)
    if refusal is Refusal.RATE:
        return RateLimited, growing_s if answer.retry_after_s is None else answer.retry_after_s
    if refusal is Refusal.ACTIVE_RATE:
        return RateLimited, _ACTIVE_WAIT_S
    if refusal is Refusal.TRY_AGAIN and attempt <= _MOST_TRIES_AGAIN:
        return ProviderUnavailable, growing_s
    if refusal in (Refusal.SYSTEM, Refusal.TOKEN):
        return ProviderUnavailable, answer.retry_after_s or (1.0 if attempt == 1 else growing_s)
    if refusal is Refusal.UNKNOWN and passive and attempt == 1:
        return ProviderUnavailable, _UNKNOWN_WAIT_S
    return ProviderRejected, None


def _words(refusal: Refusal, answer: PlatformAnswer) -> str:
    said = " ".join(answer.words.split())[:200] or "no words"
    code = f"code {answer.code}, " if answer.code is not None else ""
    trace = f", trace {answer.trace_id}" if answer.trace_id else ""
    return f"QQ answered {refusal}: {said} ({code}HTTP {answer.status}{trace})"
