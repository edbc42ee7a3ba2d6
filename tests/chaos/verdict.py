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
    recovery_s: list[float] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """What breaks a promise, in words."""
        found = [f"lost: {one}" for one in self.lost]
        found += [f"doubled ({why}): {one}" for why, ids in self.doubled.items() for one in ids]
        found += [f"out of order: {one}" for one in self.out_of_order]
        found += [f"in a wrong conversation: {one}" for one in self.strayed]
        return found

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
        ]
        if self.recovery_s:
            middle, worst = median(self.recovery_s), max(self.recovery_s)
            rows.append(("kill -> next 2xx", f"median {middle:.2f} s, worst {worst:.2f} s"))
        return "\n".join([title, *(f"  {name:<28}{value}" for name, value in rows)])


def judge(posted: Sequence[Posted], journal: Path, ended: Mapping[str, str]) -> Verdict:
    """Judge a run that has come to rest.

    Args:
        posted: every message of the sender.
        journal: what the platform wrote down, in its order.
        ended: message id -> state, for deliveries that ended other than `sent`.
    """
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    arrived = [line for line in lines if line["what"] == "arrived"]
    known = {message.id: message for message in posted}
    accepted = {message.id for message in posted if message.accepted_at}
    seen = {line["text"] for line in arrived}
    parked = {one for one, state in ended.items() if state == "unknown"}
    return Verdict(
        posted=len(posted),
        accepted=len(accepted),
        answered=len(accepted & seen),
        lost=[f"{one} ({ended.get(one, 'no trace')})" for one in sorted(accepted - seen - parked)],
        doubled=_doubled(arrived, parked),
        out_of_order=_out_of_order(arrived, known),
        strayed=[line["text"] for line in arrived if not _is_at_home(line, known)],
        parked=dict(Counter("arrived" if one in seen else "not arrived" for one in parked)),
        ended=dict(Counter(state for state in ended.values() if state != "unknown")),
        events=Counter(line["what"] for line in lines),
    )


def _doubled(arrived: Iterable[Json], parked: set[str]) -> dict[str, list[str]]:
    """Messages that the platform took more than once, by cause."""
    keys: dict[str, list[str]] = defaultdict(list)
    for line in arrived:
        keys[line["text"]].append(line["key"])
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
    later was first posted.
    """
    lanes: dict[tuple[str, str], list[Posted]] = defaultdict(list)
    first: set[str] = set()
    for line in arrived:
        if line["text"] in known and line["text"] not in first:
            first.add(line["text"])
            lanes[line["account"], line["peer"]].append(known[line["text"]])
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
    message = known.get(line["text"])
    if message is None:
        return False
    return (line["account"], line["peer"]) == (message.place.account, message.place.peer)
