"""What each refusal of WeChat means: whether to wait, to shorten, or to give up."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from wunder_sdk import (
    AuthFailed,
    ChannelError,
    HttpAnswer,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RecipientUnreachable,
    TooLarge,
)


class Refusal(StrEnum):
    """Why WeChat did not do what was asked."""

    BUSY = "busy"
    RATE = "rate"
    DAY = "day"
    TOKEN = "token"  # noqa: S105 - the name of a class of errors
    WINDOW = "window"
    QUOTA = "quota"
    PEER = "peer"
    CONFIG = "config"
    NOT_ALLOWED = "not_allowed"
    MEDIA = "media"
    TOO_LONG = "too_long"
    CONTENT = "content"
    NO_ANSWER = "no_answer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """An answer of WeChat's API, read once.

    Attributes:
        status: HTTP status; 200 for refusals too.
        code: `errcode`, None where it is 0 or absent.
        words: WeChat's own message; ends with `rid: ..` for its support.
        document: The whole JSON object, empty if there was none.
        readable: Was the body a JSON object?
    """

    status: int
    code: int | None
    words: str
    document: dict[str, object]
    readable: bool


def _codes(refusal: Refusal, codes: Iterable[int]) -> dict[int, Refusal]:
    return dict.fromkeys(codes, refusal)


#: Code -> refusal, on every call but that for a token.
#: Source: official account docs 2026-07, global return codes, and customer service messages.
REFUSAL_OF_CODE: dict[int, Refusal] = {
    **_codes(Refusal.BUSY, (-1,)),
    **_codes(Refusal.RATE, (45011,)),
    **_codes(Refusal.DAY, (45009,)),
    **_codes(Refusal.TOKEN, (40001, 40014, 42001, 41001)),
    **_codes(Refusal.WINDOW, (45015,)),
    **_codes(Refusal.QUOTA, (45047,)),
    **_codes(Refusal.PEER, (43004, 48002, 43101, 50002)),
    **_codes(Refusal.CONFIG, (40125, 40013, 40002, 40164, 41002, 41004, 48004, 61004)),
    **_codes(Refusal.CONFIG, (89503, 89501, 89506, 89507)),
    **_codes(Refusal.NOT_ALLOWED, (48001,)),
    **_codes(Refusal.MEDIA, (40007,)),
    **_codes(Refusal.TOO_LONG, (45002,)),
    **_codes(Refusal.CONTENT, (40003, 40004, 40005, 40006, 40008, 40009, 40033, 40037)),
    **_codes(Refusal.CONTENT, (44001, 44002, 44003, 44004, 45001, *range(45003, 45009))),
    **_codes(Refusal.CONTENT, (47001, 47003, 87014, 45065, 45067)),
}
#: Asking for a token with a wrong secret; the same code elsewhere means a stale token.
_WRONG_SECRET = 40001
_MINUTE_S = 60.0
#: A whole day's calls are used up until midnight in China (UTC+8).
_DAY_MS, _CHINA_MS = 86_400_000, 8 * 3_600_000
_MOST_WAIT_S = 60.0
#: What helps with the refusals that an administrator has to end.
_ADVICE = {
    40164: "add this address to the IP whitelist (IP白名单)",
    40125: "the App secret is wrong or was reset",
    40013: "the App ID is wrong",
    48001: "this account may not do that: it is not verified, or of a kind without it",
    48004: "WeChat has banned this interface for the account",
    45015: "the user wrote more than 48 hours ago, or unfollowed",
    45047: "the user got all messages WeChat allows until they write again",
    89503: "an administrator has to confirm this server's call for a token",
}


def read(answer: HttpAnswer) -> PlatformAnswer:
    """Read an answer of the API, whatever came: not JSON means an empty, unreadable document."""
    try:
        found = answer.json() if answer.body else None
    except ChannelError:
        found = None
    document: dict[str, object] = found if isinstance(found, dict) else {}
    code, words = document.get("errcode"), document.get("errmsg")
    return PlatformAnswer(
        status=answer.status,
        code=code if type(code) is int and code else None,
        words=words if isinstance(words, str) else "",
        document=document,
        readable=isinstance(found, dict),
    )


def refusal_of(answer: PlatformAnswer) -> Refusal | None:
    """Return why WeChat refused, None if it did what was asked."""
    if answer.code is not None:
        return REFUSAL_OF_CODE.get(answer.code, Refusal.UNKNOWN)
    if answer.status == 429:
        return Refusal.RATE
    if answer.status == 504:
        # Its own gateway gave up waiting: the message may be through, and nothing folds repeats.
        return Refusal.NO_ANSWER
    if answer.status >= 500:
        return Refusal.BUSY
    if answer.status >= 300:
        return Refusal.UNKNOWN
    return None if answer.readable else Refusal.NO_ANSWER


def error_for(
    refusal: Refusal, answer: PlatformAnswer, attempt: int = 1, now_ms: int = 0
) -> ChannelError:
    """Return the exception to raise for a refusal.

    Args:
        refusal: What `refusal_of` said.
        answer: Where the platform's words, code and status come from.
        attempt: From 1; waits grow with it.
        now_ms: Unix milliseconds, to tell how far the next day is.
    """
    error = _KINDS[refusal](
        _words(refusal, answer),
        provider_code=answer.code,
        http_status=answer.status,
        retry_after=_wait_s(refusal, attempt, now_ms),
    )
    if refusal in (Refusal.WINDOW, Refusal.QUOTA):
        # The user can still be written to: as soon as they write again.
        error.scope = "message"
    return error


def token_error(answer: PlatformAnswer, now_ms: int) -> ChannelError:
    """Return the exception for an answer that holds no token."""
    refusal = refusal_of(answer)
    if answer.code == _WRONG_SECRET or (refusal is Refusal.UNKNOWN and answer.code is not None):
        refusal = Refusal.CONFIG
    if refusal is None or refusal is Refusal.NO_ANSWER:
        # Asking for a token sends nothing, so what went wrong may simply be tried again.
        refusal = Refusal.BUSY
    return error_for(refusal, answer, 1, now_ms)


_KINDS: dict[Refusal, type[ChannelError]] = {
    Refusal.BUSY: ProviderUnavailable,
    Refusal.RATE: RateLimited,
    Refusal.DAY: RateLimited,
    Refusal.TOKEN: AuthFailed,
    Refusal.WINDOW: RecipientUnreachable,
    Refusal.QUOTA: RecipientUnreachable,
    Refusal.PEER: RecipientUnreachable,
    Refusal.CONFIG: AuthFailed,
    Refusal.NOT_ALLOWED: AuthFailed,
    Refusal.MEDIA: ProviderRejected,
    Refusal.TOO_LONG: TooLarge,
    Refusal.CONTENT: ProviderRejected,
    Refusal.NO_ANSWER: OutcomeUnknown,
    Refusal.UNKNOWN: ProviderRejected,
}


def _wait_s(refusal: Refusal, attempt: int, now_ms: int) -> float | None:
    if refusal is Refusal.BUSY:
        return min(float(2 ** min(attempt - 1, 10)), _MOST_WAIT_S)
    if refusal is Refusal.RATE:
        return _MINUTE_S
    if refusal is Refusal.DAY:
        return (_DAY_MS - (now_ms + _CHINA_MS) % _DAY_MS) / 1000
    return None


def _words(refusal: Refusal, answer: PlatformAnswer) -> str:
    said = " ".join(answer.words.split())[:200] or "no words"
    code = f"code {answer.code}, " if answer.code is not None else ""
    advice = _ADVICE.get(answer.code or 0)
    more = f"; {advice}" if advice else ""
    return f"WeChat answered {refusal}: {said} ({code}HTTP {answer.status}){more}"
