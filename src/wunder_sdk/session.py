"""One conversation with the host: handshake, calls, cancel, shutdown, our own requests."""

import asyncio
from typing import Any

from wunder_sdk import lazy
from wunder_sdk.channel import Channel
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.eager import Carrier, Eager, Rest, Work
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
from wunder_sdk.wire_loop import WireSelector
from wunder_wire import codec
from wunder_wire import methods as wire
from wunder_wire.errors import CODE_OF_KIND, ErrorData, ErrorObject, Outcome
from wunder_wire.lines import OverlongLine, id_of

#: Health, besides the pools, so that a full plugin never looks dead (spec: Concurrency).
HEALTH_INFLIGHT = 2
#: Seconds the host may take to answer us.
HOST_ANSWER_S = 10.0
#: After this many frames a plugin is in use, and pays 0.9 MB and 10 ms for a faster codec (choice).
ACCELERATE_AFTER = 32

_SHUTDOWN = "plugin.shutdown"
_READING = frozenset({
    "channel.parse_inbound", "channel.identify_account", "channel.render_inline_reply",
})  # fmt: skip


class _Pool:
    """How many calls of a kind may wait for something at once, and how many do."""

    __slots__ = ("limit", "running")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0


_NO_POOL = _Pool(0)


class _Call(Writes):
    """One call that was begun; `carrier` is there if its first step did not end it."""

    __slots__ = ("carrier", "id", "method", "pool")

    def __init__(self, frame_id: codec.FrameId, method: str, pool: _Pool) -> None:
        self.may_have_written = False
        self.id = frame_id
        self.method = method
        self.pool = pool
        self.carrier: Carrier | None = None


