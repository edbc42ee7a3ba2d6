"""Figures by the minute: differences of counters that are kept anyway."""

from tests.fakes.clock import FakeClock
from wunder.feed.minutes import MAX_SLICES, SLICE_S, Minutes
from wunder.observe.metrics import Metrics


def slice_passes(minutes: Minutes, clock: FakeClock, times: int = 1) -> None:
    for _ in range(times):
        clock.advance(SLICE_S)
        minutes.sample()


def test_the_last_minute_counts_what_happened_in_it_and_nothing_before() -> None:
    metrics, clock = Metrics(), FakeClock()
    minutes = Minutes(metrics, clock, dict)
    metrics.intake_messages.inc("accepted", by=5)
    slice_passes(minutes, clock)
    metrics.intake_messages.inc("accepted", by=2)
    metrics.intake_messages.inc("duplicate", by=9)
    metrics.deliveries.inc("sent", by=3)
    for state in ("failed", "unknown", "expired"):
        metrics.deliveries.inc(state)
    now = minutes.last()
    assert (now.taken_in, now.sent, now.failed, now.at) == (7, 3, 3, clock.now())
    slice_passes(minutes, clock, 6)
    assert minutes.last().taken_in == 2
    slice_passes(minutes, clock)
    assert minutes.last().taken_in == 0


def test_minutes_are_whole_and_the_oldest_comes_first() -> None:
    metrics, clock = Metrics(), FakeClock()
    minutes = Minutes(metrics, clock, dict)
    for number in (1, 2, 3):
        metrics.deliveries.inc("sent", by=number)
        slice_passes(minutes, clock, 6)
    assert [one.sent for one in minutes.all()] == [1, 2, 3]
    slice_passes(minutes, clock, 5)
    assert len(minutes.all()) == 3


def test_a_quantile_lies_inside_its_bucket_and_nothing_has_none() -> None:
    metrics, clock = Metrics(), FakeClock()
    minutes = Minutes(metrics, clock, dict)
    assert minutes.last().delivery_p50_ms is None
    for _ in range(90):
        metrics.delivery_seconds.observe(0.2)  # bucket 0.1 .. 0.25
    for _ in range(10):
        metrics.delivery_seconds.observe(4.0)  # bucket 2.5 .. 5
    last = minutes.last()
    assert last.delivery_p50_ms is not None and 100 < last.delivery_p50_ms <= 250
    assert last.delivery_p95_ms is not None and 2_500 < last.delivery_p95_ms <= 5_000


def test_two_hours_are_remembered_and_no_more() -> None:
    minutes = Minutes(Metrics(), clock := FakeClock(), dict)
    slice_passes(minutes, clock, MAX_SLICES * 2)
    assert len(minutes.all()) == 120


def test_an_hour_is_compared_with_the_one_before_once_both_are_whole() -> None:
    metrics, clock = Metrics(), FakeClock()
    minutes = Minutes(metrics, clock, dict)
    metrics.deliveries.inc("sent", by=4)
    slice_passes(minutes, clock, 360)
    metrics.deliveries.inc("sent", by=7)
    slice_passes(minutes, clock, 359)
    last, before = minutes.hours()
    assert (last.sent, before) == (7, None)
    slice_passes(minutes, clock)
    last, before = minutes.hours()
    assert before is not None
    assert (last.sent, before.sent, last.at - before.at) == (7, 4, 3_600_000)
    slice_passes(minutes, clock, 360)
    last, before = minutes.hours()
    assert before is not None
    assert (last.sent, before.sent) == (0, 7)


def test_an_hour_is_compared_with_the_same_one_of_the_day_before_once_that_is_kept() -> None:
    metrics, clock = Metrics(), FakeClock()
    figures = {"channel_outbox_pending": 9.0}
    began = clock.now()
    minutes = Minutes(metrics, clock, lambda: figures)
    metrics.deliveries.inc("sent", by=4)
    metrics.delivery_seconds.observe(0.2)
    slice_passes(minutes, clock, 360)
    assert minutes.kept_since() == began
    figures["channel_outbox_pending"] = 0.0
    metrics.deliveries.inc("sent", by=70)
    slice_passes(minutes, clock, 360 * 24 - 60)
    assert minutes.day_before() is None, "it began less than a day and an hour ago"
    slice_passes(minutes, clock, 60)
    before = minutes.day_before()
    assert before is not None
    assert (before.sent, before.waiting, before.at) == (4, 9, began + 3_600_000)
    assert before.delivery_p95_ms is not None
    slice_passes(minutes, clock, 360)
    before = minutes.day_before()
    assert before is not None
    assert (before.sent, before.waiting) == (70, 0)
    assert clock.now() - minutes.kept_since() < 25.2 * 3_600_000, "older ones are let go"


def test_an_hour_in_which_nothing_was_read_is_not_made_up() -> None:
    metrics, clock = Metrics(), FakeClock()
    minutes = Minutes(metrics, clock, dict)
    slice_passes(minutes, clock, 360 * 3)
    clock.advance(22 * 3600)  # the machine slept
    slice_passes(minutes, clock, 360 * 2)
    assert minutes.day_before() is not None
    slice_passes(minutes, clock, 360 * 2)
    assert minutes.day_before() is None


def test_tries_that_did_not_send_are_told_by_kind() -> None:
    metrics, clock = Metrics(), FakeClock()
    minutes = Minutes(metrics, clock, dict)
    metrics.attempts.inc("not_sent", "rate_limited", by=2)
    metrics.attempts.inc("unknown", "timeout")
    metrics.attempts.inc("not_sent", "timeout")
    metrics.attempts.inc("sent", "none", by=9)
    assert minutes.last().faults == {"rate_limited": 2, "timeout": 2}
    slice_passes(minutes, clock, 7)
    metrics.attempts.inc("unknown", "timeout")
    assert minutes.last().faults == {"timeout": 1}


def test_what_waits_and_what_is_dead_is_remembered_as_it_was() -> None:
    figures = {
        "channel_outbox_pending": 3.0,
        "channel_outbox_held": 1.0,
        "channel_outbox_sent": 50.0,
    }
    clock = FakeClock()
    minutes = Minutes(Metrics(), clock, lambda: figures)
    slice_passes(minutes, clock, 6)
    figures |= {"channel_outbox_pending": 0.0, "channel_outbox_failed": 1.0}
    figures["channel_outbox_unknown"] = 1.0
    now = minutes.last()
    assert (now.waiting, now.dead) == (1, 2)
    assert [(one.waiting, one.dead) for one in minutes.all()] == [(4, 0)]
