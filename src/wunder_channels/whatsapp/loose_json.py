"""Read JSON whose shape nobody promised: a missing or odd field is empty, never an exception."""

import math
from collections.abc import Iterator

JsonObject = dict[str, object]

#: Unix seconds have at most this many digits until the year 33658.
_SECONDS_DIGITS = 12


def string(content: JsonObject, key: str) -> str:
    """Return a text or an integer as text, "" for anything else."""
    value = content.get(key)
    if type(value) is int:
        return str(value) if abs(value) < 10**30 else ""
    return value if isinstance(value, str) else ""


def nested(content: JsonObject, key: str) -> JsonObject:
    """Return a JSON object, {} for anything else."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def objects(content: JsonObject, key: str) -> Iterator[JsonObject]:
    """Return the JSON objects in a list, nothing for anything else."""
    value = content.get(key)
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


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


def at_ms(value: object, otherwise: int) -> int:
    """Return Unix milliseconds of WhatsApp's Unix seconds, which it writes as text."""
    text = str(value) if type(value) in (str, int) else ""
    if text.isascii() and text.isdecimal() and len(text) <= _SECONDS_DIGITS:
        return int(text) * 1000 or otherwise
    return otherwise
