"""Every code WhatsApp may answer means one thing to the gateway."""

import pytest

from wunder_channels.whatsapp.provider_errors import (
    REFUSAL_OF_CODE,
    PlatformAnswer,
    Refusal,
    error_for,
    failure_words,
    refusal_of,
)

REJECTED = (131049, 131062, 131063, 130472, 131008, 131009, 100, 33, 131051, 131037, 132068, 132069,
            131020, 131041, *range(132000, 132017), *range(131200, 131208), *range(131209, 131216),
            131052, 131053)  # fmt: skip
PEER = (131026, 131021, 131030, 131050, 130497)
ACCOUNT = (0, 190, 3, 10, 131005, *range(200, 300), 368, 131031, 131042, 131045, 131064)

#: kind, retry_after_s at the first attempt, scope
EXPECTED: dict[int, tuple[str, float | None, str]] = {
    130429: ("rate_limited", 1.0, "account"),
    131056: ("rate_limited", 1.0, "peer"),
    **dict.fromkeys((4, 80007), ("rate_limited", 60.0, "account")),
    131208: ("rate_limited", 60.0, "peer"),
    131048: ("rate_limited", 3600.0, "account"),
    **dict.fromkeys(
        (1, 2, 131016, 133004, 131000, 135000), ("provider_unavailable", 5.0, "account")
    ),
    131057: ("provider_unavailable", 60.0, "account"),
    131047: ("recipient_unreachable", None, "message"),
    **dict.fromkeys(PEER, ("recipient_unreachable", None, "peer")),
    **dict.fromkeys(REJECTED, ("provider_rejected", None, "message")),
    **dict.fromkeys(ACCOUNT, ("auth_failed", None, "account")),
    133010: ("account_config_invalid", None, "account"),
}


def _answer(code: int | None, status: int = 400, **fields: object) -> PlatformAnswer:
    given: dict[str, object] = {
        "words": "said", "details": "because", "is_transient": False, "document": {},
        "readable": True, "trace_id": "T1", "retry_after_s": None, **fields,
    }  # fmt: skip
    return PlatformAnswer(status, code, **given)  # type: ignore[arg-type]  # fields as tests need


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(REFUSAL_OF_CODE)


@pytest.mark.parametrize("code", sorted(EXPECTED))
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_code_means_the_same_under_any_status(code: int, status: int) -> None:
    answer = _answer(code, status)
    refusal = refusal_of(answer)
    assert refusal is not None

    error = error_for(refusal, answer, 1).to_wire()

    assert error.data is not None
    wait_s = (error.data.retry_after_ms or 0) / 1000 or None
    assert (error.data.kind, wait_s, error.data.scope) == EXPECTED[code]
    assert (error.data.outcome, error.data.provider_code) == ("not_sent", str(code))
    assert error.data.retryable is (error.data.kind in ("rate_limited", "provider_unavailable"))
    assert "T1" in error.message and "because" in error.message


@pytest.mark.parametrize(
    ("code", "waits_s"),
    [
        (130429, [1, 2, 4, 8]),
        (131056, [1, 4, 16, 64, 256, 1024, 3600]),
        (4, [60, 120, 240]),
        (1, [5, 25, 125, 625]),
        (131048, [3600, 3600]),
        (131000, [5, 25]),
    ],
)
def test_waits_grow_and_end(code: int, waits_s: list[float]) -> None:
    answer = _answer(code)
    refusal = REFUSAL_OF_CODE[code]

    waits = [error_for(refusal, answer, n).retry_after for n in range(1, len(waits_s) + 1)]

    assert waits == waits_s
    last = error_for(refusal, answer, len(waits_s) + 1)
    assert (last.kind == "provider_rejected") == (code in (131048, 131000))


def test_what_the_platform_says_goes_before_our_own_guess() -> None:
    assert error_for(Refusal.CALL_RATE, _answer(4, retry_after_s=1140.0), 1).retry_after == 1140.0
    assert error_for(Refusal.CALL_RATE, _answer(4, retry_after_s=9e9), 1).retry_after == 3600.0


@pytest.mark.parametrize(
    ("status", "refusal"),
    [(200, None), (204, None), (401, Refusal.TOKEN), (403, Refusal.PERMISSION),
     (429, Refusal.CALL_RATE), (503, Refusal.TEMPORARY), (500, Refusal.NO_ANSWER),
     (502, Refusal.NO_ANSWER), (404, Refusal.REJECTED), (302, Refusal.REJECTED)],
)  # fmt: skip
def test_a_status_without_a_code_speaks_for_itself(status: int, refusal: Refusal | None) -> None:
    assert refusal_of(_answer(None, status)) is refusal


def test_a_success_that_cannot_be_read_may_be_one() -> None:
    answer = _answer(None, 200, readable=False)

    assert refusal_of(answer) is Refusal.NO_ANSWER
    assert error_for(Refusal.NO_ANSWER, answer, 1).outcome == "unknown"


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [(_answer(999_999), Refusal.REJECTED), (_answer(999_999, 500), Refusal.TEMPORARY),
     (_answer(999_999, is_transient=True), Refusal.TEMPORARY),
     (_answer(999_999, 401), Refusal.TOKEN)],
)  # fmt: skip
def test_an_unknown_code_is_judged_by_its_circumstances(
    answer: PlatformAnswer, refusal: Refusal
) -> None:
    assert refusal_of(answer) is refusal


def test_the_closed_window_is_told_in_words_a_person_understands() -> None:
    said = error_for(Refusal.WINDOW, _answer(131047), 1).message

    assert said.startswith("the 24-hour window is closed: this person has to write first")
    assert failure_words("131047", "Re-engagement", "") == (
        "131047 Re-engagement (the 24-hour window is closed: this person has to write first, "
        "or gets an approved template)"
    )
    assert failure_words("", "", "") == "no words"
