"""What each refusal of WhatsApp means: whether to wait and for how long, or to give up and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from wunder_sdk import (
    AccountConfigInvalid,
    AuthFailed,
    ChannelError,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RecipientUnreachable,
)


class Refusal(StrEnum):
    """Why WhatsApp did not take a message."""

    TOKEN = "token"  # noqa: S105 - the name of a class of errors
    PERMISSION = "permission"
    ACCOUNT = "account"
    NOT_REGISTERED = "not_registered"
    THROUGHPUT = "throughput"
    PAIR_RATE = "pair_rate"
    CALL_RATE = "call_rate"
    GROUP_RATE = "group_rate"
    SPAM = "spam"
    TEMPORARY = "temporary"
    SOMETIMES = "sometimes"
    MAINTENANCE = "maintenance"
    MEDIA = "media"
    WINDOW = "window"
    PEER = "peer"
    REJECTED = "rejected"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """An answer of the Graph API, read once.

    Attributes:
        status: HTTP status.
        code: `error.code`, None if the answer carries no error.
        words: `error.message`, for operators.
        details: `error.error_data.details`, the most telling part.
        is_transient: What Meta says of an error by itself.
        document: The whole JSON object, empty if there was none.
        readable: Was the body a JSON object?
        trace_id: `fbtrace_id`, for Meta's support.
        retry_after_s: What the usage or Retry-After header says.
    """

    status: int
    code: int | None
    words: str
    details: str
    is_transient: bool
    document: dict[str, object]
    readable: bool
    trace_id: str
    retry_after_s: float | None


def _codes(refusal: Refusal, codes: Iterable[int]) -> dict[int, Refusal]:
    return dict.fromkeys(codes, refusal)


#: Code -> refusal. Source: Meta, Cloud API, Error codes (read 2026-07).
REFUSAL_OF_CODE: dict[int, Refusal] = {
    **_codes(Refusal.REJECTED, (131049, 131062, 131063, 130472)),
    **_codes(Refusal.REJECTED, (131008, 131009, 100, 33, 131051, 131037)),
    **_codes(Refusal.REJECTED, (*range(132000, 132017), 132068, 132069)),
    **_codes(Refusal.REJECTED, (131020, 131041, *range(131200, 131216))),
    **_codes(Refusal.THROUGHPUT, (130429,)),
    **_codes(Refusal.PAIR_RATE, (131056,)),
    **_codes(Refusal.CALL_RATE, (4, 80007)),
    **_codes(Refusal.GROUP_RATE, (131208,)),
    **_codes(Refusal.SPAM, (131048,)),
    **_codes(Refusal.TEMPORARY, (1, 2, 131016, 133004)),
    **_codes(Refusal.SOMETIMES, (131000, 135000)),
    **_codes(Refusal.MAINTENANCE, (131057,)),
    **_codes(Refusal.MEDIA, (131052, 131053)),
    **_codes(Refusal.TOKEN, (0, 190)),
    **_codes(Refusal.PERMISSION, (3, 10, *range(200, 300), 131005)),
    **_codes(Refusal.ACCOUNT, (368, 131031, 131042, 131045, 131064)),
    **_codes(Refusal.NOT_REGISTERED, (133010,)),
    **_codes(Refusal.WINDOW, (131047,)),
    # 130497: this business may not write to the people of a country. The account is well, so one
    # person from there must not park it for everybody.
    **_codes(Refusal.PEER, (131026, 131021, 131030, 131050, 130497)),
}
#: What may hide behind an unknown code.
_UNREADABLE_BY_STATUS = {
    401: Refusal.TOKEN,
    403: Refusal.PERMISSION,
    429: Refusal.CALL_RATE,
    503: Refusal.TEMPORARY,
}
_LASTING: dict[Refusal, type[ChannelError]] = {
    Refusal.TOKEN: AuthFailed,
    Refusal.PERMISSION: AuthFailed,
    Refusal.ACCOUNT: AuthFailed,
    Refusal.NOT_REGISTERED: AccountConfigInvalid,
    Refusal.MEDIA: ProviderRejected,
    Refusal.WINDOW: RecipientUnreachable,
    Refusal.PEER: RecipientUnreachable,
    Refusal.REJECTED: ProviderRejected,
    Refusal.NO_ANSWER: OutcomeUnknown,
}
_MAX_WAIT_S = 3600.0
#: "Something went wrong" and "spam rate limit" are believed this often, then they are refusals.
_MOST_TRIES = {Refusal.SOMETIMES: 2, Refusal.SPAM: 2}
_HINTS = {
    Refusal.WINDOW: (
        "the 24-hour window is closed: this person has to write first, or gets an approved template"
    ),
    Refusal.PAIR_RATE: "too many messages to this person, WhatsApp takes one in 6 s",
    Refusal.TOKEN: "the access token is invalid or has ended: paste a new one",
    Refusal.PERMISSION: "the access token lacks a permission (whatsapp_business_messaging)",
    Refusal.ACCOUNT: "Meta has blocked or limited this business account: see the WhatsApp Manager",
    Refusal.NOT_REGISTERED: "this phone number is not registered for the Cloud API",
    Refusal.SPAM: "people blocked or reported this number: WhatsApp limits it for its quality",
}


def refusal_of(answer: PlatformAnswer) -> Refusal | None:
    """Return why WhatsApp refused, None if it took what was sent."""
    if answer.code is None:
        if answer.status < 300 and answer.readable:
            return None
        return _refusal_of_status(answer.status)
    known = REFUSAL_OF_CODE.get(answer.code)
    if known is not None:
        return known
    if answer.is_transient or answer.status >= 500:
        return Refusal.TEMPORARY
    return _UNREADABLE_BY_STATUS.get(answer.status, Refusal.REJECTED)


def error_for(refusal: Refusal, answer: PlatformAnswer, attempt: int) -> ChannelError:
    """Return the exception that stands for a refusal.

    Args:
        refusal: What `refusal_of` said.
        answer: Where the platform's words, code and status come from.
        attempt: From 1; waits grow with it, and some refusals are believed only so often.
    """
    kind, wait_s = _kind_and_wait(refusal, answer, attempt)
    error = kind(
        _words(refusal, answer),
        provider_code=answer.code,
        http_status=answer.status,
        retry_after=None if wait_s is None else min(wait_s, _MAX_WAIT_S),
    )
    if refusal in (Refusal.PAIR_RATE, Refusal.GROUP_RATE):
        error.scope = "peer"
    elif refusal is Refusal.WINDOW:
        # Only free-form messages are refused; the person can still be written to by template.
        error.scope = "message"
    return error


def failure_words(code: str, words: str, details: str) -> str:
    """Return the reason of a failure that came later, in a status, with what to do about it."""
    known = REFUSAL_OF_CODE.get(int(code)) if code.isdecimal() and len(code) < 12 else None
    said = ": ".join(dict.fromkeys(filter(None, (_line(words), _line(details)))))
    hint = f" ({_HINTS[known]})" if known in _HINTS else ""
    return f"{code} {said or 'no words'}{hint}".strip()


def _refusal_of_status(status: int) -> Refusal:
    if status in _UNREADABLE_BY_STATUS:
        return _UNREADABLE_BY_STATUS[status]
    # Taken, perhaps: the answer that would say so is missing or broken.
    return Refusal.NO_ANSWER if status < 300 or status >= 500 else Refusal.REJECTED


def _kind_and_wait(
    refusal: Refusal, answer: PlatformAnswer, attempt: int
) -> tuple[type[ChannelError], float | None]:
    if refusal in _LASTING:
        return _LASTING[refusal], None
    if attempt > _MOST_TRIES.get(refusal, attempt):
        return ProviderRejected, None
    step = min(attempt - 1, 8)
    waits: dict[Refusal, tuple[type[ChannelError], float]] = {
        Refusal.THROUGHPUT: (RateLimited, 2.0**step),
        Refusal.PAIR_RATE: (RateLimited, 4.0**step),
        Refusal.CALL_RATE: (RateLimited, 60.0 * 2**step),
        Refusal.GROUP_RATE: (RateLimited, 60.0),
        Refusal.SPAM: (RateLimited, 3600.0),
        Refusal.MAINTENANCE: (ProviderUnavailable, 60.0),
    }
    kind, wait_s = waits.get(refusal, (ProviderUnavailable, 5.0 * 5**step))
    return kind, wait_s if answer.retry_after_s is None else answer.retry_after_s


def _words(refusal: Refusal, answer: PlatformAnswer) -> str:
    hint = f"{_HINTS[refusal]}; " if refusal in _HINTS else ""
    said = ": ".join(dict.fromkeys(filter(None, (_line(answer.words), _line(answer.details)))))
    code = f"code {answer.code}, " if answer.code is not None else ""
    trace = f", trace {answer.trace_id}" if answer.trace_id else ""
    said = said or "no words"
    return f"{hint}WhatsApp answered {refusal}: {said} ({code}HTTP {answer.status}{trace})"


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
