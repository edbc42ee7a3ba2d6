"""`wunder events` finds what is asked for behind any number of other events."""

from wunder.cli.commands.events import newest


class Many:
    """A gateway whose only error is older than a thousand other events."""

    def items(self, path, query, at_most):
        levels = ["info"] * 1_500 + ["error"] + ["info"] * 3
        return iter([{"event_id": -no, "level": one} for no, one in enumerate(levels)][:at_most])


def test_a_rare_level_is_found_behind_many_events():
    found = newest(Many(), {}, lambda event: event["level"] == "error", 20)
    assert [event["event_id"] for event in found] == [-1_500]


def test_no_more_than_asked_for_are_shown():
    assert len(newest(Many(), {}, lambda event: True, 20)) == 20
