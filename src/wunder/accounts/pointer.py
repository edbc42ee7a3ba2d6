"""JSON pointers and the size of documents (RFC 6901)."""

from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str | int, ...]


def pointer(path: Iterable[str | int]) -> str:
    """Return the JSON pointer of a path, "" for the whole document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def steps(text: str) -> tuple[str, ...]:
    """Return the steps of a JSON pointer, still as strings."""
    parts = text.split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def depth_within(value: Any, limit: int) -> bool:
    """Say whether a document nests at most `limit` deep; a flat object is 1 deep."""
    if limit < 0:
        return False
    if isinstance(value, dict):
        return all(depth_within(part, limit - 1) for part in value.values())
    if isinstance(value, list):
        return all(depth_within(part, limit - 1) for part in value)
    return True


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what is no object or array, with its path; an empty one yields itself."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from leaves(part, (*path, place))
    else:
        yield path, value
