"""Every code Feishu may answer means one thing to the gateway."""

import pytest

from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.provider_errors import (
    REFUSAL_OF_CODE,
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.feishu.tests.driver import Driver, reply
from wunder_channels.feishu.tests.people import People
from wunder_sdk import ChannelError

TARGET = (230002, 230013, 230018, 230029, 230034, 230035, 230036, 230038, 230053, 232009)
CONTENT = (230001, 230022, 230028, 230054, 230055, 230075, 230099, 200220, 230072,
           300307, 300311, 300309, 200850, 300317)  # fmt: skip
TOKEN = (99991661, 99991663, 99991664, 99991665, 99991668, 99991671, 99991677)

#: kind, retry_after_s at the first attempt, scope, outcome
EXPECTED: dict[int, tuple[str, float | None, str | None, str]] = {
    **dict.fromkeys((99991400, 11232, 11247), ("rate_limited", 1.0, "account", "not_sent")),
    **dict.fromkeys((230020, 11233), ("rate_limited", 1.0, "peer", "not_sent")),
    230049: ("provider_unavailable", 1.0, "message", "not_sent"),
    **dict.fromkeys(TOKEN, ("auth_failed", None, "account", "not_sent")),
    **dict.fromkeys((10003, 10014, 1000040345), ("auth_failed", None, "account", "not_sent")),
    **dict.fromkeys(
        (99991672, 99991679, 230006, 230027),
        ("account_config_invalid", None, "account", "not_sent"),
    ),
    **dict.fromkeys(TARGET, ("recipient_unreachable", None, "peer", "not_sent")),
    **dict.fromkeys((230011, 231003, 230110), ("recipient_unreachable", None, "message", "not_sent")),
    **dict.fromkeys(CONTENT, ("provider_rejected", None, "message", "not_sent")),
    **dict.fromkeys((230025, 19036), ("too_large", None, "message", "not_sent")),
}  # fmt: skip


def _answer(code: int | None, status: int = 400, **fields: object) -> PlatformAnswer:
    given: dict[str, object] = {"words": "said", "document": {}, "log_id": "L1", **fields}
    return PlatformAnswer(status, code, **given)  # type: ignore[arg-type]  # fields as tests need


def _as_told(error: ChannelError) -> tuple[str, float | None, str | None, str]:
    data = error.to_wire().data
    assert data is not None
    return (data.kind, (data.retry_after_ms or 0) / 1000 or None, data.scope, data.outcome)


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(REFUSAL_OF_CODE)


@pytest.mark.parametrize("code", sorted(EXPECTED))
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_code_means_the_same_under_any_status(code: int, status: int) -> None:
    answer = _answer(code, status)
    refusal = refusal_of(answer)
    assert refusal is not None

    error = error_for(refusal, answer, 1)

    assert _as_told(error) == EXPECTED[code]
    data = error.to_wire().data
    assert data is not None and data.provider_code == str(code) and data.http_status == status
    assert data.retryable is (data.kind in ("rate_limited", "provider_unavailable"))
    assert "L1" in error.message


@pytest.mark.parametrize("code", sorted(set(EXPECTED) - {230011, 231003, 230110}))
async def test_each_code_once_from_the_platform_itself(
    people: People, feishu: FeishuStandin, bot: Driver, code: int
) -> None:
    message = await people.write("group")
    feishu.platform.answer_with(code, times=2)

    with pytest.raises(ChannelError) as failed:
        await bot.send(reply(message, "hi"))

    assert _as_told(failed.value) == EXPECTED[code]
    assert not feishu.platform.sent
    feishu.platform.faults.clear()
    await bot.send(reply(message, "hi"), attempt=2)
    assert len(feishu.platform.sent) == 1


@pytest.mark.parametrize(
    ("code", "status", "refusal"),
    [(0, 200, None), (0, 201, None), (None, 200, Refusal.NO_ANSWER), (None, 204, Refusal.NO_ANSWER),
     (None, 401, Refusal.TOKEN), (None, 429, Refusal.RATE), (230002, 429, Refusal.RATE),
     (None, 500, Refusal.NO_ANSWER), (2200, 500, Refusal.NO_ANSWER), (0, 500, Refusal.NO_ANSWER),
     (None, 502, Refusal.NO_ANSWER), (None, 504, Refusal.NO_ANSWER), (None, 503, Refusal.SYSTEM),
     (None, 403, Refusal.UNKNOWN), (None, 302, Refusal.UNKNOWN), (77, 200, Refusal.UNKNOWN),
     (77, 400, Refusal.UNKNOWN)],
)  # fmt: skip
def test_without_a_known_code_the_status_speaks(
    code: int | None, status: int, refusal: Refusal | None
) -> None:
    assert refusal_of(_answer(code, status)) is refusal


def test_a_success_that_cannot_be_read_may_be_one() -> None:
    error = error_for(Refusal.NO_ANSWER, _answer(None, 200), 1)

    assert _as_told(error) == ("outcome_unknown", None, "message", "unknown")


def test_a_withdrawn_message_is_known_by_its_words_alone() -> None:
    answer = _answer(None, 400, words="The message was withdrawn.")

    assert refusal_of(answer) is Refusal.GONE


@pytest.mark.parametrize(("attempt", "wait_s"), [(1, 1), (2, 2), (4, 8), (7, 60), (60, 60)])
def test_waits_double_to_a_limit(attempt: int, wait_s: float) -> None:
    assert error_for(Refusal.RATE, _answer(99991400), attempt).retry_after == wait_s


@pytest.mark.parametrize(("attempt", "wait_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (9, 8)])
def test_a_message_in_flight_is_asked_for_often(attempt: int, wait_s: float) -> None:
    assert error_for(Refusal.IN_FLIGHT, _answer(230049), attempt).retry_after == wait_s


def test_the_header_goes_before_our_own_guess() -> None:
    answer = _answer(99991400, 429, reset_s=17.0)

    assert error_for(Refusal.RATE, answer, 5).retry_after == 17.0
