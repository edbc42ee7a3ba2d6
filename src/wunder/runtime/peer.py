"""JSON-RPC with one plugin: who waits for which answer, until when, and what comes unasked."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

import msgspec

from wunder.model.fault import FaultKind
from wunder.ports import Clock
from wunder.runtime.policy import WirePolicy
from wunder.runtime.rules import host_fault, plugin_fault
from wunder.runtime.wire import Outgoing, Wire
from wunder_wire import codec, fast
from wunder_wire.errors import CODE_OF_KIND, ErrorData, ErrorObject
from wunder_wire.frame import MAX_JSON_DEPTH
from wunder_wire.lines import OverlongLine, id_of
from wunder_wire.methods import CancelParams

T = TypeVar("T")
_ANSWER = b'{"jsonrpc":"2.0","id":'
_ID_ENDS = len(_ANSWER) + 20
_SHALLOW = 2 * MAX_JSON_DEPTH  # a shorter line cannot open and close too many brackets
_FRAME_STARTS = (b"{", b" ", b"\t")
_DAY_S = 86_400.0


_ABSENT = msgspec.Raw(b"")


class _Envelope(msgspec.Struct):
    jsonrpc: str
    id: int | str | None = None
    method: str | None = None
    params: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT

    @property
    def is_failure(self) -> bool:
        return bytes(self.error) not in (b"", b"null")


class _ErrorHead(msgspec.Struct):
    code: int
    message: str = ""


_encode = msgspec.json.Encoder().encode
_envelope = msgspec.json.Decoder(_Envelope).decode
_error_head = msgspec.json.Decoder(_ErrorHead).decode
_BROKEN = (msgspec.MsgspecError, codec.DecodeError, UnicodeDecodeError, RecursionError)


@functools.cache
def _success_decoder(shape: Any) -> Callable[[bytes], Any]:
    success = msgspec.defstruct("Success", [("result", shape), ("error", msgspec.Raw, _ABSENT)])
    return msgspec.json.Decoder(success).decode


class Listener(Protocol):
    """Who hears what the plugin says unasked. Nothing here may wait."""

    def request(self, frame_id: int | str, method: str, params: bytes) -> None:
        """It wants an answer: `Peer.answer` or `Peer.refuse`, later."""

    def notification(self, method: str, params: bytes) -> None:
        """It says something."""

    def noise(self, line: bytes) -> None:
        """It wrote a line that is no frame."""

    def late_success(self, params: object, result: object) -> None:
        """A call that was given up has succeeded after all."""

    def wire_died(self, kind: str) -> None:
        """The pipes are of no use any more; it still runs."""


class Call(Outgoing):
    """One request of ours that is not answered yet."""

    __slots__ = ("deadline", "future", "id", "may_reach", "params", "shape")

    shape: Any
    may_reach: bool

    def __init__(
        self, call_id: int, frame: bytes, params: object, deadline: float,
        future: asyncio.Future[Any],
    ) -> None:  # fmt: skip
        self.frame = frame
        self.is_written = False
        self.id = call_id
        self.params = params
        self.deadline = deadline
        self.future = future


def request_line(call_id: int, method: str, params: object) -> bytes:
    """Return a request as one line, `jsonrpc`, `id` and `method` first.

    What the schemas let be absent or null is null here: leaving it out would cost three times as
    much as the rest (measured: benchmarks/rpc_roundtrip.py).
    """
    try:
        encoded = _encode(params)
    except (UnicodeEncodeError, msgspec.MsgspecError):  # half a character, an odd object
        encoded = codec.encode(params)
    return b'{"jsonrpc":"2.0","id":%d,"method":"%b","params":%b}\n' % (
        call_id,
        method.encode(),
        encoded,
    )


_NOBODY: tuple[float, Call | None] = (0.0, None)


class Peer:
    """Calls in flight to one process; ids grow and are never used again."""

    def __init__(
        self, wire: Wire, listener: Listener, clock: Clock, policy: WirePolicy, max_frame_bytes: int
    ) -> None:
        self._wire = wire
        self._listener = listener
        self._clock = clock
        self._policy = policy
        self._max_frame_bytes = max_frame_bytes
        self._loop = asyncio.get_running_loop()
        self._last_id = 0
        self._pending: dict[int, Call] = {}
        self._given_up: dict[int, tuple[float, Call]] = {}  # id -> (forget at, call), oldest first
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = float("inf")
        self._has_ended = False
        self.late_answers = 0  # late, or to an id that nobody knows
        self.noise_lines = 0
        self.answered_at = float("-inf")

    @property
    def in_flight(self) -> int:
        """Calls that wait for an answer, health and shutdown included."""
        return len(self._pending)

    def written_params(self) -> list[object]:
        """The parameters of the calls the plugin may be working on."""
        return [call.params for call in self._pending.values() if call.is_written]

    async def call(
        self, method: str, params: object, shape: type[T], deadline: float, may_reach: bool = False
    ) -> T:
        """Send a request and return its result.

        Args:
            method: its name.
            params: a wire dataclass.
            shape: the wire dataclass of the result.
            deadline: by the clock's monotonic time.
            may_reach: without an answer to a written frame the outcome is unknown.

        Raises: ProviderFault.
        """
        if self._has_ended:
            raise host_fault(FaultKind.NOT_READY, "the plugin's process has ended")
        self._last_id += 1
        frame = request_line(self._last_id, method, params)
        if len(frame) > self._max_frame_bytes:
            raise host_fault(FaultKind.TOO_LARGE, f"a frame of {len(frame)} bytes")
        if not self._wire.has_room(len(frame)):
            raise host_fault(FaultKind.BUSY, "the plugin reads too slowly")
        call = Call(self._last_id, frame, params, deadline, self._loop.create_future())
        call.shape, call.may_reach = shape, may_reach
        self._pending[call.id] = call
        if deadline < self._alarm_at:
            self._wake_at(deadline)
        # Alone there is nobody to share a system call with.
        self._wire.send(call, at_once=len(self._pending) == 1)
        try:
            return cast("T", await call.future)
        except asyncio.CancelledError:
            self._give_up(call)
            raise

    def answer(self, frame_id: int | str, result: object) -> None:
        """Answer a request of the plugin."""
        self._wire.send(Outgoing(codec.result_line(frame_id, result)))

    def refuse(self, frame_id: int | str, kind: FaultKind, message: str) -> None:
        """Answer a request of the plugin with an error."""
        data = ErrorData(kind=kind.value)
        error = ErrorObject(CODE_OF_KIND[kind.value], message, data)
        self._wire.send(Outgoing(codec.error_line(frame_id, error)))

    def end(self, kind: FaultKind, message: str) -> None:
        """Fail what is in flight: the process is gone. What it never saw was `not_ready`."""
        self._has_ended = True
        if self._alarm is not None:
            self._alarm.cancel()
        pending, self._pending = self._pending, {}
        self._given_up.clear()
        for call in pending.values():
            if call.future.done():
                continue
            if call.is_written:
                fault = host_fault(kind, message, is_unknown=call.may_reach)
            else:
                fault = host_fault(FaultKind.NOT_READY, message)
            call.future.set_exception(fault)

    # --- what arrives -----------------------------------------------------------------------

    def lines(self, lines: list[bytes | OverlongLine]) -> int:
        """Take lines, in order; return how many of them answered no call."""
        waited = len(self._pending)
        for line in lines:
            if isinstance(line, OverlongLine):
                self._overlong(line)
            elif line.startswith(_ANSWER) and self._plain_success(line):
                continue
            elif not line.startswith(_FRAME_STARTS) or not self._frame(line):
                self.noise_lines += 1
                self._listener.noise(line)
        answered = waited - len(self._pending)
        if answered:
            self.answered_at = self._clock.monotonic()
        return len(lines) - answered

    def wire_died(self, kind: str) -> None:
        """Pass on that the pipes are of no use any more."""
        self._listener.wire_died(kind)

    def _plain_success(self, line: bytes) -> bool:
        """Read a success of a call in flight, as SDKs write it, in one pass; False for all else."""
        try:
            # What int() takes beyond JSON is refused when the line is decoded.
            call = self._pending[int(line[len(_ANSWER) : line.find(b",", len(_ANSWER), _ID_ENDS)])]
        except (ValueError, KeyError):
            return False
        if len(line) > _SHALLOW and line.count(b"[") + line.count(b"{") > MAX_JSON_DEPTH:
            return False
        try:
            found = _success_decoder(call.shape)(line)
        except _BROKEN:
            return False
        if found.error is not _ABSENT:
            return False
        del self._pending[call.id]
        if not call.future.done():
            call.future.set_result(found.result)
        return True

    def _frame(self, line: bytes) -> bool:
        try:
            found = _envelope(line)
        except _BROKEN:
            return self._broken_answer(line)
        if found.jsonrpc != "2.0":
            return False
        if found.method is not None:
            params = bytes(found.params) or b"{}"
            if found.id is None:
                self._listener.notification(found.method, params)
            else:
                self._listener.request(found.id, found.method, params)
            return True
        if not found.is_failure and found.result is _ABSENT:
            return False
        self._answer(found)
        return True

    def _answer(self, found: _Envelope) -> None:
        call = self._pending.pop(found.id, None) if isinstance(found.id, int) else None
        if call is None:
            self._late(found)
            return
        if call.future.done():
            return
        if found.is_failure:
            fault = plugin_fault(_read_error(found.error), may_reach=call.may_reach)
            call.future.set_exception(fault)
            return
        try:
            call.future.set_result(fast.ENGINE.decode_part(call.shape, found.result))
        except _BROKEN as problem:
            words = f"the result does not fit: {problem}"[:500]
            fault = host_fault(FaultKind.BAD_FRAME, words, is_unknown=call.may_reach)
            call.future.set_exception(fault)

    def _late(self, found: _Envelope) -> None:
        self.late_answers += 1
        _, call = self._given_up.pop(found.id, _NOBODY) if isinstance(found.id, int) else _NOBODY
        if call is None or not call.may_reach or found.is_failure:
            return
        try:
            result = fast.ENGINE.decode_part(call.shape, found.result)
        except _BROKEN:
            return
        self._listener.late_success(call.params, result)

    def _broken_answer(self, line: bytes) -> bool:
        found, is_request = id_of(line)
        if not is_request:
            self._fail(found, FaultKind.BAD_FRAME, "the answer is no frame")
        return False

    def _overlong(self, line: OverlongLine) -> None:
        message = f"a line of {line.size_bytes} bytes, {self._max_frame_bytes} are allowed"
        found, is_request = id_of(line.head)
        if found is None:
            self.noise_lines += 1
            self._listener.noise(line.head[:200] + b" [" + message.encode() + b"]")
        elif is_request:
            self.refuse(found, FaultKind.TOO_LARGE, message)
        else:
            self._fail(found, FaultKind.TOO_LARGE, message)

    def _fail(self, found: int | str | None, kind: FaultKind, message: str) -> None:
        """Fail a call that was answered with what cannot be read."""
        call = self._pending.pop(found, None) if isinstance(found, int) else None
        if call is not None and not call.future.done():
            call.future.set_exception(host_fault(kind, message, is_unknown=call.may_reach))

    # --- deadlines --------------------------------------------------------------------------

    def _wake_at(self, when: float) -> None:
        if when >= self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = when
        delay_s = min(max(0.0, when - self._clock.monotonic()), _DAY_S)
        self._alarm = self._loop.call_later(delay_s, self.sweep)

    def sweep(self) -> None:
        """Give up what is past its deadline, forget what was given up long ago."""
        now = self._clock.monotonic()
        self._alarm_at = float("inf")
        for call in [call for call in self._pending.values() if call.deadline <= now]:
            self._time_out(call)
        while self._given_up:
            oldest = next(iter(self._given_up))
            if self._given_up[oldest][0] > now:
                self._wake_at(self._given_up[oldest][0])
                break
            del self._given_up[oldest]
        if self._pending:
            self._wake_at(min(call.deadline for call in self._pending.values()))

    def _time_out(self, call: Call) -> None:
        is_written = self._give_up(call)
        if not call.future.done():
            words = "did not answer" if is_written else "did not take the call"
            words = f"the plugin {words} in time"
            is_unknown = call.may_reach and is_written
            fault = host_fault(FaultKind.TIMEOUT, words, is_unknown=is_unknown)
            call.future.set_exception(fault)

    def _give_up(self, call: Call) -> bool:
        """Stop waiting for a call; False when the plugin will never see it."""
        if self._pending.pop(call.id, None) is None or self._wire.take_back(call):
            return False
        params = CancelParams(call.id)
        self._wire.send(Outgoing(codec.notification_line("$/cancel", params)))
        forget_at = self._clock.monotonic() + self._policy.tombstone_s
        self._given_up[call.id] = (forget_at, call)
        if len(self._given_up) > self._policy.tombstones:
            del self._given_up[next(iter(self._given_up))]
        self._wake_at(forget_at)
        if call.is_written:
            call.frame = b""
        if not call.may_reach:
            call.params = None  # a request body nobody will ask for again
        return True


def _read_error(raw: msgspec.Raw) -> ErrorObject:
    """Read as much of an error as can be read: its author may be careless, the call has failed."""
    try:
        return cast("ErrorObject", fast.ENGINE.decode_part(ErrorObject, raw))
    except _BROKEN:
        pass
    try:
        head = _error_head(raw)
    except _BROKEN:
        return ErrorObject(CODE_OF_KIND["internal"], "the error is unreadable")
    return ErrorObject(head.code, head.message)
