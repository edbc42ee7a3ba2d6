"""One JSON line an event on stderr: names and fields, never message text or secrets."""

import contextlib
import logging
import os
import re
import sys
import traceback
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

from wunder.observe.clock import wall_ms

Level = Literal["debug", "info", "warning", "error"]
_RANK: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

# Choices: a line that no terminal or shipper chokes on, and a traceback that shows its end.
MAX_TEXT_CHARS = 2_000
MAX_TRACEBACK_CHARS = 8_000
MAX_ITEMS = 50
MAX_DEPTH = 4

#: JSON escapes what lies below U+0020; these move a cursor, turn text around or end a line as well.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:secrets?|passw(?:or)?d|authorization|cookie|(?:api|access|refresh)_?(?:key|token))$"
    r"|^token$|^key$",
    re.IGNORECASE,
)

_encode = msgspec.json.Encoder().encode


class _Output:
    """Where lines go; one for the process, set by `configure`."""

    rank: int = _RANK["info"]
    is_json: bool = True
    stream: TextIO | None = None  # None: whatever sys.stderr is now


class Logger:
    """Writes events of one module."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **fields: object) -> None:
        """Write what only a developer wants."""
        self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Write that something happened as it should."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write that something went wrong which the gateway copes with."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Write that a person must act."""
        self._write("error", event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Write an error with the traceback of the exception being handled."""
        self._write("error", event, {**fields, "traceback": _traceback()})

    def _write(self, level: Level, event: str, fields: Mapping[str, object]) -> None:
        if _RANK[level] < _Output.rank:
            return
        line: dict[str, Any] = {"at": _timestamp(), "level": level}
        line |= {"event": _text(event), "logger": self._name}
        for name, value in fields.items():
            line[name] = "***" if _SECRET_NAME.search(name) else _plain(value)
        _emit(line)


def configure(level: str = "info", json: bool = True, stream: TextIO | None = None) -> None:
    """Choose what is written and how; libraries' own logs join from level warning on.

    Args:
        level: debug, info, warning or error; anything else counts as info.
        json: one JSON object a line; False writes the same fields for a person to read.
        stream: stderr when None.
    """
    _Output.rank = _RANK.get(level.lower(), _RANK["info"])
    _Output.is_json = json
    _Output.stream = stream
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLines()]
    # Libraries log URLs and request options at info and debug, and those hold tokens.
    root.setLevel(logging.WARNING)


def get_logger(name: str) -> Logger:
    """Return the logger of a module; costs nothing until it writes."""
    return Logger(name)


def escape_controls(text: str) -> str:
    """Return text in which control, bidirectional and line-ending characters are visible."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class _LibraryLines(logging.Handler):
    """Turns what libraries log through `logging` into our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        if _RANK[level] < _Output.rank:
            return
        line: dict[str, Any] = {"at": _timestamp(), "level": level, "event": "library_logged"}
        line |= {"logger": record.name, "detail": _text(record.getMessage())}
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = _traceback(record.exc_info[1])
        _emit(line)


def _emit(line: dict[str, Any]) -> None:
    stream = _Output.stream or sys.stderr
    text = _encode(line).decode() if _Output.is_json else _for_people(line)
    # A log that cannot be written must not stop a message that can be delivered.
    with contextlib.suppress(OSError, ValueError):
        stream.write(text + "\n")
        stream.flush()


def _for_people(line: dict[str, Any]) -> str:
    fields = dict(line)
    head = f"{fields.pop('at')} {fields.pop('level'):<7} {fields.pop('event')}"
    trace = fields.pop("traceback", "")
    fields.pop("logger", None)
    shown = " ".join(
        f"{name}={value if isinstance(value, str) else _encode(value).decode()}"
        for name, value in fields.items()
    )
    return f"{head} {shown}".rstrip() + (f"\n{trace}" if trace else "")


def _timestamp() -> str:
    at = datetime.fromtimestamp(wall_ms() / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _traceback(error: BaseException | None = None) -> str:
    error = error or sys.exc_info()[1]
    if error is None:
        return ""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(escape_controls(line) for line in lines)[-MAX_TRACEBACK_CHARS:]


def _text(value: str) -> str:
    return escape_controls(value[:MAX_TEXT_CHARS])


def _plain(value: object, depth: int = 0) -> object:
    """Reduce a field to JSON's own kinds; other objects show their type only."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _plain_parts(value, depth + 1) if depth < MAX_DEPTH else "..."
    return _text(_words(value))


def _plain_parts(value: Mapping[object, object] | Collection[object], depth: int) -> object:
    if isinstance(value, Mapping):
        return {
            _text(str(name)): "***" if _SECRET_NAME.search(str(name)) else _plain(part, depth)
            for name, part in list(value.items())[:MAX_ITEMS]
        }
    return [_plain(part, depth) for part in list(value)[:MAX_ITEMS]]


def _words(value: object) -> str:
    if isinstance(value, str | os.PathLike):
        return str(value)
    if isinstance(value, BaseException):
        return repr(value)
    # The repr of a struct would show a message's text or a request's body.
    size = f" of {len(value)} bytes" if isinstance(value, bytes | bytearray) else ""
    return f"<{type(value).__name__}{size}>"
