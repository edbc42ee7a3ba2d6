"""Read JSON whose shape nobody promised: a missing or odd field is empty, never an exception."""

import math
import re
from collections.abc import Iterator
from typing import Any

from wunder_sdk.errors import MalformedEvent
from wunder_wire import codec

JsonObject = dict[str, object]

#: No platform's id has more digits; Python refuses to write integers of more than 4,300.
_INTEGER_MAX = 10**30
#: Unix seconds have at most 12 digits until the year 33658.
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?\Z")


def parse(document: bytes | str) -> Any:
    """Return what a JSON document says; half characters in it become U+FFFD.

    Raises:
        MalformedEvent: Not JSON, not UTF-8, NaN, or deeper than 64.
    """
    given = document.encode("utf-8", "replace") if isinstance(document, str) else document
    try:
        return codec.parse_json(given, replace_surrogates=True)
    except codec.DecodeError as error:
        raise MalformedEvent(f"not JSON where JSON was promised: {error}") from None


def read_object(document: bytes | str) -> JsonObject:
    """Return a JSON object.

    Raises:
        MalformedEvent: As `parse`, or no object.
    """
    found = parse(document)
    if not isinstance(found, dict):
        raise MalformedEvent("no JSON object where one was promised")
    return found


def object_in(text: str) -> JsonObject:
    """Return the JSON object that a text holds, {} for anything else."""
    try:
        return read_object(text)
    except MalformedEvent:
        return {}


def string(content: JsonObject, key: str) -> str:
    """Return a text or an integer as text, "" for anything else."""
    value = content.get(key)
    if type(value) is int:
        return str(value) if abs(value) < _INTEGER_MAX else ""
    return value if isinstance(value, str) else ""


def nested(content: JsonObject, key: str) -> JsonObject:
    """Return a JSON object, {} for anything else."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def objects(content: JsonObject, key: str) -> Iterator[JsonObject]:
    """Return the JSON objects in a list, nothing for anything else."""
    value = content.get(key)
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def strings(content: JsonObject, key: str) -> Iterator[str]:
    """Return the texts in a list that are not empty, nothing for anything else."""
    value = content.get(key)
    found = value if isinstance(value, list) else ()
    return (one for one in found if isinstance(one, str) and one)


def number(content: JsonObject, key: str) -> float | None:
    """Return a finite number, also one written as text, None for anything else."""
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def seconds_to_ms(value: object, otherwise: int) -> int:
    """Return Unix milliseconds of Unix seconds, written as integer or text, with a fraction or not.

    Args:
        value: What stood in the field.
        otherwise: For anything else, 0 included.
    """
    text = str(value) if type(value) is int and 0 <= value < _INTEGER_MAX else value
    found = _SECONDS.match(text) if isinstance(text, str) else None
    if found is None:
        return otherwise
    return int(found[1]) * 1000 + int(((found[2] or "") + "000")[:3]) or otherwise
