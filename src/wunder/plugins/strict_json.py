"""JSON documents of a package: UTF-8, bounded, and without doubled keys, each named by its place."""

import json
from collections import Counter
from typing import Any

from wunder.errors import FieldFault
from wunder_wire.json_text import DecodeError, parse_json


class _Doubled(dict[str, Any]):
    """An object in which keys stood twice."""

    twice: tuple[str, ...] = ()


def read_document(data: bytes, *, max_bytes: int, max_depth: int) -> tuple[Any, list[FieldFault]]:
    """Return a document's value and its faults; the value is None where there is no reading it.

    Args:
        data: UTF-8 without a byte order mark.
        max_bytes: Its size at most.
        max_depth: Arrays and objects inside each other.
    """
    if len(data) > max_bytes:
        return None, [FieldFault("", "too_large", f"larger than {max_bytes} bytes")]
    try:
        parse_json(data, max_depth=max_depth)
    except DecodeError as error:
        return None, [FieldFault(error.pointer, "not_json", error.problem)]
    value = json.loads(data.decode(), object_pairs_hook=_object)
    faults: list[FieldFault] = []
    _find_doubled(value, "", faults)
    return value, faults


def pointer(parent: str, step: str | int) -> str:
    """Return the JSON pointer of a member or item of what `parent` points to."""
    return f"{parent}/{str(step).replace('~', '~0').replace('/', '~1')}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    doubled = _Doubled(plain)
    doubled.twice = tuple(
        key for key, count in Counter(key for key, _ in pairs).items() if count > 1
    )
    return doubled


def _find_doubled(value: Any, at: str, faults: list[FieldFault]) -> None:
    if isinstance(value, _Doubled):
        faults += [
            FieldFault(pointer(at, key), "duplicate_key", "this key stands twice")
            for key in value.twice
        ]
    if isinstance(value, dict):
        for key, item in value.items():
            _find_doubled(item, pointer(at, key), faults)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _find_doubled(item, pointer(at, position), faults)
