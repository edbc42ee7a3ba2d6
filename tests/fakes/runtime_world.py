"""A running ProcessHost with fakes around it, for tests that start real processes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from wunder.cli.call.memory import MemoryBlobs
from wunder.errors import Conflict
from wunder.model.ids import AccountUid
from wunder.model.plugin import PluginCounters
from wunder.model.runtime import RuntimeReport, RuntimeState
from wunder.model.trail import Event
from wunder.observe.clock import SystemClock
from wunder.plugins.host_answers import HostAnswers
from wunder.runtime.host import HostDoors, ProcessHost
from wunder.runtime.policy import LifePolicy, RuntimePolicy

BOOT = Path(__file__).parents[2] / "src" / "wunder_sdk" / "boot.py"
#: Quick where a test has to wait for it, slow where the test would fail if it came.
QUICK = RuntimePolicy(
    life=LifePolicy(
        handshake_s=10.0, shutdown_s=5.0, stdin_closed_s=5.0, terminate_s=5.0, drain_s=5.0,
        backoff_first_s=0.01, backoff_cap_s=0.02,
    )
)  # fmt: skip


def policy(**parts) -> RuntimePolicy:
    """QUICK with some fields of some parts changed: policy(life={"probe_every_s": 0.1})."""
    changed = {
        name: msgspec.structs.replace(getattr(QUICK, name), **fields)
        for name, fields in parts.items()
    }
    return msgspec.structs.replace(QUICK, **changed)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that only the operating system, or another process, knows."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # nobody sets an event for it
            await asyncio.sleep(0.005)


class KeptEvents:
    """EventLog that a test can wait on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def record(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, name: str, count: int = 1) -> Event:
        """Wait for the `count`-th event of this name."""
        async with asyncio.timeout(20):
            while len(found := [one for one in self.events if one.name == name]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]


class KeptHistory:
    """PluginHistory in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, PluginCounters] = {}
        self.state: dict[tuple[str, str, str], tuple[object, int]] = {}

    async def counters(self) -> list[PluginCounters]:
        return list(self.rows.values())

    async def put_counters(self, row: PluginCounters) -> None:
        self.rows[row.plugin_id] = row

    async def state_get(self, plugin_id, account_uid, key):
        return self.state.get((plugin_id, account_uid, key), (None, 0))

    async def state_put(self, plugin_id, account_uid, key, value, rev):
        _, current = self.state.get((plugin_id, account_uid, key), (None, 0))
        if rev is not None and rev != current:
            raise Conflict("changed meanwhile", reason="rev")
        self.state[plugin_id, account_uid, key] = (value, current + 1)
        return current + 1

    async def state_delete(self, plugin_id, account_uid, key):
        self.state.pop((plugin_id, account_uid, key), None)


class World:
    """The host and what it told."""

    def __init__(self, runtime_policy: RuntimePolicy, clock=None) -> None:
        self.events = KeptEvents()
        self.history = KeptHistory()
        self.late: asyncio.Queue[tuple[str, object, object]] = asyncio.Queue()
        self.accounts: dict[tuple[str, str], AccountUid] = {}
        self.changes: list[str] = []
        self.answers = HostAnswers(
            self.history,
            MemoryBlobs(),
            lambda plugin_id, label: self.accounts.get((plugin_id, label)),
        )
        self.host = ProcessHost(
            runtime_policy,
            HostDoors(
                clock=clock or SystemClock(),
                events=self.events,
                history=self.history,
                boot_path=str(BOOT),
                answer=self.answers.answer,
                on_late_success=self._late,
                on_change=self.changes.append,
                gateway_version="1.0",
                instance_id="test",
            ),
        )

    async def _late(self, plugin_id, params, result) -> None:
        await self.late.put((plugin_id, params, result))

    def report(self, plugin_id: str) -> RuntimeReport:
        report = self.host.report(plugin_id)
        assert report is not None
        return report

    async def ready(self, spec):
        """Start a release and wait until it serves."""
        before = self.events.names.count("plugin_ready")
        await self.host.start(spec)
        await self.events.until("plugin_ready", before + 1)
        assert self.report(spec.plugin_id).state is RuntimeState.READY
        return spec


@contextlib.asynccontextmanager
async def running(runtime_policy: RuntimePolicy = QUICK, clock=None) -> AsyncIterator[World]:
    """Run a host for the length of the block; afterwards nothing of it is left."""
    world = World(runtime_policy, clock)
    task = asyncio.create_task(world.host.run())
    try:
        yield world
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
