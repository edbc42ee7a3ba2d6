"""Read JSON whose shape nobody promised: a missing or odd field is empty, never an exception."""

import json
from collections.abc import Iterator
from typing import NoReturn

from wunder_sdk import MalformedEvent

JsonObject = dict[str, object]

#: Unix seconds have at most this many digits until the year 33658.
_SECONDS_DIGITS = 12


def read_object(document: bytes) -> JsonObject:
    """Return a JSON object.

    Raises:
        MalformedEvent: Not UTF-8, not JSON, NaN, too deep, or no object.
    """
    try:
        found = json.loads(document.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise MalformedEvent("the content is not JSON") from None
    if not isinstance(found, dict):
        raise MalformedEvent("the content is not a JSON object")
    return found


def string(content: JsonObject, key: str) -> str:
    """Return a text or an integer as text, "" for anything else; half characters become "?"."""
    value = content.get(key)
    if type(value) is int:
        return str(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def nested(content: JsonObject, key: str) -> JsonObject:
    """Return a JSON object, {} for anything else."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def objects(content: JsonObject, key: str) -> Iterator[JsonObject]:
    """Return the JSON objects in a list, nothing for anything else."""
    value = content.get(key)
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def at_ms(seconds: str, otherwise: int) -> int:
    """Return Unix milliseconds of Unix seconds in a text."""
    if seconds.isascii() and seconds.isdecimal() and len(seconds) <= _SECONDS_DIGITS:
        return int(seconds) * 1000 or otherwise
    return otherwise


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
