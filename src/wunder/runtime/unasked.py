"""What a plugin says that no call of ours asked for: requests, log lines, account states, noise."""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from wunder.errors import ProviderFault
from wunder.model.fault import FaultKind
from wunder.ports import Clock
from wunder.runtime.peer import Peer
from wunder.runtime.policy import WirePolicy
from wunder.runtime.stderr import StderrRing
from wunder_wire import codec, fast
from wunder_wire.methods import AccountStatus, LogParams

#: Runs an errand in the host's task group; False where there are too many, and it is not run.
Spawn = Callable[[Callable[[], Coroutine[Any, Any, None]]], bool]
#: Method and params -> the wire result. Raises: ProviderFault.
Answer = Callable[[str, bytes], Awaitable[object]]
_WRITES = frozenset({"host.state.put", "host.state.delete"})
#: Accounts whose state is remembered, and changes reported at once; then one a second is: events are
#: kept by number, and one flapping account must not push all others out.
_ACCOUNTS = 1_000
_CHANGES_PER_S = 1.0
_STATE_CHARS = 64


class _Allowance:
    """So many at once, so many a second from then on."""

    def __init__(self, burst: int, per_s: float, clock: Clock) -> None:
        self._burst, self._per_s, self._clock = float(burst), per_s, clock
        self._left, self._at = self._burst, clock.monotonic()

    def take(self) -> bool:
        """Use one up; False where none is left."""
        now = self._clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Unasked:
    """Listener of one process (peer.Listener). Nothing here waits; what takes time is spawned.

    `on_status(account_id, state)` is called when an account's state is another than last reported.
    """

    def __init__(
        self, ring: StderrRing, answer: Answer, clock: Clock, policy: WirePolicy, spawn: Spawn
    ) -> None:
        self.peer: Peer | None = None
        self.on_died: Callable[[str], None] = lambda kind: None
        self.on_late: Callable[[object, object], Coroutine[Any, Any, None]] | None = None
        self.on_status: Callable[[str, str], None] = lambda account_id, state: None
        self._ring = ring
        self._answer_of = answer
        self._clock = clock
        self._policy = policy
        self._spawn = spawn
        self._answering = 0
        self._writes = _Allowance(policy.host_writes_burst, policy.host_writes_per_s, clock)
        self._changes = _Allowance(_ACCOUNTS, _CHANGES_PER_S, clock)
        self._states: dict[str, str] = {}

    def request(self, frame_id: int | str, method: str, params: bytes) -> None:
        """Answer a request, later; refuse it at once when there are too many."""
        if self.peer is None:
            return
        if self._answering >= self._policy.host_requests:
            self.peer.refuse(frame_id, FaultKind.BUSY, "too many requests at once")
        elif method in _WRITES and not self._writes.take():
            self.peer.refuse(frame_id, FaultKind.BUSY, "too many writes a second")
        else:
            self._answering += 1
            answer = functools.partial(self._answer, self.peer, frame_id, method, params)
            if not self._spawn(answer):
                self._answering -= 1
                self.peer.refuse(frame_id, FaultKind.BUSY, "the host is stopping")

    def notification(self, method: str, params: bytes) -> None:
        """Take in what needs no answer; what nobody knows is let pass."""
        try:
            if method == "log":
                said = fast.ENGINE.decode(LogParams, params)
                fields = "".join(f" {key}={value!r}" for key, value in said.fields.items())
                self._ring.note(f"{said.level}: {said.message}{fields}", self._clock.monotonic())
            elif method == "channel.account_status":
                self._account(fast.ENGINE.decode(AccountStatus, params))
        except codec.DecodeError as problem:
            self._ring.note(f"unreadable {method}: {problem}"[:500], self._clock.monotonic())

    def noise(self, line: bytes) -> None:
        """Keep what is no frame in the plugin's log."""
        text = line[: self._policy.stderr_line_bytes].decode("utf-8", "replace")
        self._ring.note(f"stdout_noise: {text}", self._clock.monotonic())

    def late_success(self, params: object, result: object) -> None:
        """Pass on that a call which was given up has succeeded after all."""
        if self.on_late is not None:
            self._spawn(functools.partial(self.on_late, params, result))

    def wire_died(self, kind: str) -> None:
        """Pass on that the pipes are of no use any more."""
        self.on_died(kind)

    async def _answer(self, peer: Peer, frame_id: int | str, method: str, params: bytes) -> None:
        try:
            peer.answer(frame_id, await self._answer_of(method, params))
        except ProviderFault as refusal:
            peer.refuse(frame_id, refusal.fault.kind, refusal.fault.message)
        finally:
            self._answering -= 1

    def _account(self, said: AccountStatus) -> None:
        account_id, state = said.account_id[:_STATE_CHARS], said.state[:_STATE_CHARS]
        known = self._states.get(account_id)
        if known == state or (known is None and len(self._states) >= _ACCOUNTS):
            return
        if not self._changes.take():
            return
        self._states[account_id] = state
        self.on_status(account_id, state)
