"""One release kept running: started, watched, started again after a fall, or given up."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, Protocol

from wunder.errors import ProviderFault
from wunder.model.fault import FaultKind
from wunder.model.ids import At
from wunder.model.runtime import PluginSpec, RuntimeState
from wunder.ports import Clock
from wunder.runtime.backoff import Fall, FallHistory, after_fall
from wunder.runtime.breaker import Breaker
from wunder.runtime.figures import MethodCount  # noqa: TC001  # a dataclass lives in this module
from wunder.runtime.generation import Generation
from wunder.runtime.handshake import StartFailed
from wunder.runtime.policy import RuntimePolicy
from wunder.runtime.process import memory_bytes
from wunder.runtime.suspects import Suspects


@dataclass(slots=True)
class Record:
    """What the lives of one release leave behind; a recycled process goes on with it."""

    history: FallHistory = field(default_factory=FallHistory)
    restarts: int = 0
    crashes: int = 0
    last_exit: str = ""
    last_error: str = ""
    last_crash_at: At | None = None
    suspects: Suspects = field(default_factory=Suspects)
    breakers: dict[str, Breaker] = field(default_factory=dict)


class Owner(Protocol):
    """The supervisor, as its runners see it."""

    def new_generation(self, runner: "Runner") -> Generation:
        """Make a process that is not started yet."""

    def became_ready(self, runner: "Runner") -> None:
        """Route calls to it."""

    def stopped_serving(self, runner: "Runner") -> None:
        """Route no more calls to it."""

    def recycle(self, runner: "Runner") -> None:
        """Put a fresh process of the same release in this one's place, then retire this one."""

    def tell(self, runner: "Runner", name: str, level: str, **fields: Any) -> None:
        """Record an event and what has to survive the gateway."""


