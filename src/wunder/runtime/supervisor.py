"""Which release of one plugin runs: a new one is made ready beside the old, then takes over."""

import asyncio
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from wunder.errors import ProviderFault
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import PluginId
from wunder.model.plugin import PluginCounters
from wunder.model.runtime import PluginSpec, RuntimeReport, RuntimeState
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.runtime.backoff import FallHistory
from wunder.runtime.breaker import Breaker
from wunder.runtime.figures import MethodCount
from wunder.runtime.generation import Generation, Surroundings
from wunder.runtime.process import memory_bytes
from wunder.runtime.rules import MethodRule, host_fault
from wunder.runtime.runner import Record, Runner
from wunder.runtime.stderr import StderrRing
from wunder.runtime.suspects import Suspects, key_of
from wunder.runtime.unasked import Unasked

T = TypeVar("T")
log = get_logger(__name__)
QUARANTINED = "quarantined"  # provider_code of a call that is not made any more
_FALLEN = frozenset({RuntimeState.BACKOFF, RuntimeState.BROKEN, RuntimeState.STOPPED})
_UNHEALTHY = (RuntimeState.BROKEN, RuntimeState.BACKOFF)


@dataclass(frozen=True, slots=True)
class Reports:
    """Where a supervisor says what happened. All are synchronous and never block."""

    event: Callable[[Event], None]
    counters: Callable[[PluginCounters], None]
    changed: Callable[[PluginId], None]
    called: Callable[[str, str, float], None]


