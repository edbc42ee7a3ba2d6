"""What an account schema may be: bounded, self-contained, not recursive (security rule 12; pure).

Recursion and wide reuse of definitions are refused because checking such a schema can take time
exponential in its size, and a library that holds the interpreter lock cannot be stopped.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from wunder.accounts.pointer import depth_within, pointer, steps
from wunder.errors import FieldFault

MAX_SCHEMA_BYTES = 262_144
MAX_SCHEMA_DEPTH = 16
MAX_PATTERN_CHARS = 256
#: Subschemas after every reference is replaced by what it names. Choice: the largest built-in has 40.
MAX_EXPANDED = 4_000
#: How far references may lead, with the nesting on the way. Choice: four times the depth of a schema, far
#: from Python's own limit.
MAX_REFERENCES = 64
DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: Keywords whose value is one subschema, a list of them, or an object of them.
ONE_SCHEMA = frozenset(
    {"additionalProperties", "unevaluatedProperties", "propertyNames", "items", "contains"}
    | {"unevaluatedItems", "if", "then", "else", "not"}
)
SCHEMA_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SCHEMA_MAP = frozenset({"properties", "patternProperties", "dependentSchemas"})
DEFINITIONS = frozenset({"$defs", "definitions"})

#: They change what `#/..` refers to, or name a vocabulary that would have to be fetched.
_REFUSED = frozenset({"$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"})
_REFERENCE = re.compile(r"#(?:/.*)?")


def schema_faults(schema: Any) -> list[FieldFault]:
    """Return what is wrong with an account schema; an empty list makes it usable."""
    if not isinstance(schema, dict):
        return [FieldFault("", "type", "An account schema is a JSON object.")]
    # Depth first: everything after it walks the document.
    if not depth_within(schema, MAX_SCHEMA_DEPTH):
        return [FieldFault("", "too_deep", f"It nests more than {MAX_SCHEMA_DEPTH} deep.")]
    if len(msgspec.json.encode(schema)) > MAX_SCHEMA_BYTES:
        return [FieldFault("", "too_large", f"It has more than {MAX_SCHEMA_BYTES} bytes.")]
    faults = [fault for path, node in _nodes(schema, ()) for fault in _node_faults(node, path)]
    if schema.get("$schema", DIALECT).rstrip("#") != DIALECT:
        faults.append(FieldFault("/$schema", "dialect", f"The dialect is {DIALECT}."))
    if not faults:
        faults += _expansion_faults(schema)
    return faults


def resolve(root: dict[str, Any], reference: str) -> Any:
    """Return what a `#/..` reference names, None where there is nothing."""
    found: Any = root
    for step in steps(reference[1:]):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def _subschemas(node: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    for keyword, value in node.items():
        if keyword in ONE_SCHEMA:
            yield (keyword,), value
        elif keyword in SCHEMA_LIST and isinstance(value, list):
            yield from (((keyword, place), part) for place, part in enumerate(value))
        elif keyword in SCHEMA_MAP | DEFINITIONS and isinstance(value, dict):
            yield from (((keyword, name), part) for name, part in value.items())


def _nodes(
    node: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    if not isinstance(node, dict):
        return
    yield path, node
    for step, part in _subschemas(node):
        yield from _nodes(part, (*path, *step))


def _node_faults(node: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[FieldFault]:
    for keyword in sorted(_REFUSED & node.keys()):
        yield FieldFault(pointer((*path, keyword)), "refused", "This keyword is not allowed here.")
    if path and "$id" in node:
        yield FieldFault(pointer((*path, "$id")), "refused", "Only the root may have an $id.")
    for keyword, value in node.items():
        if not _has_shape(keyword, value):
            yield FieldFault(pointer((*path, keyword)), "type", "This is no schema, list or map.")
    reference = node.get("$ref", "#")
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        yield FieldFault(pointer((*path, "$ref")), "reference", "References begin with #/.")
    patterns = [node.get("pattern", "")]
    if isinstance(node.get("patternProperties"), dict):
        patterns += node["patternProperties"]
    if any(not isinstance(one, str) or len(one) > MAX_PATTERN_CHARS for one in patterns):
        words = f"Patterns are strings of at most {MAX_PATTERN_CHARS} characters."
        yield FieldFault(pointer((*path, "pattern")), "pattern", words)


def _has_shape(keyword: str, value: Any) -> bool:
    """Say whether what stands for subschemas is of the kind that its keyword takes."""
    if keyword in ONE_SCHEMA:
        return isinstance(value, dict | bool)
    if keyword in SCHEMA_LIST:
        return isinstance(value, list) and all(isinstance(one, dict | bool) for one in value)
    if keyword in SCHEMA_MAP | DEFINITIONS:
        return isinstance(value, dict) and all(
            isinstance(one, dict | bool) for one in value.values()
        )
    return True


def _expansion_faults(root: dict[str, Any]) -> list[FieldFault]:
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    problem: list[FieldFault] = []

    def size(node: Any) -> int:
        if not isinstance(node, dict) or problem:
            return 1
        if id(node) in sizes:
            return sizes[id(node)]
        if len(open_nodes) > MAX_REFERENCES:
            problem.append(FieldFault("", "too_deep", "References follow one another too far."))
            return 1
        if id(node) in open_nodes:
            problem.append(
                FieldFault("", "recursive", "References may not lead back to themselves.")
            )
            return 1
        open_nodes.add(id(node))
        total = 1 + sum(
            size(part) for step, part in _subschemas(node) if step[0] not in DEFINITIONS
        )
        if "$ref" in node:
            target = resolve(root, node["$ref"])
            if not isinstance(target, dict | bool):
                problem.append(FieldFault("", "reference", "A reference names no schema."))
            total += size(target)
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        return total

    if size(root) > MAX_EXPANDED and not problem:
        words = f"With references replaced it has more than {MAX_EXPANDED} parts."
        problem.append(FieldFault("", "too_large", words))
    return problem