class Runner:
    """Runs one release until it is retired. States as in model/runtime.py."""

    def __init__(
        self, spec: PluginSpec, record: Record, owner: Owner, policy: RuntimePolicy, clock: Clock
    ) -> None:
        self.spec = spec
        self.record = record
        self.state = RuntimeState.STARTING
        self.health = ""
        self.generation: Generation | None = None
        self.counts: dict[str, MethodCount] = {}
        self.started_at: At | None = None
        self.ready_at: At | None = None
        self.retry_at: At | None = None
        self._owner = owner
        self._policy = policy
        self._clock = clock
        self._retired_for = ""
        self._must_end = ""  # why the process has to go although it runs
        self._is_recycling = self._is_warned = False
        self._news = asyncio.Event()
        self._nap: asyncio.Task[None] | None = None

    @property
    def is_retired(self) -> bool:
        """True once it was told to end."""
        return bool(self._retired_for)

    def retire(self, reason: str) -> None:
        """Let calls end, stop the process, start no other; `run` then returns."""
        self._retired_for = self._retired_for or reason
        self._news.set()
        if self.state is RuntimeState.STARTING and self.generation is not None:
            self.generation.abort()
        if self._nap is not None:
            self._nap.cancel()

    async def run(self) -> None:
        """Keep the release running until it is retired."""
        while not self.is_retired:
            wait_s = await self._live()
            if not self.is_retired:
                await self._rest(wait_s)
        self.state = RuntimeState.STOPPED

    # --- one life ---------------------------------------------------------------------------

    async def _live(self) -> float | None:
        """Run one process from start to end; return how long to wait for the next."""
        self.generation = generation = self._owner.new_generation(self)
        self.state, self.started_at = RuntimeState.STARTING, self._clock.now()
        self.ready_at = self.retry_at = None
        self._must_end = ""
        self._is_recycling = self._is_warned = False
        self._tell("plugin_started")
        try:
            self.health = await generation.open(self._policy.life.handshake_s)
        except StartFailed as problem:
            self._note_exit(generation)
            fall = Fall.NOT_STARTED if problem.is_curable else Fall.INCURABLE
            return self._fell(fall, problem.cause, problem.detail, 0.0)
        ready_since = self._clock.monotonic()
        self.state, self.ready_at = RuntimeState.READY, self._clock.now()
        self.record.last_error = ""
        self._tell("plugin_ready", took_ms=self.ready_at - self.started_at, health=self.health)
        self._owner.became_ready(self)
        try:
            cause = await self._serve(generation)
        except BaseException:  # the gateway stops
            await self._bow_out(generation, "host_exit")
            raise
        if not cause:
            await self._bow_out(generation, self._retired_for)
            return None
        await generation.kill()
        self._note_exit(generation)
        quarantined = self.record.suspects.crashed(generation.keys_at_end)
        fall = Fall.EXCUSED if quarantined else Fall.CRASHED
        if quarantined:
            self._tell("plugin_call_quarantined", "error", key=quarantined)
        return self._fell(fall, cause, generation.ending, self._clock.monotonic() - ready_since)

    async def _serve(self, generation: Generation) -> str:
        """Watch a ready process; return why it fell, "" where it was retired."""
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch(generation))
            while True:
                await self._news.wait()
                self._news.clear()
                cause = generation.ended_by or self._must_end
                if not cause and generation.has_ended:
                    cause = "exited"
                if cause or self.is_retired:
                    watching.cancel()
                    break
        self._owner.stopped_serving(self)
        return cause

    async def _bow_out(self, generation: Generation, reason: str) -> None:
        self.state = RuntimeState.STOPPING
        self._owner.stopped_serving(self)
        if reason != "host_exit":
            await generation.drain()
        step = await generation.stop(reason or "disabled")
        self._note_exit(generation)
        level = "error" if step == "unkillable" else "info"
        self._tell("plugin_stopped", level, reason=reason, step=step, exit=generation.ending)

    async def _rest(self, wait_s: float | None) -> None:
        """Sleep until the next start, until retired where there is none."""
        if wait_s is None:
            while not self.is_retired:
                self._news.clear()
                await self._news.wait()
            return
        async with asyncio.TaskGroup() as group:
            self._nap = group.create_task(self._clock.sleep(wait_s))
        self._nap = None
        if not self.is_retired:
            self.record.restarts += 1

    def _fell(self, fall: Fall, cause: str, detail: str, ready_for_s: float) -> float | None:
        record, now = self.record, self._clock.now()
        if fall in (Fall.CRASHED, Fall.EXCUSED):
            record.crashes += 1
            record.last_crash_at = now
        record.history, verdict = after_fall(
            record.history, fall, self._clock.monotonic(), ready_for_s,
            self._policy.life, random.random(),  # noqa: S311  # jitter, no secret
        )  # fmt: skip
        record.last_error = f"{cause}: {detail}" if detail else cause
        wait_s = verdict.wait_s
        self.retry_at = None if wait_s is None else At(now + round(wait_s * 1000))
        self.state = RuntimeState.BROKEN if verdict.is_broken else RuntimeState.BACKOFF
        if not self.is_retired:
            name = "plugin_start_failed" if ready_for_s == 0.0 else "plugin_crashed"
            self._tell(name, "warning", cause=cause, detail=detail, with_stderr=True)
            if verdict.is_broken:
                self._tell("plugin_broken", "error", cause=cause, detail=detail)
        return wait_s

    # --- watching ---------------------------------------------------------------------------

    async def _watch(self, generation: Generation) -> None:
        life = self._policy.life
        misses = 0
        probe_at = self._next_probe()
        while True:
            left_s = probe_at - self._clock.monotonic()
            await self._clock.sleep(max(0.0, min(life.memory_every_s, left_s)))
            self._weigh(generation)
            if self._clock.monotonic() < probe_at:
                continue
            probe_at = self._next_probe()
            misses = 0 if await self._is_alive(generation) else misses + 1
            if misses >= life.probe_misses:
                self._end_because("probes_missed")
                return

    def _next_probe(self) -> float:
        life = self._policy.life
        jitter = life.probe_jitter * random.uniform(-1, 1)  # noqa: S311  # jitter, no secret
        return self._clock.monotonic() + life.probe_every_s * (1 + jitter)

    async def _is_alive(self, generation: Generation) -> bool:
        since = self._clock.monotonic() - generation.peer.answered_at
        if since < self._policy.life.probe_not_needed_s:
            return True
        try:
            health = await generation.health()
        except ProviderFault as problem:
            # An error is an answer, and a slot that was not free says nothing.
            return problem.fault.kind is not FaultKind.TIMEOUT
        if health != self.health:
            before, self.health = self.health, health
            level = "info" if health == "ok" else "warning"
            self._tell("plugin_health_changed", level, before=before, health=health)
        return True

    def _weigh(self, generation: Generation) -> None:
        size = memory_bytes(generation.pid) if generation.pid else None
        life = self._policy.life
        if size is None or self._is_recycling:
            return
        if size >= life.memory_hard_bytes:
            self._is_recycling = True
            self._replace_too_large(size)
        elif size >= life.memory_soft_bytes and not self._is_warned:
            self._is_warned = True
            self._tell("plugin_memory_high", "warning", memory_bytes=size)

    def _replace_too_large(self, size: int) -> None:
        # Counts as a fall: who is too large from the start must not be replaced for ever.
        self.record.history, verdict = after_fall(
            self.record.history, Fall.CRASHED, self._clock.monotonic(), 0.0, self._policy.life, 0.0
        )
        if verdict.is_broken:
            self._end_because("memory_limit")
            return
        self._tell("plugin_recycled", "warning", memory_bytes=size)
        self.record.restarts += 1
        self._owner.recycle(self)

    def hear(self) -> None:
        """Look again: the process ended, or has to."""
        self._news.set()

    def _end_because(self, cause: str) -> None:
        self._must_end = cause
        self._news.set()

    def _note_exit(self, generation: Generation) -> None:
        if generation.ending:
            self.record.last_exit = generation.ending

    def _tell(
        self, name: str, level: str = "info", with_stderr: bool = False, **fields: Any
    ) -> None:
        generation = self.generation
        fields |= {"state": self.state.value, "retry_at": self.retry_at}
        if generation is not None:
            fields |= {"generation": generation.number, "exit": generation.ending}
            if with_stderr:
                fields["stderr"] = generation.ring.tail(20)
        self._owner.tell(self, name, level, **fields)
