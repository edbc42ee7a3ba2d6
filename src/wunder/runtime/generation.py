"""One running process of a release: opened, called, asked to stop, gone."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from wunder.errors import ProviderFault, WunderError
from wunder.model.fault import FaultKind
from wunder.model.runtime import PluginSpec
from wunder.ports import Clock
from wunder.runtime.handshake import StartFailed, agree, handshake_params
from wunder.runtime.limits import Full, Pool, Turnstile
from wunder.runtime.peer import Peer
from wunder.runtime.policy import RuntimePolicy
from wunder.runtime.process import Watched
from wunder.runtime.rules import MethodRule, PoolName, host_fault
from wunder.runtime.sandbox.guard import Warden
from wunder.runtime.sandbox.spawn import spawn
from wunder.runtime.stderr import StderrRing
from wunder.runtime.suspects import key_of
from wunder.runtime.unasked import Unasked
from wunder.runtime.wire import Wire
from wunder_wire.lines import LineSplitter
from wunder_wire.methods import (
    Empty,
    HandshakeResult,
    HealthResult,
    HostIdentity,
    ShutdownParams,
    ShutdownResult,
)

T = TypeVar("T")
#: Before it was ready: wrong usage, wrong configuration, not executable, not found. Starting the
#: same file again ends the same (sysexits.h; POSIX shell).
_INCURABLE_EXITS = frozenset({64, 78, 126, 127})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every process of this host is given."""

    policy: RuntimePolicy
    clock: Clock
    warden: Warden
    boot_path: str
    identity: HostIdentity
    admit: Callable[[PluginSpec], Awaitable[None]]


