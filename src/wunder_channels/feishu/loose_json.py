"""Read JSON whose shape nobody promised: a missing or odd field is empty, never an exception."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from wunder_sdk import MalformedEvent

JsonObject = dict[str, object]

#: Unix milliseconds have at most this many digits for the next 30,000 years.
_MS_DIGITS = 15
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?\Z")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def parse(text: str) -> Any:
    """Return what a JSON text says.

    Raises:
        MalformedEvent: Not JSON, NaN, or too deep.
    """
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise MalformedEvent("not JSON where JSON was promised") from None


def object_in(text: str) -> JsonObject:
    """Return the JSON object that a text holds, {} for anything else."""
    try:
        found = parse(text)
    except MalformedEvent:
        return {}
    return found if isinstance(found, dict) else {}


def string(content: JsonObject, key: str) -> str:
    """Return a text or an integer as text, "" for anything else; half characters become "?"."""
    value = content.get(key)
    if type(value) is int:
        return str(value) if abs(value) < 10**18 else ""
    return whole(value) if isinstance(value, str) else ""


def whole(text: str) -> str:
    """Return `text` with halves of surrogate pairs replaced: no UTF-8 can say them."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def nested(content: JsonObject, key: str) -> JsonObject:
    """Return a JSON object, {} for anything else."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def objects(content: JsonObject, key: str) -> Iterator[JsonObject]:
    """Return the JSON objects in a list, nothing for anything else."""
    value = content.get(key)
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def strings(content: JsonObject, key: str) -> Iterator[str]:
    """Return the texts in a list, nothing for anything else."""
    value = content.get(key)
    return (
        (whole(one) for one in value if isinstance(one, str) and one)
        if isinstance(value, list)
        else iter(())
    )


def number(content: JsonObject, key: str) -> float | None:
    """Return a number, also one written as text, None for anything else."""
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def at_ms(value: object, otherwise: int) -> int:
    """Return Unix milliseconds: v2 events write them as text, some in microseconds."""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not text.isascii() or not text.isdecimal():
        return otherwise
    if len(text) > _MS_DIGITS:
        text = text[:13]
    return int(text) or otherwise


def seconds_to_ms(value: object, otherwise: int) -> int:
    """Return Unix milliseconds of `"sec.frac"`, as v1 events write their `ts`."""
    found = _SECONDS.match(value) if isinstance(value, str) else None
    if found is None:
        return otherwise
    return int(found[1]) * 1000 + int(((found[2] or "") + "000")[:3])
