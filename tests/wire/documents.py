"""Random documents for a shape: mostly right, sometimes wrong somewhere."""

import dataclasses
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from wunder_wire.shapes import is_required

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
INTEGERS = st.integers(-(2**53), 2**53)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | INTEGERS | NUMBERS | TEXT
FREE = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def documents(shape: Any, wrong: float = 0.03) -> st.SearchStrategy[Any]:
    """Documents of a shape; each node is replaced by anything with chance `wrong`."""
    right = _right(shape, wrong)
    if not wrong:
        return right
    return st.integers(0, round(1 / wrong)).flatmap(lambda dice: right if dice else FREE)


def _right(shape: Any, wrong: float) -> st.SearchStrategy[Any]:
    scalars = {
        str: TEXT,
        int: INTEGERS,
        float: NUMBERS | INTEGERS,
        bool: st.booleans(),
        Any: FREE,
        type(None): st.none(),
    }
    if shape in scalars:
        return scalars[shape]
    if dataclasses.is_dataclass(shape):
        return _objects(shape, wrong)
    origin, arguments = get_origin(shape), get_args(shape)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (types.UnionType, Union):
        return st.one_of([documents(member, wrong) for member in arguments])
    if origin is dict:
        return st.dictionaries(TEXT, documents(arguments[1], wrong), max_size=3)
    if arguments[-1] is Ellipsis:
        return st.lists(documents(arguments[0], wrong), max_size=3)
    return st.tuples(*(documents(argument, wrong) for argument in arguments)).map(list)


def _objects(shape: Any, wrong: float) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(shape)
    fields = dataclasses.fields(shape)
    required = {f.name: documents(hints[f.name], wrong) for f in fields if is_required(f)}
    optional = {f.name: documents(hints[f.name], wrong) for f in fields if not is_required(f)}
    whole = st.fixed_dictionaries(required, optional=optional)
    if not wrong:
        return whole
    names = st.sampled_from([field.name for field in fields] or ["none"])
    return st.tuples(whole, names, st.integers(0, 20), FREE).map(_spoil)


def _spoil(drawn: tuple[dict[str, Any], str, int, Any]) -> dict[str, Any]:
    document, name, dice, free = drawn
    if dice == 1:
        document.pop(name, None)
    if dice == 2:
        document["unknown field"] = free
    return document
