"""JSON as this protocol takes it: finite numbers, whole characters, bounded depth."""

import binascii
import json
import re
from typing import Any, NoReturn

from wunder_wire.frame import MAX_JSON_DEPTH

#: A frame wraps free fields in a few levels of ours: `result.messages[n].meta` is four deep.
MAX_FRAME_DEPTH = MAX_JSON_DEPTH + 8

_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
_NOT_A_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\[\]{}"]++', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")


class DecodeError(ValueError):
    """A document does not fit; says where (a JSON pointer) and what was expected, no value."""

    def __init__(self, problem: str, pointer: str = "") -> None:
        super().__init__(problem, pointer)
        self.problem = problem
        self.pointer = pointer

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.problem}"

    def inside(self, step: str | int) -> "DecodeError":
        """Return this error as seen from one level further out."""
        escaped = str(step).replace("~", "~0").replace("/", "~1")
        return DecodeError(self.problem, f"/{escaped}{self.pointer}")


class EncodeError(ValueError):
    """A value cannot be said in JSON: NaN, a cycle, bytes, a foreign object."""


def _refuse_constant(word: str) -> NoReturn:
    raise DecodeError("NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise DecodeError("number out of range")
    return number


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse_json(
    data: bytes, *, max_depth: int = MAX_JSON_DEPTH, replace_surrogates: bool = False
) -> Any:
    """Return the value of one JSON document in UTF-8; of duplicate keys the last counts.

    Args:
        data: No byte order mark.
        max_depth: Arrays and objects inside each other.
        replace_surrogates: Half characters become U+FFFD instead of an error.

    Raises:
        DecodeError: Not JSON, not UTF-8, too deep, NaN, half a character. Never RecursionError.
    """
    require_depth(data, max_depth)
    try:
        text = data.decode("utf-8")
        value = _decoder.decode(text)
    except DecodeError:
        raise
    except UnicodeDecodeError as error:
        raise DecodeError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise DecodeError(f"not JSON at character {error.pos}") from None
    except ValueError:  # an integer of more than 4,300 digits
        raise DecodeError("number out of range") from None
    if _HALF_CHARACTER.search(text):
        return _without_half_characters(value, replace=replace_surrogates)
    return value


def dumps(value: Any) -> bytes:
    """Return `value` as compact JSON in UTF-8; half characters become U+FFFD.

    Raises:
        EncodeError: NaN, a cycle, too deep, or something JSON has no word for.
    """
    try:
        text = _encoder.encode(value)
    except RecursionError:
        raise EncodeError("too deep for JSON") from None
    except (ValueError, TypeError) as error:
        raise EncodeError(str(error)) from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _whole(text).encode()


def bytes_of(base64_text: str) -> bytes:
    """Return what `base64_text` stands for.

    Raises:
        DecodeError: Foreign characters, or wrong padding.
    """
    try:
        return binascii.a2b_base64(base64_text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise DecodeError("not base64") from None


def require_depth(data: bytes, max_depth: int) -> None:
    """Check that `data` nests at most `max_depth` deep, without recursion.

    Raises:
        DecodeError: Deeper, or its brackets do not match.
    """
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return
    brackets = _NOT_A_BRACKET.sub(b"", data).translate(_SQUARE)
    for _ in range(max_depth):
        peeled = brackets.replace(b"[]", b"")
        if len(peeled) == len(brackets):
            break
        brackets = peeled
    if b"[]" in brackets:
        raise DecodeError(f"nested deeper than {max_depth}")
    if brackets:
        raise DecodeError("not JSON: brackets do not match")


def depth_of(value: Any, limit: int) -> int:
    """Return how deep `value` nests, `limit` + 1 as soon as it exceeds `limit`."""
    depth, level = 0, [value]
    while level:
        nested: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                nested.append(item.values())
            elif isinstance(item, list | tuple):
                nested.append(item)
        if not nested:
            return depth
        depth += 1
        if depth > limit:
            return depth
        level = [item for children in nested for item in children]
    return depth


def _whole(text: str) -> str:
    """Join surrogate pairs, replace halves."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _without_half_characters(value: Any, *, replace: bool) -> Any:
    text = _encoder.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        if not replace:
            raise DecodeError("half a character (lone surrogate)") from None
        return _decoder.decode(_whole(text))
    return value
