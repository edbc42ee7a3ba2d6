"""Compares what was accepted with what the platform saw: lost, doubled, reordered, strayed."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.chaos.flood import Posted

Json = dict[str, Any]
#: What the gateway says, in these tests, where it gave a message up.
APOLOGY = "apology"
#: States in which a delivery has ended without a proof that it arrived.
ENDED_OTHERWISE = ("unknown", "failed", "expired", "cancelled", "held")


@dataclass
class Verdict:
    """The figures of one run. Everything but the parked must be empty."""

    posted: int
    accepted: int
    answered: int
    lost: list[str]
    doubled: dict[str, list[str]]
    out_of_order: list[str]
    strayed: list[str]
    parked: dict[str, int]
    ended: dict[str, int]
    events: Counter[str]
    #: After each breakage: seconds until a message posted after it had come out at the platform.
    recovery_s: list[float] = field(default_factory=list)
    #: The longest that an answer took from the 2xx to the platform.
    longest_s: float = 0.0

    @property
    def faults(self) -> list[str]:
        """What breaks a promise, in words."""
        found = [f"lost: {one}" for one in self.lost]
        found += [f"doubled ({why}): {one}" for why, ids in self.doubled.items() for one in ids]
        found += [f"out of order: {one}" for one in self.out_of_order]
        found += [f"in a wrong conversation: {one}" for one in self.strayed]
        return found

    def row(self) -> Json:
        """The figures as a row of the table."""
        return {
            "accepted": self.accepted,
            "delivered": self.answered,
            "parked": sum(self.parked.values()),
            "parked_arrived": self.parked.get("arrived", 0),
            "ended": self.ended,
            "lost": len(self.lost),
            "doubled": {why: len(ids) for why, ids in self.doubled.items() if ids},
            "out_of_order": len(self.out_of_order),
            "strayed": len(self.strayed),
            "breaks": len(self.recovery_s),
            "recovery_median_s": round(median(self.recovery_s), 2) if self.recovery_s else None,
            "recovery_worst_s": round(max(self.recovery_s), 2) if self.recovery_s else None,
            "longest_s": round(self.longest_s, 2),
        }

    def table(self, title: str) -> str:
        """The figures as text."""
        doubled = {why: len(ids) for why, ids in self.doubled.items() if ids}
        rows = [
            ("posted", self.posted),
            ("accepted (2xx seen)", self.accepted),
            ("answered", self.answered),
            ("parked as unknown", f"{sum(self.parked.values())} {self.parked or ''}"),
            ("lost", len(self.lost)),
            ("doubled, by cause", doubled or 0),
            ("out of order", len(self.out_of_order)),
            ("in a wrong conversation", len(self.strayed)),
            ("deliveries ended otherwise", self.ended or 0),
            ("the platform's events", dict(self.events)),
            ("2xx -> platform, longest", f"{self.longest_s:.2f} s"),
        ]
        if self.recovery_s:
            middle, worst = median(self.recovery_s), max(self.recovery_s)
            rows.append(("break -> next answer", f"median {middle:.2f} s, worst {worst:.2f} s"))
        return "\n".join([title, *(f"  {name:<28}{value}" for name, value in rows)])


def judge(
    posted: Sequence[Posted], journal: Path, ended: Mapping[str, str], breaks: Sequence[float] = ()
) -> Verdict:
    """Judge a run that has come to rest.

    Args:
        posted: every message of the sender.
        journal: what the platform wrote down, in its order.
        ended: message id -> state, for deliveries that ended other than `sent`.
        breaks: when something was broken, by the monotonic clock.
    """
    lines = [_named(json.loads(line)) for line in journal.read_text("utf-8").splitlines()]
    took = [line for line in lines if line["what"] == "arrived"]
    arrived = [line for line in took if line["id"] != APOLOGY]
    apologies = {line["key"] for line in took if line["id"] == APOLOGY}
    known = {message.id: message for message in posted}
    accepted = {message.id for message in posted if message.accepted_at}
    seen = {line["id"] for line in arrived}
    parked = {one for one, state in ended.items() if state == "unknown"}
    # Given up or held, kept and shown: whether a scenario may end so is its own matter.
    given_up = {
        one for one, state in ended.items() if "failed" in state or state.startswith("held")
    }
    sorry = sum(state.startswith("message failed") for state in ended.values())
    return Verdict(
        posted=len(posted),
        accepted=len(accepted),
        answered=len(accepted & seen),
        lost=[
            f"{one} ({ended.get(one, 'no trace')})"
            for one in sorted(accepted - seen - parked - given_up)
        ],
        doubled=_doubled(arrived, parked),
        out_of_order=_out_of_order(arrived, known),
        strayed=[line["id"] for line in arrived if not _is_at_home(line, known)]
        + sorted(apologies)[sorry:],
        parked=dict(Counter("arrived" if one in seen else "not arrived" for one in parked)),
        ended=dict(Counter(state for state in ended.values() if state != "unknown")),
        events=Counter(line["what"] for line in lines),
        recovery_s=_recovery_s(arrived, known, breaks),
        longest_s=max(
            (line["at"] - known[line["id"]].accepted_at for line in _firsts(arrived, known)),
            default=0.0,
        ),
    )


def waits_s(posted: Sequence[Posted], journal: Path) -> dict[str, list[float]]:
    """Account -> seconds from the first post of each message to its arrival at the platform."""
    lines = [_named(json.loads(line)) for line in journal.read_text("utf-8").splitlines()]
    known = {message.id: message for message in posted}
    found: dict[str, list[float]] = defaultdict(list)
    for line in _firsts([line for line in lines if line["what"] == "arrived"], known):
        message = known[line["id"]]
        found[message.place.account].append(line["at"] - message.first_at)
    return found


def _named(line: Json) -> Json:
    """A text begins with the id of the message that it answers."""
    return {**line, "id": line["text"].split(" ", 1)[0]}


def _firsts(arrived: Iterable[Json], known: Mapping[str, Posted]) -> list[Json]:
    first: dict[str, Json] = {}
    for line in arrived:
        if line["id"] in known and known[line["id"]].accepted_at:
            first.setdefault(line["id"], line)
    return list(first.values())


def _recovery_s(
    arrived: Iterable[Json], known: Mapping[str, Posted], breaks: Sequence[float]
) -> list[float]:
    answers = sorted(
        (line["at"], known[line["id"]].first_at) for line in arrived if line["id"] in known
    )
    found = []
    for broken_at in breaks:
        after = (at for at, posted_at in answers if posted_at >= broken_at)
        at = next(after, None)
        if at is not None:
            found.append(at - broken_at)
    return found


def _doubled(arrived: Iterable[Json], parked: set[str]) -> dict[str, list[str]]:
    """Messages that the platform took more than once, by cause."""
    keys: dict[str, list[str]] = defaultdict(list)
    for line in arrived:
        keys[line["id"]].append(line["key"])
    found: dict[str, list[str]] = {"repeated blindly": [], "answered twice": [], "parked": []}
    for one, used in keys.items():
        if len(used) == 1:
            continue
        if one in parked:
            found["parked"].append(one)
        else:
            found["answered twice" if len(set(used)) > 1 else "repeated blindly"].append(one)
    return found


def _out_of_order(arrived: Iterable[Json], known: Mapping[str, Posted]) -> list[str]:
    """Pairs of one conversation whose replies came the wrong way round.

    Only what really came one after the other has an order: the earlier was accepted before the
    later was first posted. What decorates a message is its thread too: a conversation of its own.
    """
    lanes: dict[tuple[str, str, str], list[Posted]] = defaultdict(list)
    first: set[str] = set()
    for line in arrived:
        if line["id"] in known and line["id"] not in first:
            first.add(line["id"])
            message = known[line["id"]]
            lanes[line["account"], line["peer"], message.decoration].append(message)
    found = []
    for lane in lanes.values():
        earliest: Posted | None = None  # accepted first, of those that arrived later
        for message in reversed(lane):
            if earliest is not None and 0 < earliest.accepted_at < message.first_at:
                found.append(f"{message.id} before {earliest.id}")
            if earliest is None or 0 < message.accepted_at < earliest.accepted_at:
                earliest = message
    return found


def _is_at_home(line: Json, known: Mapping[str, Posted]) -> bool:
    message = known.get(line["id"])
    if message is None:
        return False
    return (line["account"], line["peer"]) == (message.place.account, message.place.peer)
