"""What may not enter a table becomes what may: the one place that normalises strings and integers.

PostgreSQL refuses U+0000 and both engines refuse lone surrogates and integers beyond 64 bits; in a
group commit one such value would fail everybody's work.
"""

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

MAX_INT = 2**63 - 1
MIN_INT = -(2**63)
REPLACEMENT = "\ufffd"
MAX_JSON_DEPTH = 64

_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")
#: What a fast encoding may hide: an escaped NUL, or a number that may not fit 64 bits.
_SUSPICIOUS = re.compile(rb"\\u0000|\d{19}")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def clean_text(text: str) -> str:
    """Replace NUL and lone surrogates by U+FFFD; the same object where there are none."""
    if text.isascii() and "\x00" not in text:
        return text
    return _NUL_OR_SURROGATE.sub(REPLACEMENT, text)


def clean_int(number: int) -> int:
    """Clamp to a signed 64-bit integer."""
    return min(max(number, MIN_INT), MAX_INT)


def clean_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Clean every string and integer of a row; the same object where nothing had to change."""
    for value in row:
        kind = type(value)
        if kind is str:
            if value.isascii() and "\x00" not in value:
                continue
            if _NUL_OR_SURROGATE.search(value) is None:
                continue
            break
        if kind is int and not MIN_INT <= value <= MAX_INT:
            break
    else:
        return row
    return tuple(_clean_value(value) for value in row)


def to_json(value: Any) -> str:
    """Encode for a JSON column: no NUL, no lone surrogate, no integer beyond 64 bits, <= 64 deep.

    Raises: ValueError, TypeError when the value is no JSON at all.
    """
    try:
        encoded = _encode(value)
        if _SUSPICIOUS.search(encoded) is None:
            return encoded.decode()
    except (UnicodeEncodeError, OverflowError, RecursionError):
        pass
    return _encode(_clean_tree(msgspec.to_builtins(value), MAX_JSON_DEPTH)).decode()


def from_json(text: str) -> Any:
    """Decode a JSON column."""
    return _decode(text)


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return clean_int(value)
    return value


def _clean_tree(value: Any, depth: int) -> Any:
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean_tree(one, depth - 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_tree(one, depth - 1) for one in value]
    return _clean_value(value)
