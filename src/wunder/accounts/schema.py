"""What a schema says about each place of a document: secret, destination, default (pure).

A place is secret when any subschema that may apply to it says `writeOnly: true`, in whatever branch:
showing a secret once is worse than masking a value that is none. No schema: everything is secret.
"""

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any

from wunder.accounts.pointer import Path
from wunder.accounts.schema_rules import resolve, schema_faults

Nodes = list[dict[str, Any]]

#: Formats whose values say where something is sent (security rule 6).
DESTINATION_FORMATS = frozenset(
    {"uri", "uri-reference", "iri", "iri-reference", "hostname", "idn-hostname", "ipv4", "ipv6"}
)
_LOOKS_LIKE_URL = re.compile(r"\s*[a-zA-Z][a-zA-Z0-9+.-]*://")
_ALWAYS = ("allOf",)
_MAYBE = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")


class SchemaView:
    """Answers questions about places of documents; under an unusable schema all of it is secret."""

    def __init__(self, schema: dict[str, Any] | None) -> None:
        is_usable = schema is not None and not schema_faults(schema)
        self._root: dict[str, Any] = (
            schema if schema and is_usable else {"writeOnly": not is_usable}
        )

    def at_root(self) -> Nodes:
        """Return the subschemas that may apply to the whole document."""
        return self._closed([self._root], only_certain=False)

    def below(self, nodes: Nodes, step: str | int) -> Nodes:
        """Return the subschemas that may apply one step below."""
        found = [part for node in nodes for part in _children(node, step)]
        return self._closed(found, only_certain=False)

    def with_defaults(self, document: Any) -> Any:
        """Return a copy in which absent fields have the schema's default; never a secret one."""
        return self._filled(self._closed([self._root], only_certain=True), document)

    def destinations(self, document: Any) -> dict[Path, Any]:
        """Return the places that decide where secrets go, with their values."""
        return dict(self._find_destinations(self.at_root(), document, ()))

    def _closed(self, nodes: Iterable[Any], *, only_certain: bool) -> Nodes:
        """Add what applies to the same place: references, allOf and, unless `only_certain`, branches."""
        found: Nodes = []
        waiting = [node for node in nodes if isinstance(node, dict)]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            found.append(node)
            parts = [resolve(self._root, node["$ref"])] if "$ref" in node else []
            for keyword in _ALWAYS if only_certain else _MAYBE:
                parts += node.get(keyword, [])
            if not only_certain:
                parts += [node[keyword] for keyword in _BRANCHES if keyword in node]
                parts += node.get("dependentSchemas", {}).values()
            waiting += [part for part in parts if isinstance(part, dict)]
        return found

    def _filled(self, nodes: Nodes, value: Any) -> Any:
        if isinstance(value, list):
            return [
                self._filled(self._certain_below(nodes, place), part)
                for place, part in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        filled = {
            name: self._filled(self._certain_below(nodes, name), part)
            for name, part in value.items()
        }
        for node in nodes:
            for name in node.get("properties", {}):
                below = self._certain_below(nodes, name)
                given = next((part["default"] for part in below if "default" in part), None)
                if name not in filled and given is not None and not is_secret(below):
                    filled[name] = copy.deepcopy(given)
        return filled

    def _certain_below(self, nodes: Nodes, step: str | int) -> Nodes:
        found = [part for node in nodes for part in _children(node, step)]
        return self._closed(found, only_certain=True)

    def _find_destinations(
        self, nodes: Nodes, value: Any, path: Path
    ) -> Iterator[tuple[Path, Any]]:
        if any(_is_destination(node) for node in nodes) or (
            isinstance(value, str) and _LOOKS_LIKE_URL.match(value)
        ):
            yield path, value
        elif isinstance(value, dict):
            for name, part in value.items():
                yield from self._find_destinations(self.below(nodes, name), part, (*path, name))
        elif isinstance(value, list):
            for place, part in enumerate(value):
                yield from self._find_destinations(self.below(nodes, place), part, (*path, place))


def is_secret(nodes: Nodes) -> bool:
    """Say whether a place with these subschemas holds a secret."""
    return any(node.get("writeOnly") is True for node in nodes)


def _is_destination(node: dict[str, Any]) -> bool:
    return node.get("x-wunder-destination") is True or node.get("format") in DESTINATION_FORMATS


def _children(node: dict[str, Any], step: str | int) -> Iterator[Any]:
    """Yield what a subschema says about one step below, whatever patterns would match."""
    if isinstance(step, int):
        prefix = node.get("prefixItems", [])
        if step < len(prefix):
            yield prefix[step]
        yield from (
            node[word] for word in ("items", "contains", "unevaluatedItems") if word in node
        )
        return
    if step in node.get("properties", {}):
        yield node["properties"][step]
        return
    yield from node.get("patternProperties", {}).values()
    yield from (
        node[word] for word in ("additionalProperties", "unevaluatedProperties") if word in node
    )
