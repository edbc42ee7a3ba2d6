"""Every code QQ may answer means one thing to the gateway."""

import pytest

from wunder_channels.qqbot.provider_errors import (
    REFUSAL_OF_CODE,
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)

RATE = (20028, 22009, 50002, 620006, 1100100, 1100308)
AGAIN = (50055001, 50055002, 50055006, 40034004, 40054006, 304082, 304083, 304010, 304017, 304021,
         850026, 850027, 40093001)  # fmt: skip
EXPIRED = (
    304103,
    304026,
    304027,
    304028,
    40034005,
    40034024,
    40034025,
    40034026,
    40034027,
    40034128,
)
REJECTED = (40034102, 40034105, 304045, 304046, 304047, 304048, 304049, 304050, 304022, 304003,
            40054010, 40034012, 50056, 304036, 304041, 40034127, 40034008, 40034009, 40034010,
            40034011, 40034124, 40034006, 304025, 1100101, 1100103, 40093002, 10003, 10004, 404, 405, 12002,
            22006, 50006, 50035, 50059, 304061, 304080, 340069, 40007)  # fmt: skip
PEER = (40034101, 40054002, 40054003, 40054004, 40054013, 304031, 304032, 304033, 304034, 1100104,
        1100301)  # fmt: skip
APP = (11251, 11253, 11254, 11261, 11265, 40054016, 100007, 100016)
TOO_LONG = (40054007, 40054018, 304020, 850031)

#: kind, retry_after_s at the first attempt, scope, outcome
EXPECTED: dict[int, tuple[str, float | None, str | None, str]] = {
    **dict.fromkeys(RATE, ("rate_limited", 3.0, "account", "not_sent")),
    **dict.fromkeys(AGAIN, ("provider_unavailable", 3.0, "account", "not_sent")),
    **dict.fromkeys((11252, 11263, 11281), ("provider_unavailable", 1.0, "account", "not_sent")),
    11242: ("provider_unavailable", 1.0, "account", "not_sent"),
    **dict.fromkeys((11241, 11243, 11244), ("auth_failed", None, "account", "not_sent")),
    40054005: ("duplicate", None, "message", "sent"),
    **dict.fromkeys(EXPIRED, ("recipient_unreachable", None, "message", "not_sent")),
    40034100: ("rate_limited", 60.0, "peer", "not_sent"),
    **dict.fromkeys(REJECTED, ("provider_rejected", None, "message", "not_sent")),
    **dict.fromkeys(TOO_LONG, ("too_large", None, "message", "not_sent")),
    **dict.fromkeys(PEER, ("recipient_unreachable", None, "peer", "not_sent")),
    **dict.fromkeys(APP, ("auth_failed", None, "account", "not_sent")),
}


def _answer(code: int | None, status: int = 400, **fields: object) -> PlatformAnswer:
    given: dict[str, object] = {
        "words": "said", "document": {}, "readable": True, "trace_id": "T1", "retry_after_s": None,
        **fields,
    }  # fmt: skip
    return PlatformAnswer(status, code, **given)  # type: ignore[arg-type]  # fields as tests need


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(REFUSAL_OF_CODE)


@pytest.mark.parametrize("code", sorted(EXPECTED))
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_code_means_the_same_under_any_status(code: int, status: int) -> None:
    answer = _answer(code, status)
    refusal = refusal_of(answer)
    assert refusal is not None

    error = error_for(refusal, answer, 1, passive=True).to_wire()

    assert error.data is not None
    found = (error.data.kind, (error.data.retry_after_ms or 0) / 1000 or None, error.data.scope,
             error.data.outcome)  # fmt: skip
    assert found == EXPECTED[code]
    assert error.data.provider_code == str(code)
    assert error.data.http_status == status
    assert error.data.retryable is (error.data.kind in ("rate_limited", "provider_unavailable"))
    assert "T1" in error.message


@pytest.mark.parametrize(("code", "status"), [(304023, 201), (304024, 202)])
def test_accepted_for_review_is_accepted(code: int, status: int) -> None:
    assert refusal_of(_answer(code, status)) is None


@pytest.mark.parametrize(
    ("status", "refusal"),
    [(200, None), (204, None), (401, Refusal.TOKEN), (429, Refusal.RATE), (500, Refusal.NO_ANSWER),
     (502, Refusal.NO_ANSWER), (504, Refusal.NO_ANSWER), (503, Refusal.SYSTEM),
     (403, Refusal.BAD_REQUEST), (404, Refusal.BAD_REQUEST), (302, Refusal.BAD_REQUEST)],
)  # fmt: skip
def test_a_status_without_a_code_speaks_for_itself(status: int, refusal: Refusal | None) -> None:
    assert refusal_of(_answer(None, status)) is refusal


def test_a_success_that_cannot_be_read_may_be_one() -> None:
    answer = _answer(None, 200, readable=False)
    refusal = refusal_of(answer)

    assert refusal is Refusal.NO_ANSWER
    assert error_for(refusal, answer, 1, passive=True).outcome == "unknown"


@pytest.mark.parametrize(
    ("attempt", "passive", "kind"),
    [(1, True, "provider_unavailable"), (2, True, "provider_rejected"), (1, False, "provider_rejected")],
)  # fmt: skip
def test_an_unknown_code_is_tried_once_more_for_a_reply(
    attempt: int, passive: bool, kind: str
) -> None:
    answer = _answer(99_999_999)

    error = error_for(Refusal.UNKNOWN, answer, attempt, passive=passive)

    assert refusal_of(answer) is Refusal.UNKNOWN
    assert error.kind == kind
    assert error.retry_after == (5.0 if kind == "provider_unavailable" else None)


@pytest.mark.parametrize(("attempt", "wait_s"), [(1, 3), (2, 6), (3, 12), (6, 96), (60, 96)])
def test_waits_grow_to_a_limit(attempt: int, wait_s: float) -> None:
    answer = _answer(22009)

    assert error_for(Refusal.RATE, answer, attempt, passive=True).retry_after == wait_s


def test_retry_after_goes_before_our_own_guess() -> None:
    answer = _answer(None, 429, retry_after_s=17.0)

    assert error_for(Refusal.RATE, answer, 1, passive=True).retry_after == 17.0


def test_please_retry_is_believed_four_times() -> None:
    kinds = [error_for(Refusal.TRY_AGAIN, _answer(40034004), n, passive=True).kind for n in (4, 5)]

    assert kinds == ["provider_unavailable", "provider_rejected"]
