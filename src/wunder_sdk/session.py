"""One conversation with the host: handshake, calls, cancel, shutdown, our own requests."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wunder_sdk import lazy
from wunder_sdk.channel import Channel
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.errors import (
    BadParams,
    Busy,
    ChannelError,
    ProviderUnavailable,
    ShuttingDown,
    TooLarge,
    from_wire,
)  # fmt: skip
from wunder_sdk.handshake import PluginFacts, answer
from wunder_sdk.http_client import Writes
from wunder_sdk.pipe import Pipe
from wunder_sdk.process_host import ProcessHost
from wunder_sdk.stdio import WireFds
from wunder_wire import codec
from wunder_wire import methods as wire
from wunder_wire.errors import CODE_OF_KIND, ErrorData, ErrorObject, Outcome
from wunder_wire.lines import OverlongLine, id_of

#: Health, besides the pools, so that a full plugin never looks dead (spec: Concurrency).
HEALTH_INFLIGHT = 2
#: Seconds the host may take to answer us.
HOST_ANSWER_S = 10.0
#: After this many frames a plugin is busy enough to pay 1 MB for a faster codec (choice).
ACCELERATE_AFTER = 256

_READING = frozenset({
    "channel.parse_inbound", "channel.identify_account", "channel.render_inline_reply",
})  # fmt: skip


@dataclass(slots=True)
class _Call:
    method: str
    writes: Writes
    task: "asyncio.Task[None] | None" = None
    has_begun: bool = False
    is_cancelled: bool = False

    def cancel(self) -> None:
        """Cancel it; before its first step a task would vanish without an answer."""
        self.is_cancelled = True
        if self.has_begun and self.task is not None:
            self.task.cancel()


class Session:
    """Runs one channel on one wire until it ends; `run` returns the exit code."""

    def __init__(self, channel: Channel[Any], facts: PluginFacts, fds: WireFds) -> None:
        self.host = ProcessHost(self)
        self._channel = channel
        self._facts = facts
        self._dispatcher = Dispatcher(channel, self.host)
        self._pipe = Pipe(fds, self._on_line, self._on_end)
        self._calls: dict[codec.FrameId, _Call] = {}
        self._running = {"health": 0, "parse": 0, "send": 0}
        self._limits = {"health": HEALTH_INFLIGHT, "parse": 16, "send": 64}
        self._waiting: dict[int, tuple[type[Any], asyncio.Future[Any]]] = {}
        self._next_id = 1
        self._frames = 0
        self._message_bytes = 0
        self._ready = False
        self._draining = False
        self._idle = asyncio.Event()
        self._end = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, drain_s: float) -> None:
        """Serve until shutdown or the end of the wire; running calls get `drain_s` to finish."""
        async with asyncio.TaskGroup() as self._tasks:
            self._pipe.start()
            await self._end.wait()
            self._pipe.stop_reading()
            await self._settle(drain_s)
            for call in self._calls.values():
                call.cancel()
        await self._within(drain_s / 4, self._dispatcher.close())
        await self._within(drain_s / 4, self._pipe.drain())

    # --- what comes in --------------------------------------------------------------------

    def _on_line(self, line: bytes | OverlongLine) -> None:
        if isinstance(line, OverlongLine):
            self._on_overlong(line)
            return
        self._frames += 1
        if self._frames == ACCELERATE_AFTER:
            lazy.accelerate()
        try:
            frame = codec.decode_frame(line)
        except codec.DecodeError as error:
            self._fail(None, "bad_frame", f"not a frame: {error}")
            return
        if frame.is_request:
            self._on_request(frame)
        elif frame.is_response:
            self._on_response(frame)
        elif frame.method == "$/cancel":
            self._on_cancel(frame)

    def _on_end(self) -> None:
        self._draining = True
        self._end.set()

    def _on_overlong(self, line: OverlongLine) -> None:
        frame_id, is_request = id_of(line.head)
        problem = f"a line of {line.size_bytes} bytes exceeds {self._pipe.splitter.max_bytes}"
        if is_request:
            self._answer_error(frame_id, TooLarge(problem).to_wire())
        elif isinstance(frame_id, int) and (waiting := self._waiting.pop(frame_id, None)):
            _resolve(waiting[1], TooLarge(problem))
        else:
            self.host.log("warning", "overlong_line_discarded", {"size_bytes": line.size_bytes})

    def _on_cancel(self, frame: codec.Frame) -> None:
        try:
            wanted = codec.decode_params(wire.CancelParams, frame).id
        except codec.DecodeError:
            return
        call = self._calls.get(wanted)
        if call is not None:
            call.cancel()

    def _on_response(self, frame: codec.Frame) -> None:
        waiting = self._waiting.pop(frame.id, None) if isinstance(frame.id, int) else None
        if waiting is None:
            return  # late or unknown: the caller gave up, and that is no breach (rule R19)
        shape, future = waiting
        if frame.error is not None:
            _resolve(future, from_wire(frame.error))
            return
        try:
            _resolve(future, codec.decode_result(shape, frame))
        except codec.DecodeError as error:
            _resolve(future, ChannelError(f"the host's answer does not fit: {error}"))

    def _on_request(self, frame: codec.Frame) -> None:
        method = frame.method or ""
        if method == "plugin.handshake" and self._ready:
            self._fail(frame.id, "bad_request", "the handshake is done")
        elif method == "plugin.handshake":
            self._handshake(frame)
        elif not self._ready:
            self._fail(frame.id, "bad_request", "plugin.handshake comes first")
        elif method == "plugin.shutdown":
            self._spawn(frame, "shutdown", self._shutdown)
        elif not self._dispatcher.knows(method):
            self._fail(frame.id, "method_not_found", "no such method here")
        elif self._draining and method != "plugin.health":
            self._answer_error(frame.id, ShuttingDown().to_wire())
        else:
            self._admit(frame, method)

    # --- calls ----------------------------------------------------------------------------

    def _handshake(self, frame: codec.Frame) -> None:
        try:
            params = codec.decode_params(wire.HandshakeParams, frame)
            result = answer(params, self._facts, self._dispatcher.capabilities)
        except codec.DecodeError as error:
            self._answer_error(frame.id, BadParams(str(error)).to_wire())
            return
        except ChannelError as error:
            self._answer_error(frame.id, error.to_wire())
            return
        self._limits["parse"] = params.limits.parse_inflight
        self._limits["send"] = params.limits.send_inflight
        self._pipe.splitter.max_bytes = params.limits.max_frame_bytes
        self.host.fixed_ms = params.clock.fixed_ms
        self._channel.data_dir = params.data_dir
        self._ready = True
        self._pipe.write(codec.result_line(frame.id, result))

    def _admit(self, frame: codec.Frame, method: str) -> None:
        pool = "parse" if method in _READING else "send"
        if method == "plugin.health":
            pool = "health"
        if self._running[pool] >= self._limits[pool]:
            busy = Busy(f"{self._limits[pool]} calls in flight", retry_after=0.25)
            self._answer_error(frame.id, busy.to_wire())
            return
        self._running[pool] += 1
        self._spawn(frame, pool, self._dispatch)

    def _spawn(
        self, frame: codec.Frame, pool: str, work: Callable[[codec.Frame, _Call], Any]
    ) -> None:
        if self._tasks is None or frame.id in self._calls:
            self._fail(frame.id, "bad_request", "this id is in use")
            return
        call = _Call(frame.method or "", Writes())
        self._calls[frame.id] = call
        call.task = self._tasks.create_task(self._serve(frame, call, pool, work(frame, call)))

    async def _serve(self, frame: codec.Frame, call: _Call, pool: str, work: Any) -> None:
        line: bytes | None = None
        call.has_begun = True
        try:
            if call.is_cancelled:
                work.close()
                self._answer_error(frame.id, _cancelled("not_sent"))
                return
            line = self._line_of(frame.id, await work)
        except ChannelError as error:
            self._answer_error(frame.id, error.to_wire())
        except asyncio.CancelledError:
            outcome = self._dispatcher.outcome_of(call.method, call.writes)
            self._answer_error(frame.id, _cancelled(outcome))
            raise
        finally:
            del self._calls[frame.id]
            if pool in self._running:
                self._running[pool] -= 1
            if self._draining and self._only_shutdown_runs():
                self._idle.set()
        if line is not None:
            self._pipe.write(line)
        if pool == "shutdown":
            self._end.set()

    async def _dispatch(self, frame: codec.Frame, call: _Call) -> Any:
        shape = wire.HOST_TO_PLUGIN[call.method][0]
        try:
            params: Any = codec.decode_params(shape, frame)
        except codec.DecodeError as error:
            raise BadParams(str(error)) from None
        return await self._dispatcher.call(call.method, params, call.writes)

    async def _shutdown(self, frame: codec.Frame, _call: _Call) -> wire.ShutdownResult:
        try:
            params = codec.decode_params(wire.ShutdownParams, frame)
        except codec.DecodeError as error:
            raise BadParams(str(error)) from None
        self._draining = True
        return wire.ShutdownResult(drained=await self._settle(params.grace_ms / 1000 * 0.9))

    async def _settle(self, limit_s: float) -> bool:
        """Wait for the running calls; False if some did not end in time."""
        self._idle.clear()
        if self._only_shutdown_runs():
            return True
        return await self._within(limit_s, self._idle.wait())

    def _only_shutdown_runs(self) -> bool:
        return all(call.method == "plugin.shutdown" for call in self._calls.values())

    @staticmethod
    async def _within(limit_s: float, work: Any) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await work
        except TimeoutError:
            return False
        return True

    # --- what goes out --------------------------------------------------------------------

    def _line_of(self, frame_id: codec.FrameId, result: Any) -> bytes:
        try:
            line = codec.result_line(frame_id, result)
        except (codec.EncodeError, TypeError, AttributeError) as error:
            raise ChannelError(f"the result is no JSON: {error}", outcome="unknown") from error
        if len(line) > self._pipe.splitter.max_bytes:
            raise TooLarge(f"the result has {len(line)} bytes", outcome="unknown")
        return line

    def _fail(self, frame_id: codec.FrameId, kind: str, message: str) -> None:
        error = ErrorObject(CODE_OF_KIND[kind], message, ErrorData(kind))
        self._answer_error(frame_id, error)

    def _answer_error(self, frame_id: codec.FrameId, error: ErrorObject) -> None:
        self._pipe.write(codec.error_line(frame_id, error))

    async def request(self, method: str, params: Any) -> Any:
        """Ask the host; see `wunder_wire.methods.PLUGIN_TO_HOST`.

        Raises:
            ChannelError: What the host answered, or `ProviderUnavailable` if it did not.
        """
        frame_id, self._next_id = self._next_id, self._next_id + 1
        future = asyncio.get_running_loop().create_future()
        self._waiting[frame_id] = (wire.PLUGIN_TO_HOST[method][1], future)
        self._pipe.write(codec.request_line(frame_id, method, params))
        try:
            async with asyncio.timeout(HOST_ANSWER_S):
                return await future
        except TimeoutError:
            raise ProviderUnavailable(f"the host did not answer {method}", scope="plugin") from None
        finally:
            self._waiting.pop(frame_id, None)

    def notify(self, method: str, params: Any, *, may_drop: bool) -> bool:
        """Tell the host something; logs are dropped while it reads slowly."""
        if not self._ready or (may_drop and self._pipe.is_congested):
            return False
        try:
            self._pipe.write(codec.notification_line(method, params))
        except codec.EncodeError:
            return False
        return True


def _cancelled(outcome: Outcome) -> ErrorObject:
    data = ErrorData("cancelled", retryable=outcome == "not_sent", outcome=outcome)
    return ErrorObject(CODE_OF_KIND["cancelled"], "cancelled", data)


def _resolve(future: "asyncio.Future[Any]", outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
