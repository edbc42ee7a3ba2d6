"""How often somebody may do something."""

from wunder.chat.pace import Pace


def test_some_come_at_once_then_as_many_as_the_rate_allows() -> None:
    pace = Pace()
    assert [pace.wait_s("ann", 60, 0.0) for _ in range(31)] == [0] * 30 + [1]
    assert pace.wait_s("ann", 60, 1.0) == 0
    assert pace.wait_s("ann", 60, 1.0) == 1


def test_a_low_rate_lets_three_through_and_says_how_long_to_wait() -> None:
    pace = Pace()
    assert [pace.wait_s("ann", 1, 0.0) for _ in range(4)] == [0, 0, 0, 60]
    assert pace.wait_s("ann", 1, 60.0) == 0


def test_nobody_waits_for_another() -> None:
    pace = Pace()
    for _ in range(9):
        pace.wait_s("ann", 1, 0.0)
    assert pace.wait_s("ben", 1, 0.0) == 0


def test_who_was_quiet_longest_is_forgotten_first() -> None:
    pace = Pace(most=2)
    for name in ("ann", "ann", "ann", "ben", "cid"):
        pace.wait_s(name, 1, 0.0)
    assert pace.wait_s("ann", 1, 0.0) == 0
