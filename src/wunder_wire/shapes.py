"""From plain JSON values to frozen dataclasses and back, by their type annotations alone."""

import dataclasses
import math
import types
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from wunder_wire.frame import MAX_JSON_DEPTH
from wunder_wire.json_text import DecodeError, depth_of

T = TypeVar("T")
Decode = Callable[[Any], Any]
Encode = Callable[[Any], Any]

_JSON_NAME = {
    dict: "object", list: "array", tuple: "array", str: "string",
    int: "integer", float: "number", bool: "boolean", type(None): "null",
}  # fmt: skip


#: Encoders of the dataclasses met so far.
_ENCODERS: dict[Any, Encode] = {}


def from_json(shape: type[T], value: Any) -> T:
    """Return `value` (dicts, lists, strings, numbers) as an instance of `shape`.

    Unknown fields are ignored, types are strict: no string becomes a number. `1.0` is an
    integer, as in JSON Schema; `true` is not.

    Raises:
        DecodeError: It does not fit; names a JSON pointer, never the value.
    """
    result: T = decoder_of(shape)(value)
    return result


def to_json(value: Any) -> Any:
    """Return plain JSON values; absent optional fields (None, empty) are left out."""
    shape: Any = type(value)
    encoder = _ENCODERS.get(shape)
    if encoder is None:
        if not dataclasses.is_dataclass(shape):
            return value
        encoder = _ENCODERS[shape] = _object_encoder(shape)
    return encoder(value)


def decoder_of(shape: Any) -> Decode:
    """Return the function that makes an instance of `shape`."""
    known = _DECODERS.get(shape)
    if known is None:
        known = _DECODERS[shape] = _new_decoder(shape)
    return known


def _new_decoder(shape: Any) -> Decode:
    if dataclasses.is_dataclass(shape):
        return _Late(shape)
    origin, arguments = get_origin(shape), get_args(shape)
    if origin is Literal:
        return _literal(arguments)
    if origin is types.UnionType or origin is Union:
        return _union(arguments)
    if origin is dict:
        return _mapping(decoder_of(arguments[1]))
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return _fixed(tuple(decoder_of(argument) for argument in arguments))
    if origin in (tuple, list):
        return _sequence(decoder_of(arguments[0]), origin)
    raise TypeError(f"no JSON form for {shape!r}; use str, int, float, bool, list, dict, dataclass")


def _expected(what: str, value: Any) -> DecodeError:
    return DecodeError(f"expected {what}, got {_JSON_NAME.get(type(value), 'something else')}")


def _string(value: Any) -> str:
    if type(value) is not str:
        raise _expected("string", value)
    return value


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise _expected("integer", value)


