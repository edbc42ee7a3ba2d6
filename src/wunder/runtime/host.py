"""The plugin host: one supervisor a plugin, and the door through which the gateway calls them."""

import asyncio
import contextlib
import functools
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from wunder.errors import Invalid, WunderError
from wunder.model.fault import FaultKind
from wunder.model.ids import PluginId
from wunder.model.plugin import PluginCounters
from wunder.model.runtime import PluginSpec, RuntimeReport, RuntimeState
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import Clock, EventLog, PluginHistory
from wunder.runtime.generation import Generation, Surroundings
from wunder.runtime.handshake import StartFailed
from wunder.runtime.policy import RuntimePolicy
from wunder.runtime.rules import host_fault, method_rules
from wunder.runtime.sandbox.guard import Warden
from wunder.runtime.stderr import StderrRing
from wunder.runtime.supervisor import Reports, Supervisor
from wunder.runtime.unasked import Unasked
from wunder_wire.methods import HostIdentity

T = TypeVar("T")
log = get_logger(__name__)
ERRANDS = 1_000  # requests of plugins and late successes under way; beyond: refused, logged


async def _admit_all(spec: PluginSpec) -> None:
    """For hosts that run what a person points at (`wunder plugin call`)."""


@dataclass(frozen=True, slots=True)
class HostDoors:
    """What the host needs of the rest of the gateway.

    `boot_path` is the SDK's starter of Python plugins (wunder_sdk/boot.py). `answer(plugin_id,
    method, params)` gives the wire result of what a plugin asks, or raises ProviderFault.
    `on_late_success(plugin_id, params, result)` gets the wire objects of a send that was given up
    and succeeded after all. `on_change(plugin_id)` is called, synchronously, whenever its
    state changed: above all when it became able or unable to take calls; `on_called(method, kind, seconds)` after each call, `kind`
    of its fault or "". `admit` is asked before each start of a process, restarts too: is the release
    still approved, and every file as it was installed (security rule 13)? It raises when not.
    """

    clock: Clock
    events: EventLog
    history: PluginHistory
    boot_path: str
    answer: Callable[[PluginId, str, bytes], Awaitable[object]]
    on_late_success: Callable[[PluginId, object, object], Awaitable[None]]
    on_change: Callable[[PluginId], None] = lambda plugin_id: None
    on_called: Callable[[str, str, float], None] = lambda method, kind, seconds: None
    admit: Callable[[PluginSpec], Awaitable[None]] = _admit_all
    gateway_version: str = "0"
    instance_id: str = ""


