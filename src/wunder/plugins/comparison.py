"""How a package differs from the version that serves: which way it goes, and what of the form changes (pure)."""

from collections.abc import Iterator, Mapping
from typing import Any

from wunder.plugins.views import FieldChange, Step
from wunder_wire.ids import version_key

#: Enough for a reviewer; a schema has at most a few hundred fields.
MAX_CHANGES = 200


def step_from(current: str, version: str) -> Step:
    """Say which way a version goes from the one that serves, "" where none does."""
    if not current:
        return "first"
    was, now = version_key(current), version_key(version)
    if was == now:
        return "same" if current == version else "upgrade"
    return "upgrade" if now > was else "downgrade"


def field_changes(
    was: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> tuple[FieldChange, ...]:
    """Say what accounts are asked for now and were not before, and the other way round."""
    before, after = dict(_fields(was or {}, "")), dict(_fields(now or {}, ""))
    found = []
    for pointer in sorted(before.keys() | after.keys()):
        if pointer not in before:
            needed = after[pointer][0]
            found.append(FieldChange(pointer, "added", is_required=needed))
        elif pointer not in after:
            found.append(FieldChange(pointer, "removed"))
        elif before[pointer] != after[pointer]:
            newly = after[pointer][0] and not before[pointer][0]
            found.append(FieldChange(pointer, "changed", is_required=newly))
    return tuple(found[:MAX_CHANGES])


def _fields(schema: Mapping[str, Any], at: str) -> Iterator[tuple[str, tuple[bool, Any]]]:
    """Yield pointer -> (required, what it takes) of every field; titles and texts are not what it takes."""
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    for name, field in properties.items() if isinstance(properties, Mapping) else ():
        here = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if not isinstance(field, Mapping):
            continue
        takes = {key: value for key, value in field.items() if key not in _WORDS}
        yield here, (name in required, takes)
        yield from _fields(field, here)


_WORDS = frozenset(
    {
        "title",
        "description",
        "examples",
        "x-i18n",
        "x-order",
        "x-advanced",
        "properties",
        "$comment",
    }
)
