"""Every code WeChat may answer means one thing to the gateway."""

import pytest

from wunder_channels.wechat_mp.provider_errors import (
    REFUSAL_OF_CODE,
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
    token_error,
)

CONFIG = (40125, 40013, 40002, 40164, 41002, 41004, 48001, 48004, 61004, 89503, 89501, 89506, 89507)
CONTENT = (40003, 40004, 40005, 40006, 40007, 40008, 40009, 40033, 40037, 44001, 44002, 44003, 44004, 45001,
           45003, 45004, 45005, 45006, 45007, 45008, 47001, 47003, 87014, 45065, 45067)  # fmt: skip
#: 2026-01-01 00:00 UTC is 08:00 in China: 16 hours of the day are left.
NOW_MS = 1_767_225_600_000

#: kind, retry_after_s at the first attempt, scope, outcome
EXPECTED: dict[int, tuple[str, float | None, str | None, str]] = {
    -1: ("provider_unavailable", 1.0, "account", "not_sent"),
    45011: ("rate_limited", 60.0, "account", "not_sent"),
    45009: ("rate_limited", 16 * 3600.0, "account", "not_sent"),
    **dict.fromkeys((40001, 40014, 42001, 41001), ("auth_failed", None, "account", "not_sent")),
    **dict.fromkeys((45015, 45047), ("recipient_unreachable", None, "message", "not_sent")),
    **dict.fromkeys((43004, 48002, 43101, 50002), ("recipient_unreachable", None, "peer", "not_sent")),
    **dict.fromkeys(CONFIG, ("auth_failed", None, "account", "not_sent")),
    **dict.fromkeys(CONTENT, ("provider_rejected", None, "message", "not_sent")),
    45002: ("too_large", None, "message", "not_sent"),
}  # fmt: skip


def _answer(code: int | None, status: int = 200, *, readable: bool = True) -> PlatformAnswer:
    return PlatformAnswer(status, code, "said rid: 1-2-3", {}, readable)


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(REFUSAL_OF_CODE)


@pytest.mark.parametrize("code", sorted(EXPECTED))
@pytest.mark.parametrize("status", [200, 500])
def test_a_code_means_the_same_under_any_status(code: int, status: int) -> None:
    answer = _answer(code, status)
    refusal = refusal_of(answer)
    assert refusal is not None

    error = error_for(refusal, answer, 1, NOW_MS).to_wire()

    assert error.data is not None
    wait_s = None if error.data.retry_after_ms is None else error.data.retry_after_ms / 1000
    assert (error.data.kind, wait_s, error.data.scope, error.data.outcome) == EXPECTED[code]
    assert (error.data.provider_code, error.data.http_status) == (str(code), status)
    assert error.data.retryable is (error.data.kind in ("rate_limited", "provider_unavailable"))
    assert "rid: 1-2-3" in error.message


@pytest.mark.parametrize(
    ("status", "readable", "refusal"),
    [(200, True, None), (200, False, Refusal.NO_ANSWER), (500, False, Refusal.BUSY), (502, False, Refusal.BUSY),
     (503, True, Refusal.BUSY), (504, False, Refusal.NO_ANSWER), (429, False, Refusal.RATE),
     (404, True, Refusal.UNKNOWN), (302, False, Refusal.UNKNOWN)],
)  # fmt: skip
def test_an_answer_without_a_code(status: int, readable: bool, refusal: Refusal | None) -> None:
    answer = _answer(None, status, readable=readable)

    assert refusal_of(answer) is refusal
    if refusal is Refusal.NO_ANSWER:
        assert error_for(refusal, answer).outcome == "unknown"


def test_an_unknown_code_is_a_refusal_for_good() -> None:
    answer = _answer(99_999)

    assert refusal_of(answer) is Refusal.UNKNOWN
    assert error_for(Refusal.UNKNOWN, answer).kind == "provider_rejected"


@pytest.mark.parametrize(("attempt", "wait_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (7, 60), (99, 60)])
def test_waits_for_a_busy_platform_grow_to_a_minute(attempt: int, wait_s: float) -> None:
    assert error_for(Refusal.BUSY, _answer(-1), attempt).retry_after == wait_s


def test_a_used_up_day_ends_at_midnight_in_china() -> None:
    one_second_before = NOW_MS + 16 * 3_600_000 - 1_000

    assert error_for(Refusal.DAY, _answer(45009), 1, one_second_before).retry_after == 1.0


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [(40001, 200, "auth_failed"), (40125, 200, "auth_failed"), (40013, 200, "auth_failed"),
     (40164, 200, "auth_failed"), (89503, 200, "auth_failed"), (40243, 200, "auth_failed"),
     (45009, 200, "rate_limited"), (45011, 200, "rate_limited"), (-1, 200, "provider_unavailable"),
     (None, 502, "provider_unavailable"), (None, 504, "provider_unavailable"),
     (None, 200, "provider_unavailable"), (None, 403, "provider_rejected")],
)  # fmt: skip
def test_a_refused_token(code: int | None, status: int, kind: str) -> None:
    error = token_error(_answer(code, status), NOW_MS)

    assert (error.kind, error.outcome) == (kind, "not_sent")


def test_the_ip_whitelist_is_named() -> None:
    answer = PlatformAnswer(200, 40164, "invalid ip 203.0.113.9, not in whitelist", {}, True)

    message = token_error(answer, NOW_MS).message

    assert "203.0.113.9" in message and "IP白名单" in message