class ProcessHost:
    """The running plugins, each a process of its own (port PluginHost)."""

    def __init__(self, policy: RuntimePolicy, doors: HostDoors) -> None:
        self._policy = policy
        self._doors = doors
        self._warden = Warden()
        self._around = Surroundings(
            policy, doors.clock, self._warden, doors.boot_path,
            HostIdentity("wunder", doors.gateway_version, doors.instance_id), doors.admit,
        )  # fmt: skip
        self._rules = method_rules(policy.calls)
        self._supervisors: dict[PluginId, Supervisor] = {}
        self._waiting: list[Supervisor] = []  # for `run` to take up
        self._unsaved: dict[PluginId, PluginCounters] = {}
        self._news = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._errands = 0
        self._no_errands = asyncio.Event()
        self._no_errands.set()

    async def run(self) -> None:
        """Supervise until cancelled; then stop every plugin, all at once, each by its ladder."""
        async with asyncio.TaskGroup() as self._group:
            try:
                await self._supervise()
            finally:  # errands go on while plugins stop: a late success is evidence
                await self._finish_errands()
                self._group = None
                await self._save_counters()
                await self._warden.close(self._policy.life.reap_s)

    async def call(
        self, plugin_id: PluginId, method: str, params: object, result: type[T], account_uid: str
    ) -> T:
        """Call a method with its own deadline; params and result are wire types.

        Raises: ProviderFault.
        """
        supervisor = self._supervisors.get(plugin_id)
        if supervisor is None:
            raise host_fault(FaultKind.NOT_READY, "the plugin was not started")
        return await supervisor.call(method, params, result, account_uid)

    async def start(self, spec: PluginSpec) -> None:
        """Make this release the running one: the old one serves until the new one is ready.

        Returns when it is, or when its first start failed; the supervisor then goes on by itself.
        """
        supervisor = self._supervisors.get(spec.plugin_id)
        if supervisor is None:
            earlier = await self._earlier(spec.plugin_id)
            # Another start may have come in between.
            supervisor = self._supervisors.get(spec.plugin_id) or self._add(spec, earlier)
        supervisor.want(spec)
        if self._group is not None:
            await supervisor.settled()

    async def stop(self, plugin_id: PluginId) -> None:
        """Drain and stop; returns when its process is gone."""
        supervisor = self._supervisors.get(plugin_id)
        if supervisor is not None:
            supervisor.want(None)
            await supervisor.stopped()

    async def preflight(self, spec: PluginSpec) -> None:
        """Start a process with no traffic, shake hands, ask its health, stop it.

        Raises: Invalid, with the cause and the last lines it wrote.
        """
        ring = StderrRing(self._policy.wire)
        unasked = self._unasked(spec.plugin_id, ring)
        generation = Generation(spec, 0, self._around, unasked, ring, lambda: None)
        try:
            await generation.open(self._policy.life.preflight_s)
        except StartFailed as problem:
            said = "\n".join(ring.tail(20))
            raise Invalid(f"the plugin does not start: {problem}\n{said}".strip()) from None
        await generation.stop("preflight")

    def report(self, plugin_id: PluginId) -> RuntimeReport | None:
        """Return what is running; None for a plugin that was never started."""
        supervisor = self._supervisors.get(plugin_id)
        return None if supervisor is None else supervisor.report()

    def states(self) -> list[RuntimeState]:
        """Return the state of every plugin that was ever started, for the figures."""
        reports = (supervisor.report() for supervisor in self._supervisors.values())
        return [report.state for report in reports if report is not None]

    def stderr(self, plugin_id: PluginId) -> list[str]:
        """Return the last lines the plugin wrote, oldest first, control characters kept."""
        supervisor = self._supervisors.get(plugin_id)
        return [] if supervisor is None else supervisor.ring.tail()

    def send_room(self, plugin_id: PluginId, account_uid: str) -> int:
        """How many sends of this account its breaker would let out now."""
        supervisor = self._supervisors.get(plugin_id)
        return sys.maxsize if supervisor is None else supervisor.send_room(account_uid)

    def is_quarantined(self, plugin_id: PluginId, params: object) -> bool:
        """True for a request or delivery that crashed the plugin although it was called alone."""
        supervisor = self._supervisors.get(plugin_id)
        return supervisor is not None and supervisor.is_quarantined(params)

    # --- inside -----------------------------------------------------------------------------

    async def _supervise(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                await self._news.wait()
                self._news.clear()
                for supervisor in self._waiting:
                    group.create_task(supervisor.run(), name=f"plugin {supervisor.plugin_id}")
                self._waiting.clear()
                await self._save_counters()

    async def _finish_errands(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._policy.life.reap_s):
                await self._no_errands.wait()

    def _add(self, spec: PluginSpec, earlier: PluginCounters | None) -> Supervisor:
        doors = self._doors
        reports = Reports(
            doors.events.record, self._note_counters, doors.on_change, doors.on_called
        )
        supervisor = Supervisor(
            spec.plugin_id, self._around, self._rules, self._unasked, reports, earlier
        )
        self._supervisors[spec.plugin_id] = supervisor
        self._waiting.append(supervisor)
        self._news.set()
        return supervisor

    def _unasked(self, plugin_id: PluginId, ring: StderrRing) -> Unasked:
        doors = self._doors
        answer = functools.partial(doors.answer, plugin_id)
        unasked = Unasked(ring, answer, doors.clock, self._policy.wire, self._spawn)

        async def late(params: object, result: object) -> None:
            await doors.on_late_success(plugin_id, params, result)

        def status(account_id: str, state: str) -> None:
            fields = {"account_id": account_id, "account_state": state}
            now, name = doors.clock.now(), "account_status_reported"
            doors.events.record(Event(name, now, plugin_id=plugin_id, fields=fields))

        unasked.on_late, unasked.on_status = late, status
        return unasked

    def _spawn(self, errand: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        if self._group is None or self._errands >= ERRANDS:
            log.warning("plugin_errand_refused", under_way=self._errands)
            return False
        self._errands += 1
        self._no_errands.clear()
        self._group.create_task(self._run_errand(errand))
        return True

    async def _run_errand(self, errand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await errand()
        except Exception:
            # One request of one plugin: it must not end the others.
            log.exception("plugin_errand_failed")
        finally:
            self._errands -= 1
            if not self._errands:
                self._no_errands.set()

    async def _earlier(self, plugin_id: PluginId) -> PluginCounters | None:
        try:
            rows = await self._doors.history.counters()
        except WunderError as problem:
            log.warning("plugin_counters_not_read", detail=problem.detail)
            return None
        return next((row for row in rows if row.plugin_id == plugin_id), None)

    def _note_counters(self, row: PluginCounters) -> None:
        self._unsaved[row.plugin_id] = row
        self._news.set()

    async def _save_counters(self) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        for row in unsaved.values():
            try:
                await self._doors.history.put_counters(row)
            except WunderError as problem:
                log.warning("plugin_counters_not_saved", detail=problem.detail)
