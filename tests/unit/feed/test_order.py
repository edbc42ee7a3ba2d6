"""Events that many nodes write, told in the order of their ids."""

from wunder.feed.order import PATIENCE_S, InOrder
from wunder.model.ids import At
from wunder.model.trail import Event


def events(*ids: int) -> list[Event]:
    return [Event("plugin_ready", At(1), event_id=number) for number in ids]


def told(order: InOrder, *ids: int, now: float = 0.0) -> list[int]:
    return [event.event_id for event in order.take(events(*ids), now)]


def test_events_without_gaps_are_told_as_they_come() -> None:
    order = InOrder(4)
    assert told(order, 5, 6) == [5, 6]
    assert told(order, 7) == [7]


def test_a_later_event_waits_for_the_one_before() -> None:
    order = InOrder(4)
    assert told(order, 6) == []
    assert told(order, 5, 6, now=1.0) == [5, 6]


def test_a_number_that_nobody_uses_holds_the_others_for_a_moment_only() -> None:
    order = InOrder(4)
    assert told(order, 6, 7) == []
    assert told(order, 6, 7, now=PATIENCE_S - 0.1) == []
    assert told(order, 6, 7, now=PATIENCE_S) == [6, 7]


def test_what_came_too_late_is_not_told_out_of_order() -> None:
    order = InOrder(4)
    told(order, 6)
    assert told(order, 6, now=PATIENCE_S) == [6]
    assert told(order, 5, 7, now=PATIENCE_S) == [7]


def test_each_gap_has_its_own_patience() -> None:
    order = InOrder(0)
    assert told(order, 2, 4) == []
    assert told(order, 1, 2, 4, now=1.9) == [1, 2]
    assert told(order, 4, now=2.1) == []
    assert told(order, 4, now=1.9 + PATIENCE_S) == [4]


def test_nothing_is_told_twice() -> None:
    order = InOrder(0)
    assert told(order, 1, 2) == [1, 2]
    assert told(order, 1, 2) == []
