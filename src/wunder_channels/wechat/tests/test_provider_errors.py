"""Every errcode of the platform's table means one thing to the gateway."""

import pytest

from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.api import token_life_s
from wunder_channels.wechat.provider_errors import (
    REFUSAL_OF_CODE,
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.wechat.tests.driver import Driver, to_user
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

TABLE: list[tuple[int, type[ChannelError]]] = [
    (-1, ProviderUnavailable), (6000, ProviderUnavailable),
    (45009, RateLimited), (45033, RateLimited),
    (40014, AuthFailed), (42001, AuthFailed), (41001, AuthFailed), (40001, AuthFailed),
    (40013, AuthFailed), (40091, AuthFailed), (41002, AuthFailed), (41004, AuthFailed),
    (40056, AccountConfigInvalid), (48002, AccountConfigInvalid), (50001, AccountConfigInvalid),
    (60011, AccountConfigInvalid), (60020, AccountConfigInvalid), (301002, AccountConfigInvalid),
    (40003, RecipientUnreachable), (60111, RecipientUnreachable), (95018, RecipientUnreachable), (81013, RecipientUnreachable),
    (82001, RecipientUnreachable),
    (40004, ProviderRejected), (40005, ProviderRejected), (40006, ProviderRejected),
    (40007, ProviderRejected), (40008, ProviderRejected), (40009, ProviderRejected),
    (40033, ProviderRejected), (40058, ProviderRejected), (44004, ProviderRejected),
    (47001, ProviderRejected), (45002, TooLarge), (99999, ProviderRejected),
]  # fmt: skip


def _answer(code: int | None = None, status: int = 200) -> PlatformAnswer:
    return PlatformAnswer(status, code, "as ordered, from ip: 203.0.113.9", {})


def test_the_table_of_these_tests_is_the_channels() -> None:
    assert {code for code, _ in TABLE} == {*REFUSAL_OF_CODE, 99999}


@pytest.mark.parametrize(("code", "error"), TABLE, ids=lambda one: str(one))
async def test_an_errcode_with_http_200_is_what_it_says(
    wecom: WecomStandin, app: Driver, code: int, error: type[ChannelError]
) -> None:
    wecom.platform.answer_with(code, times=2)

    with pytest.raises(error) as raised:
        await app.send(to_user("hi"))

    assert type(raised.value) is error
    assert (raised.value.provider_code, raised.value.http_status) == (str(code), 200)
    assert "203.0.113.9" in raised.value.message
    assert wecom.platform.sent == []


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, RateLimited), (500, ProviderUnavailable), (502, ProviderUnavailable),
     (503, ProviderUnavailable), (404, ProviderRejected)],
)  # fmt: skip
async def test_a_status_without_an_errcode_is_judged_by_itself(
    wecom: WecomStandin, app: Driver, status: int, error: type[ChannelError]
) -> None:
    wecom.platform.fail(status=status)

    with pytest.raises(error):
        await app.send(to_user("hi"))


def test_an_answer_without_an_errcode_says_nothing() -> None:
    assert refusal_of(_answer()) is Refusal.NO_ANSWER
    assert refusal_of(_answer(0)) is None
    assert refusal_of(_answer(0, 500)) is Refusal.NO_ANSWER


@pytest.mark.parametrize(("folds", "error"), [(True, ProviderUnavailable), (False, OutcomeUnknown)])
def test_no_answer_is_harmless_only_where_repeats_are_folded(
    folds: bool, error: type[ChannelError]
) -> None:
    assert type(error_for(Refusal.NO_ANSWER, _answer(), 1, folds=folds)) is error


def test_waits_grow() -> None:
    def wait(refusal: Refusal, attempt: int) -> float | None:
        return error_for(refusal, _answer(), attempt, folds=True).retry_after

    assert [wait(Refusal.SYSTEM, attempt) for attempt in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert [wait(Refusal.RATE, attempt) for attempt in (1, 3, 4)] == [60.0, 60.0, 3600.0]
    assert wait(Refusal.CONCURRENCY, 1) == 2.0


def test_an_untrusted_address_says_where_to_enter_it() -> None:
    error = error_for(Refusal.CONFIG, _answer(60020), 1, folds=True)

    assert "企业可信IP" in error.message and "203.0.113.9" in error.message


@pytest.mark.parametrize(
    ("expires_in", "lives_s"),
    [(7200, 6960), (300, 60), (100, 60), (5, 5), (0, 1), ("7200", 1), (None, 1)],
)
def test_a_token_is_used_until_five_minutes_before_its_end(
    expires_in: object, lives_s: float
) -> None:
    assert token_life_s(expires_in) == lives_s
