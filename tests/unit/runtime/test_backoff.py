"""When a plugin is started again: the rule, without processes."""

from hypothesis import given
from hypothesis import strategies as st

from wunder.runtime.backoff import Fall, FallHistory, after_fall, wait_s
from wunder.runtime.policy import LifePolicy

POLICY = LifePolicy()


def fall_again(falls, *, every_s=1.0, ready_for_s=1.0):
    history, verdict = FallHistory(), None
    for number, fall in enumerate(falls):
        history, verdict = after_fall(history, fall, number * every_s, ready_for_s, POLICY, 0.0)
    return history, verdict


def test_waits_double_from_half_a_second_to_a_minute():
    longest = [wait_s(number, POLICY, 1.0) for number in range(1, 10)]
    assert longest == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_lies_between_half_and_all_of_its_step(in_row, roll):
    longest = wait_s(in_row, POLICY, 1.0)
    assert longest / 2 <= wait_s(in_row, POLICY, roll) <= longest <= POLICY.backoff_cap_s


def test_the_sixth_crash_in_ten_minutes_breaks_it_with_one_late_start():
    assert fall_again([Fall.CRASHED] * 5)[1].is_broken is False
    history, verdict = fall_again([Fall.CRASHED] * 6)
    assert (verdict.is_broken, verdict.wait_s) == (True, 900.0)
    _, verdict = after_fall(history, Fall.CRASHED, 1_000.0, 5.0, POLICY, 0.0)
    assert (verdict.is_broken, verdict.wait_s) == (True, None)


def test_crashes_that_are_spread_out_never_break_it():
    assert fall_again([Fall.CRASHED] * 100, every_s=121.0)[1].is_broken is False


def test_three_failed_starts_in_a_row_break_it():
    assert fall_again([Fall.NOT_STARTED] * 2)[1].is_broken is False
    assert fall_again([Fall.NOT_STARTED] * 3)[1] == fall_again([Fall.CRASHED] * 6)[1]
    mixed = [Fall.NOT_STARTED, Fall.NOT_STARTED, Fall.CRASHED, Fall.NOT_STARTED]
    assert fall_again(mixed)[1].is_broken is False


def test_a_cause_that_no_restart_cures_breaks_it_for_good():
    _, verdict = fall_again([Fall.INCURABLE])
    assert (verdict.is_broken, verdict.wait_s) == (True, None)


def test_ten_minutes_of_readiness_forgive_everything():
    history, _ = fall_again([Fall.CRASHED] * 6)
    history, verdict = after_fall(history, Fall.CRASHED, 5_000.0, 600.0, POLICY, 0.0)
    assert (verdict.is_broken, history.in_row, history.was_half_open) == (False, 1, False)


def test_falls_that_a_quarantined_call_is_to_blame_for_never_break_it():
    assert fall_again([Fall.EXCUSED] * 50)[1].is_broken is False
    broken, _ = fall_again([Fall.CRASHED] * 6)
    _, verdict = after_fall(broken, Fall.EXCUSED, 1_000.0, 5.0, POLICY, 0.0)
    assert verdict.is_broken is False, "nor on its one late start"
