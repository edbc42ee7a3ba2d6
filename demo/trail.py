"""The trail of one message as the API tells it: every step, its time, who, for which account."""

import time
from collections.abc import Sequence
from typing import Any

from screen import Screen

#: What is on the trail of every message that was answered; a retry has more.
STEPS = (
    *("received", "parsed", "accepted"),
    *("turn_started", "answered", "queued"),
    *("sending", "sent"),
)
#: The second line of those: the gateway's own steps, where no plugin has a hand in it.
BY_NO_PLUGIN = STEPS[3:6]


def show_trail(screen: Screen, steps: Sequence[Any]) -> None:
    """Show the steps as a table; `after` counts from the first."""
    first = steps[0]["at"]
    screen.table(
        ("time", "after", "step", "plugin_id", "version", "account_id", "detail"),
        [
            (
                _clock(step["at"]),
                f"+{step['at'] - first} ms",
                step["step"],
                step["plugin_id"],
                step["version"],
                step["account_id"],
                _detail(step),
            )
            for step in steps
        ],
    )


def missing_steps(steps: Sequence[Any]) -> list[str]:
    """Return what a whole trail has and this one has not."""
    there = {step["step"] for step in steps}
    return [name for name in STEPS if name not in there]


def took_ms(steps: Sequence[Any]) -> int:
    """Return the milliseconds from the first step to the last."""
    return int(steps[-1]["at"] - steps[0]["at"])


def _detail(step: Any) -> str:
    attempt = [f"attempt {step['attempt_no']}"] if step["attempt_no"] else []
    more = [
        f"{name} {_clock(value) if name.endswith('_at') else value}"
        for name, value in step["detail"].items()
        if value not in ("", None)
    ]
    return ", ".join(attempt + more)


def _clock(at_ms: int) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(at_ms / 1000))}.{at_ms % 1000:03d}"