class Generation:
    """A process, its wire and its slots. `on_news` is called, without arguments, when it ended.

    `ended_by` says why it has to end although it still runs: `write_stalled`, `stdout_closed`.
    """

    def __init__(
        self, spec: PluginSpec, number: int, around: Surroundings, unasked: Unasked,
        ring: StderrRing, on_news: Callable[[], None],
    ) -> None:  # fmt: skip
        self.spec = spec
        self.number = number
        self.ring = ring
        self.ended_by = ""
        self.keys_at_end: list[str] = []  # whose calls it may have been working on
        self._around = around
        self._unasked = unasked
        self._unasked.on_died = self._wire_died
        self._on_news = on_news
        self._is_quiet = asyncio.Event()
        self._watched: Watched | None = None
        self._wire: Wire | None = None
        self._peer: Peer | None = None
        self._turnstile = Turnstile()
        sizes = around.policy.pools
        self._pools: dict[PoolName, Pool] = {
            "intake": Pool(sizes.intake, sizes.waiting, sizes.intake),
            "identify": Pool(sizes.identify, sizes.waiting),
            "sends": Pool(sizes.sends, sizes.waiting, sizes.sends_per_account),
            "desk": Pool(sizes.desk, sizes.waiting),
            "fetch": Pool(sizes.fetch, sizes.waiting),
            "control": Pool(sizes.control, 0),
        }

    # --- facts ------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return None if self._watched is None or self.has_ended else self._watched.pid

    @property
    def has_ended(self) -> bool:
        """True once the process was reaped."""
        return self._watched is None or self._watched.exited.is_set()

    @property
    def ending(self) -> str:
        """`exit 1`, `signal 9`, or "" while it lives."""
        return "" if self._watched is None else self._watched.ending

    @property
    def peer(self) -> Peer:
        """Who speaks with it; there from `open` on."""
        if self._peer is None:
            raise host_fault(FaultKind.NOT_READY, "the plugin's process was not started")
        return self._peer

    @property
    def in_flight(self) -> int:
        """Calls that have a slot."""
        return sum(pool.in_use for pool in self._pools.values())

    # --- life -------------------------------------------------------------------------------

    async def open(self, limit_s: float) -> str:
        """Start the process, agree with it, ask its health; return what it says of that.

        Raises: StartFailed, after the process is gone again.
        """
        try:
            await self._around.admit(self.spec)
        except WunderError as refused:
            raise StartFailed("not_admitted", refused.detail, is_curable=False) from refused
        deadline = self._around.clock.monotonic() + limit_s
        try:
            cookie = self._spawn()
            await self._shake_hands(cookie, deadline)
            health = await self.health(deadline)
        except ProviderFault as problem:
            failed = self._why_not(problem)
            await self.kill()
            raise failed from None
        except BaseException:
            await self.kill()
            raise
        return health

    async def health(self, deadline: float | None = None) -> str:
        """Ask how it is: `ok`, `degraded` or `failing`.

        Raises: ProviderFault.
        """
        limit_s = self._around.policy.calls.health_s
        rule = MethodRule("control", limit_s)
        if deadline is not None:
            rule = MethodRule("control", max(limit_s, deadline - self._around.clock.monotonic()))
        result = await self.call("plugin.health", rule, Empty(), HealthResult)
        return result.status

    async def drain(self) -> None:
        """Wait, bounded, until no call is in flight. The caller has cut the routing."""
        end = self._around.clock.monotonic() + self._around.policy.life.drain_s
        while not self.has_ended and self._around.clock.monotonic() < end:
            if all(pool.is_idle for pool in self._pools.values()):
                return
            self._is_quiet.clear()
            await self._wait(self._is_quiet, end - self._around.clock.monotonic())

    async def stop(self, reason: str) -> str:
        """End the process by the ladder; return the step that ended it."""
        life = self._around.policy.life
        if self._watched is None or self._wire is None:
            return "nothing"
        try:
            if await self._shut_down(reason, life.shutdown_s):
                return "shutdown"
            self._wire.close_stdin()
            if await self._wait(self._watched.exited, life.stdin_closed_s):
                return "stdin_closed"
            self._watched.signal_group(signal.SIGTERM)
            if await self._wait(self._watched.exited, life.terminate_s):
                return "terminated"
            return await self.kill()
        finally:
            self._watched.signal_group(signal.SIGKILL)

    def abort(self) -> None:
        """Give up a start: `open` then raises."""
        if self._watched is not None:
            self._watched.signal_group(signal.SIGKILL)

    async def kill(self) -> str:
        """End the process and its group at once; `killed`, or `unkillable` where it stays."""
        if self._watched is None:
            return "nothing"
        self._watched.signal_group(signal.SIGKILL)
        is_gone = await self._wait(self._watched.exited, self._around.policy.life.reap_s)
        return "killed" if is_gone else "unkillable"

    # --- calls ------------------------------------------------------------------------------

    async def call(
        self, method: str, rule: MethodRule, params: object, shape: type[T],
        account: str = "", alone: bool = False,
    ) -> T:  # fmt: skip
        """Take a slot, call, give the slot back.

        Raises: ProviderFault.
        """
        clock = self._around.clock
        deadline = clock.monotonic() + rule.limit_s
        pool = self._pools[rule.pool]
        is_control = rule.pool == "control"
        if is_control or alone or not self._admit_at_once(pool, account):
            await self._admit(pool, account, rule.limit_s, None if is_control else alone)
        try:
            return await self.peer.call(method, params, shape, deadline, rule.may_reach)
        finally:
            pool.give(account)
            if not is_control:
                self._turnstile.leave(alone=alone)
            if not pool.in_use:
                self._is_quiet.set()

    def _admit_at_once(self, pool: Pool, account: str) -> bool:
        if not pool.try_take(account):
            return False
        if not self._turnstile.try_enter():
            pool.give(account)
            return False
        return True

    async def _admit(self, pool: Pool, account: str, limit_s: float, alone: bool | None) -> None:
        """Take a slot and pass the turnstile; `alone` None: a call that need not pass it."""
        try:
            async with asyncio.timeout(limit_s):
                await pool.take(account)
                if alone is not None:
                    await self._pass_turnstile(pool, account, alone)
        except Full:
            raise host_fault(FaultKind.BUSY, "too many calls wait") from None
        except TimeoutError:
            raise host_fault(FaultKind.BUSY, "no slot became free in time") from None

    async def _pass_turnstile(self, pool: Pool, account: str, alone: bool) -> None:
        try:
            await self._turnstile.enter(alone=alone)
        except BaseException:
            pool.give(account)
            raise

    # --- inside -----------------------------------------------------------------------------

    def _spawn(self) -> str:
        policy, warden = self._around.policy, self._around.warden
        try:
            process = spawn(
                self.spec, self._around.boot_path, policy.limits, policy.wire.pipe_bytes
            )
        except OSError as problem:
            raise _cannot_spawn(problem) from None
        pid, cookie = process.child.pid, process.cookie
        splitter = LineSplitter(self.spec.frame_bytes)
        self._wire = Wire(process.fds, splitter, self.ring, policy.wire, self._around.clock)
        self._unasked.peer = self._peer = Peer(
            self._wire, self._unasked, self._around.clock, policy.wire, self.spec.frame_bytes
        )

        def exited() -> None:
            warden.remove(pid, cookie)
            self._exited()

        try:
            self._watched = Watched(process.child, exited)
            self._wire.open(self._peer)
            warden.add(pid, cookie)
        except OSError as problem:
            if self._watched is None:
                self._wire.close()
            raise _cannot_spawn(problem) from None
        return cookie

    async def _shake_hands(self, cookie: str, deadline: float) -> None:
        asked = handshake_params(
            self.spec, self._around.policy, self._around.identity, cookie, self.number
        )
        answered = await self.peer.call("plugin.handshake", asked, HandshakeResult, deadline)
        agreed = agree(self.spec, asked, answered)
        sizes = self._around.policy.pools
        self._pools["intake"].resize(agreed.parse_inflight, sizes.intake)
        self._pools["sends"].resize(agreed.send_inflight, sizes.sends_per_account)

    def _why_not(self, problem: ProviderFault) -> StartFailed:
        fault = problem.fault
        if self.has_ended:
            code = self._watched.returncode if self._watched else None
            is_curable = code not in _INCURABLE_EXITS
            return StartFailed("exited_at_start", self.ending, is_curable=is_curable)
        if fault.kind is FaultKind.PROTOCOL_UNSUPPORTED:
            return StartFailed("protocol_unsupported", fault.message, is_curable=False)
        cause = "no_handshake" if fault.kind is FaultKind.TIMEOUT else "handshake_failed"
        return StartFailed(cause, fault.message)

    async def _shut_down(self, reason: str, limit_s: float) -> bool:
        clock = self._around.clock
        end = clock.monotonic() + limit_s
        params = ShutdownParams(reason, round(limit_s * 1000))
        try:
            await self.peer.call("plugin.shutdown", params, ShutdownResult, end)
        except ProviderFault:
            return self.has_ended
        return self._watched is None or await self._wait(
            self._watched.exited, end - clock.monotonic()
        )

    async def _wait(self, event: asyncio.Event, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, limit_s)):
                await event.wait()
        except TimeoutError:
            return event.is_set()
        return True

    def _exited(self) -> None:
        if self._wire is None or self._peer is None:
            return
        self._wire.close()  # answers that were on their way still count
        self.keys_at_end = [key_of(params) for params in self._peer.written_params()]
        kind = FaultKind.WRITE_STALLED if self.ended_by == "write_stalled" else None
        self._peer.end(kind or FaultKind.PLUGIN_CRASHED, f"the plugin ended: {self.ending}")
        self._is_quiet.set()
        self._on_news()

    def _wire_died(self, kind: str) -> None:
        if not self.ended_by and not self.has_ended:
            self.ended_by = kind
            self._on_news()


def _cannot_spawn(problem: OSError) -> StartFailed:
    return StartFailed("cannot_spawn", problem.strerror or repr(problem))
