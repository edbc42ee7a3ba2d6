"""Real gateways, a flaky platform and a flood between them; may be broken in any order."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.cluster import LEASE_S, SQLITE, Cluster, Ground, Node, Setup, cluster
from tests.chaos.flood import Flood, Place
from tests.chaos.rough_channel import package
from tests.chaos.verdict import APOLOGY, ENDED_OTHERWISE, Verdict, judge
from tests.journeys.gateway_process import GatewayProcess
from tests.ports import own_port

#: A platform that folds repeats of a key and delivers again itself, and one that does neither.
FOLDING, PLAIN = "folding_sea", "plain_sea"
CHANNELS: dict[str, dict[str, Any]] = {
    FOLDING: {"idempotency": {"window_s": 300}, "webhook": {"redelivery": "long"}},
    PLAIN: {
        "webhook": {
            "redelivery": "short",
            "ack": {"status": 200, "content_type": "text/plain", "body": "ok"},
        }
    },
}
#: 16 accounts, 256 conversations (lanes of turns, and as many of deliveries).
ACCOUNTS_A_CHANNEL, CONVERSATIONS_AN_ACCOUNT = 8, 16
#: Shorter waits than in production, so that a minute holds many retries; the rules are the same.
SETTINGS = {
    "WUNDER_LOG_LEVEL": "warning",
    "WUNDER_TURN_APOLOGY": APOLOGY,
    "WUNDER_RETRY_BASE_S": "0.05",
    "WUNDER_RETRY_CAP_S": "0.5",
    "WUNDER_RUNTIME_BREAKER_OPEN_S": "0.2",
    "WUNDER_RUNTIME_BREAKER_OPEN_CAP_S": "0.5",
    "WUNDER_SPOOL_POLL_S": "0.05",
    "WUNDER_SPOOL_RETRY_BASE_S": "0.05",
    "WUNDER_SPOOL_RETRY_CAP_S": "0.2",
    # Longer than any call of the platform here takes.
    "WUNDER_RETRY_TOMBSTONE_S": "6",
    "WUNDER_STORE_DATABASE_STALL_S": "2",
    # Production gives up on a plugin that crashes so often; here it has to come back each time.
    "WUNDER_RUNTIME_LIFE_CRASHES_ALLOWED": "1000",
    "WUNDER_RUNTIME_LIFE_FAILED_STARTS_ALLOWED": "1000",
    "WUNDER_RUNTIME_LIFE_BACKOFF_FIRST_S": "0.05",
    "WUNDER_RUNTIME_LIFE_BACKOFF_CAP_S": "0.2",
}
START_S, SETTLE_S = 60.0, 180.0
BUSY_DELIVERIES = ("pending", "claimed", "sending", "streaming")
BUSY_MESSAGES = ("received", "answering")


@dataclass
class Platform:
    """The platform's process, in the test's hands."""

    port: int
    process: "subprocess.Popen[bytes]"

    def tell(self, **moods: Any) -> None:
        """Change how it behaves from now on; see platform_process.MOODS."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"moods": moods}).encode() + b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@dataclass