def _number(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise DecodeError("number out of range") from None
    raise _expected("number", value)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _expected("boolean", value)
    return value


def _nothing(value: Any) -> None:
    if value is not None:
        raise _expected("null", value)


def _free(value: Any) -> Any:
    if isinstance(value, dict | list) and depth_of(value, MAX_JSON_DEPTH) > MAX_JSON_DEPTH:
        raise DecodeError(f"nested deeper than {MAX_JSON_DEPTH}")
    return value


def _free_object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise _expected("object", value)
    result: dict[str, Any] = _free(value)
    return result


def _free_array(value: Any) -> list[Any]:
    if type(value) is not list and type(value) is not tuple:
        raise _expected("array", value)
    result: list[Any] = _free(value)
    return result


#: Decoders by shape; these, and every shape met since.
_DECODERS: dict[Any, Decode] = {
    str: _string, int: _integer, float: _number, bool: _boolean, type(None): _nothing,
    Any: _free, object: _free, dict: _free_object, list: _free_array, dict[str, Any]: _free_object,
}  # fmt: skip


def _literal(choices: tuple[Any, ...]) -> Decode:
    words = ", ".join(repr(choice) for choice in choices)

    def decode(value: Any) -> Any:
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return choice
        raise DecodeError(f"expected one of {words}")

    return decode


def _union(members: tuple[Any, ...]) -> Decode:
    optional = type(None) in members
    decoders = [decoder_of(member) for member in members if member is not type(None)]

    def decode(value: Any) -> Any:
        if value is None and optional:
            return None
        if len(decoders) == 1:
            return decoders[0](value)
        problems: list[DecodeError] = []
        for attempt in decoders:
            try:
                return attempt(value)
            except DecodeError as error:
                problems.append(error)
        raise problems[0]

    return decode


def _mapping(decode_value: Decode) -> Decode:
    def decode(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _expected("object", value)
        result: dict[str, Any] = {}
        for key, item in value.items():
            try:
                result[key] = decode_value(item)
            except DecodeError as error:
                raise error.inside(key) from None
        return result

    return decode


def _sequence(decode_item: Decode, make: Callable[[list[Any]], Any]) -> Decode:
    def decode(value: Any) -> Any:
        if type(value) is not list and type(value) is not tuple:
            raise _expected("array", value)
        items: list[Any] = []
        for index, item in enumerate(value):
            try:
                items.append(decode_item(item))
            except DecodeError as error:
                raise error.inside(index) from None
        return make(items)

    return decode


def _fixed(decoders: tuple[Decode, ...]) -> Decode:
    def decode(value: Any) -> tuple[Any, ...]:
        if type(value) is not list and type(value) is not tuple:
            raise _expected("array", value)
        if len(value) != len(decoders):
            raise DecodeError(f"expected {len(decoders)} items")
        items: list[Any] = []
        for index, (decode_item, item) in enumerate(zip(decoders, value, strict=True)):
            try:
                items.append(decode_item(item))
            except DecodeError as error:
                raise error.inside(index) from None
        return tuple(items)

    return decode


class _Late:
    """A dataclass' decoder, built at its first use: a process pays for the shapes it meets."""

    __slots__ = ("_decode", "_shape")

    def __init__(self, shape: Any) -> None:
        self._shape = shape
        self._decode: Decode | None = None

    def __call__(self, value: Any) -> Any:
        if self._decode is None:
            self._decode = _object(self._shape)
        return self._decode(value)


def is_required(field: "dataclasses.Field[Any]") -> bool:
    """Say whether a document must hold this field."""
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _object(shape: Any) -> Decode:
    hints = get_type_hints(shape)
    fields = [
        (field.name, decoder_of(hints[field.name]), is_required(field))
        for field in dataclasses.fields(shape)
        if field.init
    ]

    def decode(value: Any) -> Any:
        if type(value) is not dict:
            raise _expected("object", value)
        arguments: dict[str, Any] = {}
        for name, decode_field, required in fields:
            if name in value:
                try:
                    arguments[name] = decode_field(value[name])
                except DecodeError as error:
                    raise error.inside(name) from None
            elif required:
                raise DecodeError("required field is missing", f"/{name}")
        return shape(**arguments)

    return decode


def _object_encoder(shape: Any) -> Encode:
    """Return a function written out for `shape`: a loop over its fields takes twice as long."""
    hints = get_type_hints(shape)
    scope: dict[str, Any] = {}
    body = ["def encode(value):", " document = {}"]
    for field in dataclasses.fields(shape):
        name, omits = field.name, _omits_empty(field)
        scope[f"encode_{name}"] = _encoder_of(hints[name])
        said = f"encode_{name}(item)" if scope[f"encode_{name}"] is not None else "item"
        if said != "item" and omits is None:
            said += " if item is not None else None"
        condition = {_NONE: " if item is not None:", _EMPTY: " if item:", None: ""}[omits]
        body += [f" item = value.{name}", f"{condition} document[{name!r}] = {said}"]
    body.append(" return document")
    exec("\n".join(body), scope)  # noqa: S102 - as dataclasses does it, from our own field names
    encode: Encode = scope["encode"]
    return encode


_NONE = object()
_EMPTY = object()


def _omits_empty(field: "dataclasses.Field[Any]") -> object | None:
    """Which value stands for "absent": None, an empty container, or none at all."""
    if field.default is None:
        return _NONE
    if field.default == () or field.default_factory in (dict, list, tuple):
        return _EMPTY
    return None


def _encoder_of(shape: Any) -> Encode | None:
    """Return how to encode a field, None where the value is JSON already."""
    if dataclasses.is_dataclass(shape):
        return to_json
    origin, arguments = get_origin(shape), get_args(shape)
    if origin is types.UnionType or origin is Union:
        inner = [encoder for member in arguments if (encoder := _encoder_of(member)) is not None]
        return inner[0] if inner else None
    if origin in (tuple, list):
        item = _encoder_of(arguments[0])
        if item is None:
            return None
        encode_item = item
        return lambda values: [encode_item(value) for value in values]
    return None
