"""What each refusal of Feishu means: whether to wait, to word it differently, or to give up."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

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
    """Why Feishu did not take a request."""

    RATE = "rate"
    CHAT_RATE = "chat_rate"
    IN_FLIGHT = "in_flight"
    TOKEN = "token"  # noqa: S105 - the name of a class of errors
    CREDENTIALS = "credentials"
    CONFIG = "config"
    TARGET = "target"
    GONE = "gone"
    CONTENT = "content"
    CARD = "card"
    TOO_LONG = "too_long"
    EDITS = "edits"
    NOT_GROWING = "not_growing"
    SEQUENCE = "sequence"
    SYSTEM = "system"
    NO_ANSWER = "no_answer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """An answer of the open platform, read once.

    Attributes:
        status: HTTP status.
        code: `code`; 0 is success, None if the answer carries none.
        words: The platform's own message, for operators.
        document: The whole JSON object, empty if there was none.
        log_id: For the platform's support (X-Tt-Logid).
        reset_s: What x-ogw-ratelimit-reset says, in seconds.
    """

    status: int
    code: int | None
    words: str
    document: dict[str, object]
    log_id: str = ""
    reset_s: float | None = None


def _codes(refusal: Refusal, codes: Iterable[int]) -> dict[int, Refusal]:
    return dict.fromkeys(codes, refusal)


#: Code -> refusal. Source: open.feishu.cn, error codes of im/v1 (read 2026-07), and the facts
#: sheet, section 7. lark-oapi's own map calls 99991400 a permission and 230020 a recall: the
#: documentation says frequency limit, and a live trace agrees.
REFUSAL_OF_CODE: dict[int, Refusal] = {
    **_codes(Refusal.RATE, (99991400, 11232, 11247)),
    **_codes(Refusal.CHAT_RATE, (230020, 11233)),
    **_codes(Refusal.IN_FLIGHT, (230049,)),
    **_codes(Refusal.TOKEN, (99991661, 99991663, 99991664, 99991665, 99991668)),
    **_codes(Refusal.TOKEN, (99991671, 99991677)),
    **_codes(Refusal.CREDENTIALS, (10003, 10014, 1000040345)),
    **_codes(Refusal.CONFIG, (99991672, 99991679, 230006, 230027)),
    **_codes(Refusal.TARGET, (230002, 230013, 230018, 230029, 230034, 230035, 230036)),
    **_codes(Refusal.TARGET, (230038, 230053, 232009)),
    **_codes(Refusal.GONE, (230011, 231003, 230110)),
    **_codes(Refusal.CONTENT, (230001, 230022, 230028, 230054, 230055, 230075)),
    **_codes(Refusal.CARD, (230099, 200220)),
    **_codes(Refusal.TOO_LONG, (230025, 19036)),
    **_codes(Refusal.EDITS, (230072,)),
    **_codes(Refusal.CONTENT, (300307, 300311)),
    **_codes(Refusal.NOT_GROWING, (300309, 200850)),
    **_codes(Refusal.SEQUENCE, (300317,)),
}
#: What newer API versions say of a recalled message, with HTTP 400 and no code.
_WITHDRAWN = "the message was withdrawn"
_LONGEST_WAIT_S = 60.0
_IN_FLIGHT_WAIT_S = 8.0

_LASTING: dict[Refusal, type[ChannelError]] = {
    Refusal.TOKEN: AuthFailed,
    Refusal.CREDENTIALS: AuthFailed,
    Refusal.CONFIG: AccountConfigInvalid,
    Refusal.TARGET: RecipientUnreachable,
    Refusal.GONE: RecipientUnreachable,
    Refusal.CONTENT: ProviderRejected,
    Refusal.CARD: ProviderRejected,
    Refusal.EDITS: ProviderRejected,
    Refusal.NOT_GROWING: ProviderRejected,
    Refusal.SEQUENCE: ProviderRejected,
    Refusal.UNKNOWN: ProviderRejected,
    Refusal.TOO_LONG: TooLarge,
    Refusal.NO_ANSWER: OutcomeUnknown,
}
_SCOPES: dict[Refusal, Literal["message", "peer"]] = {
    # The chat is paced, not the account; one message is in flight, not all of them.
    Refusal.CHAT_RATE: "peer",
    Refusal.IN_FLIGHT: "message",
    Refusal.GONE: "message",
}


def refusal_of(answer: PlatformAnswer) -> Refusal | None:
    """Return why Feishu refused, None if it did what was asked. `code` counts before HTTP status."""
    if answer.status == 429:
        return Refusal.RATE
    if answer.code is not None and answer.code in REFUSAL_OF_CODE:
        return REFUSAL_OF_CODE[answer.code]
    if answer.code == 0 and answer.status < 300:
        return None
    if _WITHDRAWN in answer.words.lower():
        return Refusal.GONE
    return _refusal_of_status(answer)


def _refusal_of_status(answer: PlatformAnswer) -> Refusal:
    if answer.status == 503:
        return Refusal.SYSTEM
    if answer.status >= 500 or (answer.status < 300 and answer.code is None):
        # Done, perhaps: the answer that would say so is missing or broken.
        return Refusal.NO_ANSWER
    if answer.status == 401 and not answer.code:
        return Refusal.TOKEN
    return Refusal.UNKNOWN


def error_for(refusal: Refusal, answer: PlatformAnswer, attempt: int) -> ChannelError:
    """Return the exception to raise for a refusal that no other wording can get around.

    Args:
        refusal: What `refusal_of` said.
        answer: Where the platform's words, code and status come from.
        attempt: From 1; waits double with it.
    """
    kind, wait_s = _LASTING.get(refusal), None
    if kind is None:
        kind, wait_s = _passing(refusal, answer, attempt)
    return kind(
        _words(refusal, answer),
        provider_code=answer.code,
        http_status=answer.status,
        retry_after=wait_s,
        scope=_SCOPES.get(refusal),
    )


def _passing(
    refusal: Refusal, answer: PlatformAnswer, attempt: int
) -> tuple[type[ChannelError], float]:
    growing_s = 2.0 ** min(max(attempt, 1) - 1, 6)
    if refusal in (Refusal.RATE, Refusal.CHAT_RATE):
        waits_s = min(growing_s, _LONGEST_WAIT_S) if answer.reset_s is None else answer.reset_s
        return RateLimited, waits_s
    if refusal is Refusal.IN_FLIGHT:
        return ProviderUnavailable, min(growing_s, _IN_FLIGHT_WAIT_S)
    return ProviderUnavailable, min(growing_s, _LONGEST_WAIT_S)


def _words(refusal: Refusal, answer: PlatformAnswer) -> str:
    said = " ".join(answer.words.split())[:300] or "no words"
    code = f"code {answer.code}, " if answer.code is not None else ""
    log_id = f", log {answer.log_id}" if answer.log_id else ""
    return f"Feishu answered {refusal}: {said} ({code}HTTP {answer.status}{log_id})"