class World:
    """What a test holds in its hands. `dice` decides everything that is random on our side."""

    seed: int
    setup: Setup
    dice: random.Random
    cluster: Cluster
    flood: Flood
    platform: Platform
    journal: Path
    ground: Ground
    breaks: list[float] = field(default_factory=list)
    ends_at: float = float("inf")
    times: int = 0

    @property
    def nodes(self) -> list[Node]:
        """The gateways."""
        return self.cluster.nodes

    def some(self, times: int) -> Iterator[int]:
        """Count to `times`, or to as many as its time allows."""
        for number in range(times):
            if time.monotonic() > self.ends_at:
                return
            self.times += 1
            yield number

    def broke(self) -> None:
        """Note that something was broken now: from here on recovery is measured."""
        self.breaks.append(time.monotonic())

    @property
    def backup(self) -> Path:
        """Where a scenario may put a backup."""
        return self.journal.with_name("backup.db")

    def arrived(self) -> list[str]:
        """What the platform took, as it wrote it down."""
        return [line for line in self.journal.read_text("utf-8").splitlines() if "arrived" in line]

    async def some_time(self, at_most_s: float = 0.7) -> None:
        """Let a random time pass."""
        await asyncio.sleep(self.dice.uniform(0.0, at_most_s))

    async def start(self, node: Node) -> None:
        """Start a gateway again and wait until something is accepted."""
        await asyncio.to_thread(node.start)
        async with asyncio.timeout(START_S):
            await self.flood.next_accepted()

    async def kill_while_starting(self, node: Node) -> None:
        """Kill it at a random instant of its start: recovery itself is interrupted."""
        starting = asyncio.ensure_future(asyncio.to_thread(node.start))
        await asyncio.sleep(self.dice.uniform(0.02, 0.6))
        while not starting.done():
            node.gateway.kill()
            await asyncio.wait([starting], timeout=0.2)
        starting.exception()
        node.kill()

    async def rest(self) -> None:
        """Wait until nothing is under way any more."""
        quiet = 0
        async with asyncio.timeout(SETTLE_S):
            # Figures of other nodes are as old as their last look.
            while quiet < (1 if self.setup.nodes == 1 else 4):
                quiet = 0 if await asyncio.to_thread(self._is_busy) else quiet + 1
                await asyncio.sleep(0.2 if self.setup.nodes == 1 else LEASE_S / 8)

    async def judge(self) -> Verdict:
        """Wait until everything has come to rest, then compare."""
        try:
            await self.rest()
        except TimeoutError:
            tails = "\n".join(node.gateway.tail(25) for node in self.nodes)
            raise AssertionError(f"never at rest: {self._left()}\n{tails}") from None
        ended = await asyncio.to_thread(self._ended_otherwise)
        return judge(self.flood.posted, self.journal, ended, self.breaks)

    def plugin_pids(self) -> list[int]:
        """Process ids of the plugins that run now, on any node."""
        found = set()
        for node in self.cluster.up():
            for plugin_id in CHANNELS:
                runtime = node.gateway.get(f"channel_plugins/{plugin_id}/runtime")
                found |= {one["pid"] for one in runtime["nodes"] if one["pid"]}
        return sorted(found)

    def _left(self) -> str:
        desk = self.cluster.desk()
        found = {s: len(list(self._all("channels/outbox", s))) for s in BUSY_DELIVERIES}
        found |= {s: len(list(self._all("channels/messages", s))) for s in BUSY_MESSAGES}
        return f"{found} {desk.get('channels/monitor')['figures']}"

    def _is_busy(self) -> bool:
        """Looks along the way of a message: nothing slips past from what was looked at later."""
        if any(
            node.gateway.get("channels/monitor")["figures"].get("channel_spool", 0)
            for node in self.cluster.up()
        ):
            return True
        desk = self.cluster.desk()
        for state in BUSY_MESSAGES:
            if desk.get("channels/messages", state=state, limit="1")["items"]:
                return True
        return any(
            desk.get("channels/outbox", state=state, limit="1")["items"]
            for state in BUSY_DELIVERIES
        )

    def _ended_otherwise(self) -> dict[str, str]:
        """Platform message id -> state, of every delivery and message that did not simply arrive."""
        found = {}
        desk = self.cluster.desk()
        for state in ("unrouted", "refused", "failed", "no_answer"):
            for message in self._all("channels/messages", state):
                found[message["platform_message_id"]] = f"message {state}: {message['reason']}"
        for state in ENDED_OTHERWISE:
            for delivery in self._all("channels/outbox", state):
                inbound = desk.get(f"channels/messages/{delivery['root_message_id']}")
                why = f": {delivery['error_kind']}" if state != "unknown" else ""
                # Of a message that failed it is the apology.
                found.setdefault(inbound["platform_message_id"], state + why)
        for event in self._all("channels/events"):
            if event["name"].startswith("spooled_request_"):
                found[f"spooled request, event {event['event_id']}"] = event["name"]
        return found

    def _all(self, path: str, state: str = "") -> Iterator[dict]:
        query = {"state": state} if state else {}
        cursor = ""
        while True:
            page = self.cluster.desk().get(path, limit="200", cursor=cursor, **query)
            yield from page["items"]
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return


@asynccontextmanager
async def world(
    tmp_path: Path,
    per_s: float,
    setup: Setup = SQLITE,
    ground: Ground = Ground(),  # noqa: B008 - frozen
    **settings: str,
) -> AsyncIterator[World]:
    """Install both channels on a fresh store and make the flood.

    `CHAOS_SEED` repeats a run's dice; the kernel's own timing cannot be repeated.
    """
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    journal = tmp_path / "journal.jsonl"
    journal.touch()
    with platform(journal, seed) as stand_in:
        async with cluster(tmp_path, setup, {**SETTINGS, **settings}, ground) as found:
            places = await asyncio.to_thread(install, found.first.gateway, stand_in.port)
            dice = random.Random(seed)
            flood = Flood(found.urls, places, dice, per_s)
            yield World(seed, setup, dice, found, flood, stand_in, journal, ground)


@asynccontextmanager
async def flooding(world: World) -> AsyncIterator[None]:
    """Flood while the block runs; at its end wait until everything was accepted."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.flood.run(stop))
        try:
            yield
        except BaseException:
            running.cancel()
            raise
        stop.set()


@contextmanager
def platform(journal: Path, seed: int) -> Iterator[Platform]:
    """Run the flaky platform."""
    program = Path(__file__).with_name("platform_process.py")
    port = str(own_port())
    command = [sys.executable, str(program), "--journal", str(journal)]
    command += ["--seed", str(seed), "--port", port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin and child.stdout
        try:
            yield Platform(json.loads(child.stdout.readline())["port"], child)
        finally:
            child.stdin.close()
            child.wait(10)


def install(gateway: GatewayProcess, port: int) -> list[Place]:
    """Upload, approve and enable both channels; make their accounts and one binding each."""
    places = []
    for channel, manifest in CHANNELS.items():
        enable(gateway, channel, package(channel, **manifest))
        for number in range(ACCOUNTS_A_CHANNEL):
            account_id = f"{channel}-{number}"
            account = {
                "channel": channel,
                "account_id": account_id,
                "provider_config": {"port": port, "folds": channel == FOLDING},
            }
            gateway.call("POST", "channels/accounts", account)
            places += [
                Place(channel, account_id, "user" if place % 2 else "group", f"peer-{place}")
                for place in range(CONVERSATIONS_AN_ACCOUNT)
            ]
    return places


def enable(gateway: GatewayProcess, channel: str, content: bytes) -> None:
    """Bring one package to run, bound to the echo agent."""
    release = gateway.upload(content)
    approval = {"version": release["version"], "sha256": release["package_sha256"]}
    gateway.call("POST", f"channel_plugins/{channel}/approve", approval)
    gateway.call("POST", f"channel_plugins/{channel}/enable", {})
    gateway.call(
        "POST", "channels/bindings", {"channel": channel, "account_id": "*", "agent_id": "echo"}
    )


async def until(condition: Callable[[], bool], limit_s: float) -> None:
    """Wait until `condition` holds. Raises: TimeoutError."""
    async with asyncio.timeout(limit_s):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
