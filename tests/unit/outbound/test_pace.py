"""Pace: never more than the rate over any second, and nothing forbidden for longer than needed."""

from hypothesis import given
from hypothesis import strategies as st

from wunder.outbound.pace import TokenBucket


def test_a_second_of_burst_then_the_rate() -> None:
    bucket = TokenBucket(5.0, 0.0)
    assert bucket.available(0.0) == 5
    for _ in range(5):
        bucket.spend(0.0)
    assert bucket.available(0.0) == 0
    assert bucket.opens_in_s(0.0) == 0.2
    assert bucket.available(0.2) == 1


def test_what_was_not_sent_is_given_back_and_never_more() -> None:
    bucket = TokenBucket(5.0, 0.0)
    bucket.spend(0.0, 3)
    bucket.spend(0.0, -3)
    bucket.spend(0.0, -3)
    assert bucket.available(0.0) == 5


def test_less_than_one_a_second_still_sends_one() -> None:
    bucket = TokenBucket(0.1, 0.0)
    assert bucket.available(0.0) == 1
    bucket.spend(0.0)
    assert bucket.opens_in_s(0.0) == 10.0


@given(
    st.floats(0.05, 1000),
    st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_over_any_time_no_more_than_the_burst_and_the_rate(
    rate: float, pauses: list[float]
) -> None:
    bucket, now_s, sent = TokenBucket(rate, 0.0), 0.0, 0
    for pause_s in pauses:
        now_s += pause_s
        for _ in range(min(bucket.available(now_s), 50)):
            bucket.spend(now_s)
            sent += 1
    assert sent <= max(1.0, rate) + rate * now_s + 1e-6
