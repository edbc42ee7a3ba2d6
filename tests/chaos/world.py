"""A real gateway, a flaky platform and a flood between them; may be broken in any order."""

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

from tests.chaos.flood import Flood, Place
from tests.chaos.rough_channel import package
from tests.chaos.verdict import ENDED_OTHERWISE, Verdict, judge
from tests.journeys.gateway_process import GatewayProcess

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
ACCOUNTS_A_CHANNEL, CONVERSATIONS_AN_ACCOUNT = 2, 6
#: Shorter waits than in production, so that a minute holds many retries; the rules are the same.
SETTINGS = {
    "WUNDER_LOG_LEVEL": "warning",
    "WUNDER_RETRY_BASE_S": "0.05",
    "WUNDER_RETRY_CAP_S": "0.5",
    "WUNDER_RUNTIME_BREAKER_OPEN_S": "0.2",
    "WUNDER_RUNTIME_BREAKER_OPEN_CAP_S": "0.5",
    "WUNDER_SPOOL_POLL_S": "0.05",
    "WUNDER_SPOOL_RETRY_BASE_S": "0.05",
    "WUNDER_SPOOL_RETRY_CAP_S": "0.2",
}
START_S, SETTLE_S = 30.0, 60.0


@dataclass
class World:
    """What a test holds in its hands. `dice` decides everything that is random on our side."""

    seed: int
    dice: random.Random
    gateway: GatewayProcess
    flood: Flood
    journal: Path
    recovery_s: list[float] = field(default_factory=list)
    killed_at: float = 0.0

    async def start(self) -> None:
        """Start the gateway again and wait until something is accepted."""
        await asyncio.to_thread(self.gateway.start)
        async with asyncio.timeout(START_S):
            await self.flood.next_accepted()
        if self.killed_at:
            self.recovery_s.append(time.monotonic() - self.killed_at)

    def kill(self) -> None:
        """SIGKILL the gateway."""
        self.killed_at = time.monotonic()
        self.gateway.kill()

    async def kill_while_starting(self) -> None:
        """Kill it at a random instant of its start: recovery itself is interrupted."""
        starting = asyncio.ensure_future(asyncio.to_thread(self.gateway.start))
        await asyncio.sleep(self.dice.uniform(0.02, 0.6))
        while not starting.done():
            self.gateway.kill()
            await asyncio.wait([starting], timeout=0.2)
        starting.exception()
        self.gateway.kill()

    async def judge(self) -> Verdict:
        """Wait until everything has come to rest, then compare."""
        async with asyncio.timeout(SETTLE_S):
            while await asyncio.to_thread(self._is_busy):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)
        ended = await asyncio.to_thread(self._ended_otherwise)
        verdict = judge(self.flood.posted, self.journal, ended)
        verdict.recovery_s = self.recovery_s
        return verdict

    def plugin_pids(self) -> list[int]:
        """Process ids of the plugins that run now."""
        found = []
        for plugin_id in CHANNELS:
            for node in self.gateway.get(f"channel_plugins/{plugin_id}/runtime")["nodes"]:
                found += [node["pid"]] if node["pid"] else []
        return found

    def _is_busy(self) -> bool:
        for state in ("pending", "claimed", "sending"):
            if self.gateway.get("channels/outbox", state=state, limit="1")["items"]:
                return True
        for state in ("received", "answering"):
            if self.gateway.get("channels/messages", state=state, limit="1")["items"]:
                return True
        return bool(self.gateway.get("channels/monitor")["figures"].get("channel_spool", 0))

    def _ended_otherwise(self) -> dict[str, str]:
        """Platform message id -> state, of every delivery and message that did not simply arrive."""
        found = {}
        for state in ENDED_OTHERWISE:
            for delivery in self._all("channels/outbox", state):
                inbound = self.gateway.get(f"channels/messages/{delivery['root_message_id']}")
                why = f": {delivery['error_kind']}" if state != "unknown" else ""
                found[inbound["platform_message_id"]] = state + why
        for state in ("unrouted", "refused", "failed", "no_answer"):
            for message in self._all("channels/messages", state):
                found.setdefault(message["platform_message_id"], f"message {state}")
        for event in self._all("channels/events"):
            if event["name"].startswith("spooled_request_"):
                found[f"spooled request, event {event['event_id']}"] = event["name"]
        return found

    def _all(self, path: str, state: str = "") -> Iterator[dict]:
        query = {"state": state} if state else {}
        cursor = ""
        while True:
            page = self.gateway.get(path, limit="200", cursor=cursor, **query)
            yield from page["items"]
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return


@asynccontextmanager
async def world(tmp_path: Path, per_s: float, **settings: str) -> AsyncIterator[World]:
    """Install both channels on a fresh gateway and start the flood.

    `CHAOS_SEED` repeats a run's dice; the kernel's own timing cannot be repeated.
    """
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    journal = tmp_path / "journal.jsonl"
    journal.touch()
    with platform(journal, seed) as port:
        gateway = GatewayProcess(tmp_path / "data", **{**SETTINGS, **settings})
        with gateway:
            places = install(gateway, port)
            # From here on on the same port, as platforms know only one address.
            gateway.settings["WUNDER_SERVER_PORT"] = gateway.url.rpartition(":")[2]
            dice = random.Random(seed)
            flood = Flood(gateway.url, places, dice, per_s)
            sys.stdout.write(f"CHAOS_SEED={seed}\n")
            yield World(seed, dice, gateway, flood, journal)


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
def platform(journal: Path, seed: int) -> Iterator[int]:
    """Run the flaky platform; its port."""
    program = Path(__file__).with_name("platform_process.py")
    command = [sys.executable, str(program), "--journal", str(journal), "--seed", str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin and child.stdout
        try:
            yield json.loads(child.stdout.readline())["port"]
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
