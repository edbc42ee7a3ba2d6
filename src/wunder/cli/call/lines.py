"""The lines of `wunder plugin call`: what comes in on stdin, one call each, and what goes out."""

import os
import queue
import threading
from asyncio import AbstractEventLoop, Future, get_running_loop
from typing import Any, NamedTuple

from wunder.cli.failure import CommandFailed, bad_usage
from wunder_wire.json_text import DecodeError, dumps, parse_json

READ_BYTES = 65_536
#: A frame of the largest kind in base64, with room: longer is no call but a mistake.
MAX_LINE_BYTES = 16 * 1_048_576
MAX_DEPTH = 96
_SHAPE = 'one call a line: {"id": 1, "method": "channel.parse_inbound", "params": {..}}'


class Call(NamedTuple):
    """One line of stdin."""

    line_no: int
    id: int | str
    method: str
    params: Any


class StdinLines:
    """Reads lines from a descriptor on a thread, when asked; a blocked read never holds up the end.

    `sys.stdin` is not touched: a thread that sits in its buffer's lock makes Python abort at exit.
    """

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._kept = b""
        self._is_over = False
        self._asked: queue.SimpleQueue[tuple[AbstractEventLoop, Future[bytes | None]]] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._serve, name="stdin-lines", daemon=True).start()

    async def next(self) -> bytes | None:
        """Return the next line without its newline, None at the end.

        Raises: CommandFailed, for a line of more than 16 MiB; OSError.
        """
        loop = get_running_loop()
        answer: Future[bytes | None] = loop.create_future()
        self._asked.put((loop, answer))
        return await answer

    def _serve(self) -> None:
        while True:
            loop, answer = self._asked.get()
            try:
                line = self._read()
            except (OSError, CommandFailed) as error:
                _tell(loop, answer, error)
            else:
                _tell(loop, answer, line)

    def _read(self) -> bytes | None:
        while b"\n" not in self._kept and not self._is_over:
            chunk = os.read(self._fd, READ_BYTES)
            self._is_over = not chunk
            self._kept += chunk
            if len(self._kept) > MAX_LINE_BYTES and b"\n" not in self._kept:
                raise bad_usage(f"a line of stdin has more than {MAX_LINE_BYTES} bytes", _SHAPE)
        line, newline, rest = self._kept.partition(b"\n")
        self._kept = rest
        return line if line or newline else None


def read_call(line: bytes, line_no: int) -> Call:
    """Return the call that a line holds.

    Raises: CommandFailed, naming the line and why it is none.
    """
    where = f"line {line_no} of stdin"
    try:
        document = parse_json(line, max_depth=MAX_DEPTH)
    except DecodeError as error:
        raise bad_usage(f"line {line_no}: {error.problem}", _SHAPE, where=where) from None
    if not isinstance(document, dict):
        raise bad_usage(f"line {line_no}: not a JSON object", _SHAPE, where=where)
    call_id, method = document.get("id"), document.get("method")
    if not isinstance(call_id, int | str) or isinstance(call_id, bool):
        raise bad_usage(f"line {line_no}: `id` must be a number or a string", _SHAPE, where=where)
    if not isinstance(method, str) or not method:
        raise bad_usage(f"line {line_no}: `method` must be a string", _SHAPE, where=where)
    params = document.get("params", {})
    if not isinstance(params, dict):
        raise bad_usage(f"line {line_no}: `params` must be an object", _SHAPE, where=where)
    return Call(line_no, call_id, method, params)


def answer_line(call_id: int | str, member: str, value: Any) -> bytes:
    """Return one line of stdout: `member` is "result" or "error"."""
    return dumps({"id": call_id, member: value}) + b"\n"


def _tell(loop: AbstractEventLoop, answer: "Future[bytes | None]", outcome: Any) -> None:
    def settle() -> None:
        if answer.done():
            return
        if isinstance(outcome, BaseException):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop has closed: nobody waits any more
        return
