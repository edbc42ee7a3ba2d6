"""What each refusal of WeCom means: whether to wait, to fetch a new token, or to give up."""

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
    TooLarge,
)


class Refusal(StrEnum):
    """Why WeCom did not take a call."""

    TOKEN = "token"  # noqa: S105 - the name of a class of errors
    CREDENTIALS = "credentials"
    CONFIG = "config"
    RATE = "rate"
    CONCURRENCY = "concurrency"
    SYSTEM = "system"
    TARGET = "target"
    SESSION = "session"
    MEDIA_GONE = "media_gone"
    CONTENT = "content"
    TOO_LONG = "too_long"
    NO_ANSWER = "no_answer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """An answer of WeCom's API, read once.

    Attributes:
        status: HTTP status; 200 even for most errors.
        code: `errcode`; None if the answer carries none.
        words: `errmsg`: the platform's own words, a hint for its support and our address.
        document: The whole JSON object, empty if there was none.
    """

    status: int
    code: int | None
    words: str
    document: dict[str, object]


def _codes(refusal: Refusal, codes: Iterable[int]) -> dict[int, Refusal]:
    return dict.fromkeys(codes, refusal)


#: Code -> refusal. Source: WeCom docs 90313 (全局错误码) and its forum, read 2026-07.
REFUSAL_OF_CODE: dict[int, Refusal] = {
    **_codes(Refusal.SYSTEM, (-1, 6000)),
    **_codes(Refusal.RATE, (45009,)),
    **_codes(Refusal.CONCURRENCY, (45033,)),
    **_codes(Refusal.TOKEN, (40001, 40014, 41001, 42001)),
    **_codes(Refusal.CREDENTIALS, (40013, 40091, 41002, 41004)),
    **_codes(Refusal.CONFIG, (40056, 48002, 50001, 60011, 60020, 301002)),
    **_codes(Refusal.TARGET, (40003, 60111, 81013, 82001)),
    **_codes(Refusal.SESSION, (95018,)),
    **_codes(Refusal.MEDIA_GONE, (40007,)),
    **_codes(Refusal.CONTENT, (40004, 40005, 40006, 40008, 40009, 40033, 40058, 44004, 47001)),
    **_codes(Refusal.TOO_LONG, (45002,)),
}
#: Blocked for a minute by the minute's limit, for an hour by the hour's (WeCom docs 90312).
_RATE_WAIT_S, _RATE_LONG_WAIT_S = 60.0, 3600.0
_RATE_SHORT_TRIES = 3
#: At most five parallel calls of one API, says the official forum: let some of them end.
_CONCURRENCY_WAIT_S = 2.0

_LASTING: dict[Refusal, type[ChannelError]] = {
    Refusal.TOKEN: AuthFailed,
    Refusal.CREDENTIALS: AuthFailed,
    Refusal.CONFIG: AccountConfigInvalid,
    Refusal.TARGET: RecipientUnreachable,
    Refusal.SESSION: RecipientUnreachable,
    Refusal.MEDIA_GONE: ProviderRejected,
    Refusal.CONTENT: ProviderRejected,
    Refusal.TOO_LONG: TooLarge,
    Refusal.UNKNOWN: ProviderRejected,
}
_WHAT_TO_DO = {
    40056: "check the AgentId",
    48002: "the app may not use this interface: check its permissions",
    50001: "the callback domain is not trusted: check 可信域名",
    60011: "the app lacks a permission: check its visible range",
    60020: "add our address, at the end of these words, to the app's trusted IPs (企业可信IP)",
    301002: "the Secret belongs to another app: check AgentId and Secret",
    81013: "the recipient is outside the app's visible range; a change takes minutes to count",
    60111: "there is no such member",
    95018: "a human agent has the conversation, or it has ended: until the customer writes again",
}


def refusal_of(answer: PlatformAnswer) -> Refusal | None:
    """Return why WeCom refused, None if it took the call. Only the code counts, never the words."""
    if answer.code == 0 and answer.status < 300:
        return None
    if answer.code:
        return REFUSAL_OF_CODE.get(answer.code, Refusal.UNKNOWN)
    if answer.status == 429:
        return Refusal.RATE
    if answer.status == 503:
        return Refusal.SYSTEM
    if answer.status < 300 or answer.status >= 500:
        # Taken, perhaps: the answer that would say so is missing or broken.
        return Refusal.NO_ANSWER
    return Refusal.CONTENT


def error_for(
    refusal: Refusal, answer: PlatformAnswer, attempt: int, *, folds: bool
) -> ChannelError:
    """Return the exception to raise for a refusal.

    Args:
        refusal: What `refusal_of` said.
        answer: Where the platform's words, code and status come from.
        attempt: From 1; waits grow with it.
        folds: Does WeCom recognise a repeat of this call? Then no answer is simply tried again.
    """
    kind, wait_s = _judged(refusal, attempt, folds=folds)
    return kind(
        _words(refusal, answer),
        provider_code=answer.code,
        http_status=answer.status,
        retry_after=wait_s,
        scope="message" if refusal is Refusal.SESSION else None,
    )


def _judged(
    refusal: Refusal, attempt: int, *, folds: bool
) -> tuple[type[ChannelError], float | None]:
    if refusal in _LASTING:
        return _LASTING[refusal], None
    if refusal is Refusal.RATE:
        return RateLimited, _RATE_WAIT_S if attempt <= _RATE_SHORT_TRIES else _RATE_LONG_WAIT_S
    if refusal is Refusal.CONCURRENCY:
        return RateLimited, _CONCURRENCY_WAIT_S
    if refusal is Refusal.NO_ANSWER and not folds:
        return OutcomeUnknown, None
    return ProviderUnavailable, float(2 ** min(attempt - 1, 6))


def _words(refusal: Refusal, answer: PlatformAnswer) -> str:
    said = " ".join(answer.words.split())[:240] or "no words"
    code = f"errcode {answer.code}, " if answer.code is not None else ""
    what_to_do = _WHAT_TO_DO.get(answer.code or 0, "")
    advice = f"; {what_to_do}" if what_to_do else ""
    return f"WeCom answered {refusal}: {said} ({code}HTTP {answer.status}){advice}"
