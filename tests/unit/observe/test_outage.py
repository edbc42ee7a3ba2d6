"""A store that is away is said once, however often it is looked for work."""

import pytest

from wunder.errors import StoreBroken, StoreUnavailable, WunderError
from wunder.observe.outage import Outage


class Said:
    """A log that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def info(self, event: str, **_fields: object) -> None:
        self.events.append(("info", event))

    def warning(self, event: str, **_fields: object) -> None:
        self.events.append(("warning", event))


def test_an_outage_is_said_when_it_begins_and_when_it_ends() -> None:
    said = Said()
    outage = Outage(said, "turns")
    looks = 0
    for error in (None, StoreUnavailable(), StoreUnavailable(), WunderError("a row"), None, None):
        with outage:
            looks += 1
            if error is not None:
                raise error
    assert looks == 6
    assert said.events == [("warning", "turns_not_readable"), ("info", "turns_readable_again")]


@pytest.mark.parametrize("error", [StoreBroken("damaged"), ValueError("ours"), KeyboardInterrupt()])
def test_what_no_later_look_can_mend_ends_the_worker(error: BaseException) -> None:
    outage = Outage(Said(), "turns")
    with pytest.raises(type(error)), outage:
        raise error
