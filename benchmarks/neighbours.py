"""What a hung plugin, and a hung account, cost the others: their p99 beside it over their p99 alone.

    python -m benchmarks.neighbours [--rounds 16] [--seconds 3]

Five gateways, each alone at work in its turn, the order of turns moved on each round: `alone`; `again`,
the same once more (what chance does to the ratio); `healthy`, an account more that is written to and
answers; `hung_account`, the same account whose platform takes connections and never answers;
`hung_plugin`, a plugin that hangs in every call. The others are written to 60 times a second in an
open loop, the neighbour 12 times. Samples of all turns of a gateway are taken together: some 24 of its
2,400 messages lie above its p99, so a ratio of two such figures moves by a tenth by itself.
"""

import argparse
import json
import socket
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.ferry import SDK_HUNG, package
from benchmarks.journey import CHANNEL, LANES, Child, Gateway, child
from benchmarks.machine import percentile
from benchmarks.serving import add_account, install, serving

#: Steady, and far below what any machine can do: what hangs beside it must not be heard.
PER_S, NEIGHBOUR_PER_S = 60.0, 12.0
#: The first of each turn are sent, not timed: 256 connections are being taken then.
UNTIMED_S = 0.5
WARM_S = 2.0
HUNG = "hung_ferry"


@dataclass
class Arm:
    """One gateway, what is beside it, and how long its messages took."""

    gateway: Gateway
    neighbour: str = ""  # path of the webhook
    is_answered: bool = False
    took_ms: list[float] = field(default_factory=list)

    def turn(self, world: Child, stranger: Child, seconds: float) -> None:
        """Write to it for a while, and to the neighbour."""
        if self.neighbour:
            order = {"port": self.gateway.subject.port, "paths": [self.neighbour]}
            order |= {"in_flight": 16, "per_s": NEIGHBOUR_PER_S, "seconds": seconds}
            stranger.tell(**order, is_acked_only=not self.is_answered)
        found = self.gateway.measure(
            world, LANES, seconds, per_s=PER_S, untimed_s=UNTIMED_S, is_each=True
        )
        if self.neighbour:
            stranger.read()
        if found["failed"]:
            raise SystemExit(f"{found['failed']} messages of the others were lost or late")
        self.took_ms += found["each_ms"]

    def figures(self) -> dict[str, float]:
        """Of all its turns, in milliseconds."""
        shares = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99}
        found = {name: round(percentile(self.took_ms, share), 2) for name, share in shares.items()}
        return {"messages": len(self.took_ms), **found}


def arms(open_: ExitStack, folder: Path, world: Child, stranger: Child) -> dict[str, Arm]:
    """Start five gateways and put something beside three of them."""
    silent = open_.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4096))

    def gateway(name: str) -> Gateway:
        one = Gateway(open_.enter_context(serving(folder / name)), world.port)
        one.measure(world, 64, WARM_S)
        return one

    def with_account(name: str, port: int) -> Arm:
        one = gateway(name)
        platform = {"platform": f"http://127.0.0.1:{port}/"}
        path = add_account(one.process, CHANNEL, "neighbour", platform)
        return Arm(one, path, is_answered=name == "healthy")

    def with_plugin() -> Arm:
        one = gateway("hung_plugin")
        install(one.process, package(HUNG, SDK_HUNG))
        return Arm(one, add_account(one.process, HUNG, "main", {}))

    return {
        "alone": Arm(gateway("alone")),
        "again": Arm(gateway("again")),
        "healthy": with_account("healthy", stranger.port),
        "hung_account": with_account("hung_account", silent.getsockname()[1]),
        "hung_plugin": with_plugin(),
    }


def measure(rounds: int, seconds: float) -> dict[str, Any]:
    """Every arm in turns; its figures, and p99 over that of the gateway alone."""
    with ExitStack() as open_:
        folder = Path(open_.enter_context(tempfile.TemporaryDirectory()))
        world = open_.enter_context(child("benchmarks.world"))
        stranger = open_.enter_context(child("benchmarks.world"))
        all_arms = arms(open_, folder, world, stranger)
        names = list(all_arms)
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                all_arms[name].turn(world, stranger, seconds)
            sys.stderr.write(f"  round {number + 1} of {rounds}\n")
        found = {name: arm.figures() for name, arm in all_arms.items()}
    p99s = {name: one["p99_ms"] for name, one in found.items()}
    alone = (p99s.pop("alone") + p99s["again"]) / 2
    ratios = {f"{name}_p99_x": round(p99 / alone, 2) for name, p99 in p99s.items()}
    return {"arms": found, **ratios}


def main() -> dict[str, Any]:
    """Measure; the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=16)
    options.add_argument("--seconds", type=float, default=3.0)
    chosen = options.parse_args()
    figures = measure(chosen.rounds, chosen.seconds)
    return {"benchmark": "neighbours", "rounds": chosen.rounds, "figures": figures}


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