class Supervisor:
    """The actor of one plugin: `want` says what should run, `run` makes it so."""

    def __init__(
        self, plugin_id: PluginId, around: Surroundings, rules: dict[str, MethodRule],
        unasked: Callable[[PluginId, StderrRing], Unasked], reports: Reports,
        earlier: PluginCounters | None,
    ) -> None:  # fmt: skip
        self.plugin_id = plugin_id
        self.ring = StderrRing(around.policy.wire)
        self._around = around
        self._rules = rules
        self._unasked = unasked
        self._reports = reports
        self._earlier = earlier
        self._wanted: PluginSpec | None = None
        self._news = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._turned = asyncio.Event()
        self._runners: list[Runner] = []  # the newest is last
        self._serving: Runner | None = None
        self._last: Runner | None = None  # that ended
        self._group: asyncio.TaskGroup | None = None
        self._generations = 0

    # --- what should run --------------------------------------------------------------------

    def want(self, spec: PluginSpec | None) -> None:
        """Set what should run, None for nothing; returns at once."""
        self._wanted = spec
        self._is_empty.clear()
        self._turned.set()
        self._news.set()

    async def settled(self) -> None:
        """Wait until what is wanted serves, or its first start failed."""
        while not self._is_settled():
            self._turned.clear()
            await self._turned.wait()

    def _is_settled(self) -> bool:
        if self._wanted is None or (self._serving and self._serving.spec is self._wanted):
            return True
        newest = self._runners[-1] if self._runners else self._last
        return newest is not None and newest.spec is self._wanted and newest.state in _FALLEN

    async def stopped(self) -> None:
        """Wait until nothing runs any more."""
        await self._is_empty.wait()

    async def run(self) -> None:
        """Follow what is wanted until cancelled; then every process is stopped by its ladder."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._follow_on(group)
        finally:
            self._is_empty.set()

    async def _follow_on(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                self._follow(group)
        finally:
            self._group = None

    def _follow(self, group: asyncio.TaskGroup) -> None:
        newest = self._runners[-1] if self._runners else None
        if self._wanted is None:
            for runner in self._runners:
                runner.retire("disabled")
            if not self._runners:
                self._is_empty.set()
        elif newest is None or newest.is_retired or newest.spec is not self._wanted:
            self._begin(group, self._wanted, self._new_record(self._wanted))

    def _begin(self, group: asyncio.TaskGroup, spec: PluginSpec, record: Record) -> None:
        for runner in self._runners:
            if runner is not self._serving:
                runner.retire("replaced")
        runner = Runner(spec, record, self, self._around.policy, self._around.clock)
        self._runners.append(runner)
        group.create_task(self._keep(runner), name=f"plugin {self.plugin_id} {spec.version}")

    async def _keep(self, runner: Runner) -> None:
        try:
            await runner.run()
        except Exception:
            # Ours, not the plugin's: it costs this plugin its process, not the gateway.
            log.exception("plugin_supervision_failed", plugin_id=self.plugin_id)
            runner.state = RuntimeState.BROKEN
            if self._wanted is runner.spec:
                self._wanted = None  # it would fail again at once
        finally:
            self._runners.remove(runner)
            self._last = runner
            self.stopped_serving(runner)
            self._news.set()

    def _new_record(self, spec: PluginSpec) -> Record:
        """Start afresh, except that a gateway's restart forgives nothing (rule R21)."""
        earlier, self._earlier = self._earlier, None
        if earlier is None or earlier.version != spec.version:
            return Record()
        record = Record(
            restarts=earlier.restarts,
            crashes=earlier.crashes,
            last_exit=earlier.last_exit,
            last_crash_at=earlier.last_crash_at,
        )
        if earlier.state == RuntimeState.BROKEN:
            record.history = FallHistory(was_half_open=True)  # this start is its one more
        return record

    # --- Owner of the runners ---------------------------------------------------------------

    def new_generation(self, runner: Runner) -> Generation:
        """Make a process that is not started yet, with the next number."""
        self._generations += 1
        unasked = self._unasked(self.plugin_id, self.ring)
        return Generation(
            runner.spec, self._generations, self._around, unasked, self.ring, runner.hear
        )

    def became_ready(self, runner: Runner) -> None:
        """Route calls to it and let the others go."""
        self._serving = runner
        for other in self._runners:
            if other is not runner:
                other.retire("replaced")
        self._turned.set()
        self._reports.changed(self.plugin_id)

    def stopped_serving(self, runner: Runner) -> None:
        """Route no more calls to it."""
        if self._serving is runner:
            self._serving = None
            self._reports.changed(self.plugin_id)

    def recycle(self, runner: Runner) -> None:
        """Put a fresh process of the same release in its place."""
        if self._group is not None and runner is self._runners[-1] and not runner.is_retired:
            self._begin(self._group, runner.spec, runner.record)

    def tell(self, runner: Runner, name: str, level: str, **fields: Any) -> None:
        """Record an event, and what has to survive the gateway."""
        self._turned.set()
        self._reports.changed(self.plugin_id)
        now = self._around.clock.now()
        plugin_id, version, record = self.plugin_id, runner.spec.version, runner.record
        self._reports.event(
            Event(name, now, level, plugin_id=plugin_id, version=version, fields=fields)
        )
        shown = {key: value for key, value in fields.items() if key != "stderr"}
        getattr(log, level)(name, plugin_id=plugin_id, version=version, **shown)
        self._reports.counters(
            PluginCounters(
                plugin_id=plugin_id,
                version=version,
                state=runner.state.value,
                health=runner.health,
                restarts=record.restarts,
                crashes=record.crashes,
                last_exit=record.last_exit,
                last_crash_at=record.last_crash_at,
            )
        )

    # --- calls ------------------------------------------------------------------------------

    async def call(self, method: str, params: object, shape: type[T], account_uid: str) -> T:
        """Call the process that serves now.

        Raises: ProviderFault.
        """
        rule = self._rules.get(method)
        if rule is None:
            raise host_fault(FaultKind.METHOD_NOT_FOUND, f"the host does not call {method[:80]}")
        runner = self._serving
        if runner is None or runner.generation is None:
            raise self._not_ready()
        alone = self._is_to_be_alone(runner.record.suspects, params)
        clock = self._around.clock
        began = clock.monotonic()
        breaker, ticket = None, 0
        if rule.has_breaker:
            breaker = runner.record.breakers.get(account_uid)
            if breaker is None:
                breaker = Breaker(self._around.policy.breaker)
                runner.record.breakers[account_uid] = breaker
            ticket = breaker.admit(began)
            if not ticket:
                after_s = max(0.25, breaker.open_until - began)
                raise host_fault(
                    FaultKind.BREAKER_OPEN, "calls of this account failed too often",
                    retry_after_s=after_s,
                )  # fmt: skip
        ended: FaultKind | None = FaultKind.CANCELLED
        try:
            result = await runner.generation.call(method, rule, params, shape, account_uid, alone)
            ended = None
            if alone:
                runner.record.suspects.acquit(key_of(params))
            return result
        except ProviderFault as problem:
            ended = problem.fault.kind
            raise
        finally:
            self._count(runner, method, clock.monotonic() - began, ended)
            if breaker is not None:
                self._settle(runner, account_uid, breaker, ticket, ended)

    def is_quarantined(self, params: object) -> bool:
        """True for a request or delivery that crashed the newest release alone."""
        return bool(self._runners) and self._runners[-1].record.suspects.is_quarantined(
            key_of(params)
        )

    def send_room(self, account_uid: str) -> int:
        """How many sends of this account its breaker would let out now."""
        runner = self._serving
        breaker = None if runner is None else runner.record.breakers.get(account_uid)
        return sys.maxsize if breaker is None else breaker.room(self._around.clock.monotonic())

    def _is_to_be_alone(self, suspects: Suspects, params: object) -> bool:
        if not suspects:
            return False
        key = key_of(params)
        if suspects.is_quarantined(key):
            raise ProviderFault(
                Fault(
                    FaultKind.PLUGIN_CRASHED,
                    "not called: it crashed the plugin when it was called alone",
                    scope="message",
                    provider_code=QUARANTINED,
                )
            )
        return suspects.is_suspect(key)

    def _not_ready(self) -> ProviderFault:
        runner = self._runners[-1] if self._runners else None
        state = RuntimeState.STOPPED if runner is None else runner.state
        after_s = None
        if runner is not None and runner.retry_at is not None:
            after_s = max(0.25, (runner.retry_at - self._around.clock.now()) / 1000)
        return host_fault(
            FaultKind.NOT_READY, f"the plugin is {state.value}", retry_after_s=after_s
        )

    def _count(self, runner: Runner, method: str, took_s: float, kind: FaultKind | None) -> None:
        count = runner.counts.get(method)
        if count is None:
            count = runner.counts[method] = MethodCount()
        count.add(took_s, kind)
        self._reports.called(method, kind.value if kind else "", took_s)

    def _settle(
        self, runner: Runner, account_uid: str, breaker: Breaker, ticket: int,
        kind: FaultKind | None,
    ) -> None:  # fmt: skip
        roll = random.random()  # noqa: S311  # jitter, no secret
        if breaker.settle(ticket, kind, self._around.clock.monotonic(), roll):
            level = "info" if breaker.state == "closed" else "warning"
            cause = kind.value if kind else ""
            name = f"breaker_{breaker.state.value}"
            self.tell(runner, name, level, account_uid=account_uid, cause=cause)

    # --- facts ------------------------------------------------------------------------------

    def report(self) -> RuntimeReport | None:
        """Return what serves now, else what is being made ready, else what ran last."""
        runner = self._serving or (self._runners[-1] if self._runners else self._last)
        if runner is None:
            return None
        generation, record = runner.generation, runner.record
        peer = generation.peer if generation is not None and generation.pid else None
        newest = self._runners[-1].record if self._runners else record
        return RuntimeReport(
            plugin_id=self.plugin_id,
            version=runner.spec.version,
            state=runner.state,
            health=runner.health if runner.state not in _UNHEALTHY else "stopped",
            pid=generation.pid if generation else None,
            generation=generation.number if generation else 0,
            started_at=runner.started_at,
            ready_at=runner.ready_at,
            retry_at=runner.retry_at,
            restarts=record.restarts,
            crashes=record.crashes,
            in_flight=generation.in_flight if generation else 0,
            memory_bytes=memory_bytes(generation.pid) if generation and generation.pid else None,
            breakers={uid: one.state.value for uid, one in record.breakers.items()},
            methods={name: count.figures() for name, count in runner.counts.items()},
            last_exit=record.last_exit,
            last_error=record.last_error or newest.last_error,
            stdout_noise=peer.noise_lines if peer else 0,
            late_answers=peer.late_answers if peer else 0,
        )
