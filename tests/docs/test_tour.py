"""docs/tour.md follows a message through code that exists, by the steps that the trail really has."""

import re

from tests.docs.pages import ROOT
from wunder.model.trail import StepName

TOUR = (ROOT / "docs/tour.md").read_text("utf-8")
#: What a message that was answered goes through; the tour may leave none of them out.
WAY = {"received", "parsed", "accepted", "turn_started", "answered", "queued", "sending", "sent"}


def test_the_tour_names_every_step_of_the_way_and_no_other() -> None:
    named = set(re.findall(r"\*\*([a-z_]+)\*\*", TOUR))
    assert named >= WAY
    assert named <= {step.value for step in StepName}


def test_the_tour_walks_through_every_room_of_a_message() -> None:
    linked = re.findall(r"\(\.\./src/([\w/]+)\.py\)", TOUR)
    rooms = ("inbound", "conversation", "outbound", "providers", "runtime", "plugins", "agents")
    for room in rooms:
        assert any(path.startswith(f"wunder/{room}/") for path in linked), room
    assert any(path.startswith("wunder_sdk/") for path in linked)
