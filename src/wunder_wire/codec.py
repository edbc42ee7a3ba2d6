"""Frames and documents of protocol 1: bytes to frozen dataclasses and back, strict and bounded.

Works with the standard library alone. `wunder_wire.fast.install()` puts msgspec underneath,
with the same verdicts and the same errors.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from wunder_wire import json_text, shapes
from wunder_wire.errors import ErrorObject
from wunder_wire.json_text import MAX_FRAME_DEPTH
from wunder_wire.json_text import DecodeError as DecodeError
from wunder_wire.json_text import EncodeError as EncodeError
from wunder_wire.json_text import dumps as dumps
from wunder_wire.json_text import parse_json as parse_json
from wunder_wire.record import dataclass
from wunder_wire.shapes import from_json as from_json
from wunder_wire.shapes import to_json as to_json

T = TypeVar("T")
FrameId = int | str | None


class Absent:
    """A frame's member that is not there; `null` is something else."""

    __slots__ = ()


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of the wire. `params` and `result` wait for `decode_params`, `decode_result`.

    A request has `method` and `id`, a notification only `method`, a response no `method`.
    """

    id: FrameId = None
    method: str | None = None
    params: Any = ABSENT
    result: Any = ABSENT
    error: ErrorObject | None = None

    @property
    def is_request(self) -> bool:
        """Does it want an answer?"""
        return self.method is not None and self.id is not None

    @property
    def is_notification(self) -> bool:
        """Does it say something and want no answer?"""
        return self.method is not None and self.id is None

    @property
    def is_response(self) -> bool:
        """Does it answer a request of ours?"""
        return self.method is None


class Request(Protocol):
    """A channel call whose parameters were decoded together with its frame."""

    id: int
    method: str
    params: Any


def decode(shape: type[T], data: bytes) -> T:
    """Return the JSON document `data` as an instance of `shape`.

    Raises:
        DecodeError: Not JSON as we take it, or it does not fit; names a JSON pointer.
    """
    result: T = _engine.decode(shape, data)
    return result


def encode(value: Any) -> bytes:
    """Return a dataclass (or plain JSON values) as compact JSON without absent fields.

    Raises:
        EncodeError: It holds NaN, a cycle, or something JSON has no word for.
    """
    return _engine.dumps(to_json(value))


def decode_frame(line: bytes) -> Frame:
    """Return the frame in `line` (with or without its newline).

    Raises:
        DecodeError: Not a JSON-RPC 2.0 object; such a line is noise.
    """
    return _engine.decode_frame(line)


def decode_requests(lines: bytes | memoryview) -> list[Request] | None:
    """Return the channel calls in `lines`, in one pass; None where that takes a second look.

    None says nothing about the lines: `decode_frame` and `decode_params` judge each.
    """
    return _engine.decode_requests(lines)


def bytes_of(base64_text: str) -> bytes:
    """Return what `base64_text` stands for; strict: no other characters, right padding.

    Raises:
        DecodeError: It is no base64.
    """
    return _engine.bytes_of(base64_text)


def decode_params(shape: type[T], frame: Frame) -> T:
    """Return a frame's `params`; absent ones count as `{}`.

    Raises:
        DecodeError: They do not fit; the pointer starts at the parameters.
    """
    result: T = _engine.decode_part(shape, {} if frame.params is ABSENT else frame.params)
    return result


def decode_result(shape: type[T], frame: Frame) -> T:
    """Return a frame's `result`.

    Raises:
        DecodeError: It does not fit; the pointer starts at the result.
    """
    result: T = _engine.decode_part(shape, {} if frame.result is ABSENT else frame.result)
    return result


def request_line(frame_id: int | str, method: str, params: Any) -> bytes:
    """Return a request as one line; `jsonrpc`, `id` and `method` come first."""
    head = (_id(frame_id), method.encode(), encode(params))
    return b'{"jsonrpc":"2.0","id":%b,"method":"%b","params":%b}\n' % head


def notification_line(method: str, params: Any) -> bytes:
    """Return a notification as one line."""
    head = f'{{"jsonrpc":"2.0","method":"{method}","params":'
    return b"%b%b}\n" % (head.encode(), encode(params))


def result_line(frame_id: FrameId, result: Any) -> bytes:
    """Return an answer as one line; members without a value may be absent or null."""
    if type(frame_id) is int:
        return b'{"jsonrpc":"2.0","id":%d,"result":%b}\n' % (frame_id, _engine.encode(result))
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}\n' % (dumps(frame_id), _engine.encode(result))


def error_line(frame_id: FrameId, error: ErrorObject) -> bytes:
    """Return a failure as one line."""
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}\n' % (_id(frame_id), encode(error))


def _id(frame_id: FrameId) -> bytes:
    return b"%d" % frame_id if type(frame_id) is int else dumps(frame_id)


def frame_of(document: Any) -> Frame:
    """Return the frame that a decoded JSON document is.

    Raises:
        DecodeError: It is none.
    """
    if type(document) is not dict:
        raise DecodeError("a frame is an object; there are no batches")
    if document.get("jsonrpc") != "2.0":
        raise DecodeError('expected "2.0"', "/jsonrpc")
    frame_id, method = document.get("id"), document.get("method")
    if frame_id is not None and type(frame_id) not in (int, str):
        raise DecodeError("expected integer or string", "/id")
    if method is not None and type(method) is not str:
        raise DecodeError("expected string", "/method")
    error = document.get("error")
    if error is not None:
        try:
            error = from_json(ErrorObject, error)
        except DecodeError as problem:
            raise problem.inside("error") from None
    if method is None and error is None and "result" not in document:
        raise DecodeError("neither method nor result nor error")
    return Frame(
        frame_id, method, document.get("params", ABSENT), document.get("result", ABSENT), error
    )


@dataclasses.dataclass(slots=True)
class Engine:
    """What does the work: the standard library, or msgspec once `wunder_wire.fast` is installed."""

    name: str
    decode: Callable[[type[Any], bytes], Any]
    decode_frame: Callable[[bytes], Frame]
    decode_requests: Callable[[bytes | memoryview], list[Request] | None]
    decode_part: Callable[[type[Any], Any], Any]
    encode: Callable[[Any], bytes]
    dumps: Callable[[Any], bytes]
    bytes_of: Callable[[str], bytes]


def plain_decode(shape: type[Any], data: bytes) -> Any:
    """Decode a document with the standard library."""
    return shapes.from_json(shape, json_text.parse_json(data, max_depth=MAX_FRAME_DEPTH))


def plain_decode_frame(line: bytes) -> Frame:
    """Decode a frame with the standard library."""
    return frame_of(json_text.parse_json(line, max_depth=MAX_FRAME_DEPTH))


def _always_twice(lines: bytes | memoryview) -> None:
    """Leave every call to `decode_frame` and `decode_params`: here one pass would gain nothing."""


def _plain_encode(value: Any) -> bytes:
    return json_text.dumps(shapes.to_json(value))


STDLIB = Engine(
    "stdlib", plain_decode, plain_decode_frame, _always_twice, shapes.from_json, _plain_encode,
    json_text.dumps, json_text.bytes_of,
)  # fmt: skip
_engine = dataclasses.replace(STDLIB)


def use(engine: Engine) -> None:
    """Let `engine` do the work from now on, in this process."""
    for field in dataclasses.fields(Engine):
        setattr(_engine, field.name, getattr(engine, field.name))


def engine() -> Engine:
    """Return what does the work; the object stays the same."""
    return _engine