class Session:
    """Runs one channel on one wire until it ends."""

    def __init__(
        self, channel: Channel[Any], facts: PluginFacts, fds: WireFds, selector: WireSelector
    ) -> None:
        self.host = ProcessHost(self)
        self._channel = channel
        self._codec = codec.engine()
        self._facts = facts
        self._dispatcher = Dispatcher(channel, self.host)
        self._pipe = Pipe(fds, selector, self._on_lines, self._on_end)
        self._arrived: dict[codec.FrameId, codec.Request | codec.Frame] = {}  # not begun yet
        self._calls: dict[codec.FrameId, _Call] = {}  # that wait for something
        self._parsing, self._sending = _Pool(16), _Pool(64)
        self._pools = {
            method: self._parsing if method in _READING else self._sending
            for method in self._dispatcher.methods
        }
        self._pools |= {"plugin.health": _Pool(HEALTH_INFLIGHT), _SHUTDOWN: _Pool(1)}
        self._waiting: dict[int, tuple[type[Any], asyncio.Future[Any]]] = {}
        self._next_id = 1
        self._frames = 0
        self._ready = False
        self._draining = False
        self._idle = asyncio.Event()
        self._end = asyncio.Event()
        self._eager: Eager  # from `run` on

    async def run(self, drain_s: float) -> None:
        """Serve until shutdown or the end of the wire; running calls get `drain_s` to finish."""
        async with asyncio.TaskGroup() as group:
            self._eager = Eager(group)
            self._pipe.start()
            await self._end.wait()
            self._pipe.stop_reading()
            await self._settle(drain_s)
            self._eager.close()
            for call in self._calls.values():
                if call.carrier is not None:
                    call.carrier.cancel()
        await self._within(drain_s / 4, self._dispatcher.close())
        await self._within(drain_s / 4, self.host.close())
        await self._within(drain_s / 4, self._pipe.drain())

    # --- what comes in --------------------------------------------------------------------

    def _on_lines(self, lines: list[bytes | OverlongLine], more: memoryview) -> None:
        """Look at all lines first, then begin the calls: one cancelled behind itself never begins."""
        for line in lines:
            if isinstance(line, OverlongLine):
                self._on_overlong(line)
            elif not self._has_called(line):
                self._on_frame(line)
        if more and not self._has_called(more):
            for line in bytes(more).split(b"\n"):
                if whole := line.removesuffix(b"\r"):
                    self._on_frame(whole)
        if self._arrived:
            arrived, self._arrived = self._arrived, {}
            for asked in arrived.values():
                self._begin(asked)

    def _has_called(self, lines: bytes | memoryview) -> bool:
        """Take in calls as hosts write them, in one pass; False for all else, and nothing is done."""
        calls = self._codec.decode_requests(lines) if self._ready else None
        if calls is None:
            return False
        if len(calls) == 1 and calls[0].id not in self._arrived:
            self._arrived[calls[0].id] = calls[0]
            return True
        arrived: dict[codec.FrameId, codec.Request | codec.Frame] = {
            call.id: call for call in calls
        }
        if len(arrived) < len(calls) or not arrived.keys().isdisjoint(self._arrived):
            return False
        self._arrived |= arrived
        return True

    def _on_frame(self, line: bytes) -> None:
        self._frames += 1
        if self._frames == ACCELERATE_AFTER:
            lazy.accelerate()
        try:
            frame = codec.decode_frame(line)
        except codec.DecodeError as error:
            self._fail(None, "bad_frame", f"not a frame: {error}")
            return
        if frame.is_response:
            self._on_response(frame)
        elif frame.method == "$/cancel":
            self._on_cancel(frame)
        elif frame.is_request and frame.id in self._arrived:
            self._fail(frame.id, "bad_request", "this id is in use")
        elif frame.method == "plugin.handshake" and frame.is_request:
            self._handshake(frame)
        elif frame.is_request:
            self._arrived[frame.id] = frame

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
        if self._arrived.pop(wanted, None) is not None:
            self._answer_error(wanted, _cancelled("not_sent"))
            return
        call = self._calls.get(wanted)
        if call is not None and call.carrier is not None:
            call.carrier.cancel()

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

    # --- calls ----------------------------------------------------------------------------

    def _handshake(self, frame: codec.Frame) -> None:
        if self._ready:
            self._fail(frame.id, "bad_request", "the handshake is done")
            return
        try:
            params = codec.decode_params(wire.HandshakeParams, frame)
            result = answer(params, self._facts, self._dispatcher.capabilities)
        except codec.DecodeError as error:
            self._answer_error(frame.id, BadParams(str(error)).to_wire())
            return
        except ChannelError as error:
            self._answer_error(frame.id, error.to_wire())
            return
        self._parsing.limit = params.limits.parse_inflight
        self._sending.limit = params.limits.send_inflight
        self._pipe.splitter.max_bytes = params.limits.max_frame_bytes
        self.host.fixed_ms = params.clock.fixed_ms
        self._channel.data_dir = params.data_dir
        self._ready = True
        self._pipe.write(codec.result_line(frame.id, result))

    def _begin(self, asked: codec.Request | codec.Frame) -> None:
        """Answer a call, or begin it; whoever waits holds a slot."""
        pool = self._pools.get(asked.method or "", _NO_POOL)
        is_plain = self._ready and not self._draining and asked.id not in self._calls
        if (not is_plain or pool.running >= pool.limit) and self._refuse(asked, pool):
            return
        call = _Call(asked.id, asked.method or "", pool)
        try:
            carrier, rest = self._eager.start(self._work(call, asked))
        except ChannelError as error:
            self._answer_error(call.id, error.to_wire())
        except asyncio.CancelledError:
            self._answer_cancelled(call)
        else:
            if carrier is None:
                self._answer(call, rest)
                return
            carrier.take(rest, self._carry_on(call, rest))
            call.carrier = carrier
            self._calls[call.id] = call
            pool.running += 1

    def _refuse(self, asked: codec.Request | codec.Frame, pool: _Pool) -> bool:
        """Answer why a call is not begun; False if nothing speaks against it after all."""
        if asked.id in self._calls:
            self._fail(asked.id, "bad_request", "this id is in use")
        elif not self._ready:
            self._fail(asked.id, "bad_request", "plugin.handshake comes first")
        elif pool is _NO_POOL:
            self._fail(asked.id, "method_not_found", "no such method here")
        elif self._draining and asked.method not in ("plugin.health", _SHUTDOWN):
            self._answer_error(asked.id, ShuttingDown().to_wire())
        elif pool.running >= pool.limit:
            busy = Busy(f"{pool.limit} calls in flight", retry_after=0.25)
            self._answer_error(asked.id, busy.to_wire())
        else:
            return False
        return True

    def _work(self, call: _Call, asked: codec.Request | codec.Frame) -> Work:
        if isinstance(asked, codec.Frame):
            return self._work_of_frame(call, asked)
        return self._dispatcher.call(call.method, asked.params, call)

    async def _work_of_frame(self, call: _Call, frame: codec.Frame) -> Any:
        try:
            params: Any = codec.decode_params(wire.HOST_TO_PLUGIN[call.method][0], frame)
        except codec.DecodeError as error:
            raise BadParams(str(error)) from None
        if call.method == _SHUTDOWN:
            self._draining = True
            drained = await self._settle(params.grace_ms / 1000 * 0.9)
            return wire.ShutdownResult(drained=drained)
        return await self._dispatcher.call(call.method, params, call)

    async def _carry_on(self, call: _Call, rest: Rest) -> None:
        try:
            result = await rest
        except ChannelError as error:
            self._answer_error(call.id, error.to_wire())
        except asyncio.CancelledError:
            self._answer_cancelled(call)
            raise
        else:
            self._answer(call, result)
        finally:
            del self._calls[call.id]
            call.pool.running -= 1
            if self._draining and self._only_shutdown_runs():
                self._idle.set()

    async def _settle(self, limit_s: float) -> bool:
        """Wait for the running calls; False if some did not end in time."""
        self._idle.clear()
        if self._only_shutdown_runs():
            return True
        return await self._within(limit_s, self._idle.wait())

    def _only_shutdown_runs(self) -> bool:
        return all(call.method == _SHUTDOWN for call in self._calls.values())

    @staticmethod
    async def _within(limit_s: float, work: Any) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await work
        except TimeoutError:
            return False
        return True

    # --- what goes out --------------------------------------------------------------------

    def _answer(self, call: _Call, result: Any) -> None:
        try:
            line = codec.result_line(call.id, result)
        except (codec.EncodeError, TypeError, AttributeError) as error:
            failure = ChannelError(f"the result is no JSON: {error}", outcome="unknown")
            line = codec.error_line(call.id, failure.to_wire())
        if len(line) > self._pipe.splitter.max_bytes:
            failure = TooLarge(f"the result has {len(line)} bytes", outcome="unknown")
            line = codec.error_line(call.id, failure.to_wire())
        self._pipe.write(line)
        if call.method == _SHUTDOWN:
            self._end.set()

    def _fail(self, frame_id: codec.FrameId, kind: str, message: str) -> None:
        error = ErrorObject(CODE_OF_KIND[kind], message, ErrorData(kind))
        self._answer_error(frame_id, error)

    def _answer_cancelled(self, call: _Call) -> None:
        outcome = self._dispatcher.outcome_of(call.method, call)
        self._answer_error(call.id, _cancelled(outcome))

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
