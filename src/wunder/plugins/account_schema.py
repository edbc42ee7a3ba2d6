"""The JSON Schema of a channel's accounts: closed, bounded and linear before anybody uses it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import jsonschema_rs

from wunder.errors import FieldFault
from wunder.plugins.strict_json import pointer, read_document
from wunder.plugins.views import Finding
from wunder_wire.manifest import Manifest

SCHEMA_NAME = "schemas/account.schema.json"
#: Security rule 12.
MAX_SCHEMA_BYTES, MAX_SCHEMA_DEPTH, MAX_PATTERN_CHARACTERS = 262_144, 16, 256
#: What references may multiply a schema to: what the accounts room will check against (ADR 0041).
MAX_EXPANDED_NODES = 4_000
#: How deep it may become with references followed: validators recurse as deep.
MAX_EXPANDED_DEPTH = 64
#: The engine compiles a pattern to at most this many bytes (its own default is 10 MiB).
PATTERN_BYTES = 1_048_576
#: Each takes milliseconds to compile (choice).
MAX_PATTERNS = 200
MAX_META_FAULTS = 50

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLES = (
    "items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
)  # fmt: skip
_MOVING = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary")
_LINEAR = jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES, dfa_size_limit=PATTERN_BYTES)


@dataclass(frozen=True, slots=True)
class SchemaReading:
    """What came of reading an account schema; `schema` is None where there are faults."""

    schema: dict[str, Any] | None
    faults: tuple[FieldFault, ...] = ()
    findings: tuple[Finding, ...] = ()


def read_account_schema(raw: bytes) -> SchemaReading:
    """Read an account schema and hold it to security rule 12. Blocking: compiles patterns.

    References lead to other subschemas of the same document, and never back to where they are:
    an account form needs no recursion, and a validator caught in one takes the process with it.
    """
    value, faults = read_document(raw, max_bytes=MAX_SCHEMA_BYTES, max_depth=MAX_SCHEMA_DEPTH)
    if not isinstance(value, dict):
        faults = faults or [FieldFault("", "type", "must be an object")]
    if faults or not isinstance(value, dict):
        return SchemaReading(None, tuple(faults))
    nodes = dict(_subschemas(value, ""))
    faults = [*_dialect_faults(value), *_node_faults(nodes)]
    faults += _reference_faults(nodes) or _meta_faults(value)
    if faults:
        return SchemaReading(None, tuple(faults))
    return SchemaReading(value, (), tuple(_findings(nodes)))


def lookup_faults(manifest: Manifest, schema: dict[str, Any] | None) -> list[FieldFault]:
    """Hold `account_lookup` to security rule 7: a field that exists and is no secret."""
    if manifest.account_lookup is None:
        return []
    at = "/account_lookup/config"
    if schema is None:
        message = f"needs {SCHEMA_NAME}: without one every field counts as secret"
        return [FieldFault(at, "lookup_without_schema", message)]
    field = _property(schema, schema, manifest.account_lookup.config)
    if field is None:
        return [FieldFault(at, "lookup_unknown", "is no property of the account schema")]
    if _is_secret(schema, field):
        return [FieldFault(at, "lookup_is_secret", "is writeOnly: a lookup is never a secret")]
    return []


def _subschemas(schema: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema by its pointer; values of `enum`, `default` and `x-..` are none."""
    if not isinstance(schema, dict):
        return
    yield at, schema
    for place, inner in _below(schema):
        yield from _subschemas(inner, at + place)


def _below(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for word in _SINGLES:
        if word in schema:
            yield pointer("", word), schema[word]
    for word in _MAPS:
        members = schema.get(word)
        if isinstance(members, dict):
            for name, inner in members.items():
                yield pointer(pointer("", word), name), inner
    for word in _LISTS:
        members = schema.get(word)
        if isinstance(members, list):
            for position, inner in enumerate(members):
                yield pointer(pointer("", word), position), inner


def _dialect_faults(schema: dict[str, Any]) -> Iterator[FieldFault]:
    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        yield FieldFault("/$schema", "dialect", "must be JSON Schema 2020-12")
    if schema.get("type", "object") != "object":
        yield FieldFault("/type", "type", "an account's configuration is an object")


def _node_faults(nodes: dict[str, dict[str, Any]]) -> Iterator[FieldFault]:
    patterns = [found for at, node in nodes.items() for found in _patterns(node, at)]
    if len(patterns) > MAX_PATTERNS:
        yield FieldFault("", "too_many_patterns", f"at most {MAX_PATTERNS} patterns")
        return
    for place, pattern in patterns:
        yield from _pattern_faults(pattern, place)
    for at, node in nodes.items():
        for word in _MOVING:
            if word in node and (at or word != "$id"):
                message = "only $ref with #/.. may be used to refer"
                yield FieldFault(pointer(at, word), "reference_open", message)
        if at and "$schema" in node:
            yield FieldFault(pointer(at, "$schema"), "dialect", "stands at the top only")


def _patterns(node: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    """The regular expressions of a subschema, each with its place."""
    if isinstance(node.get("pattern"), str):
        yield pointer(at, "pattern"), node["pattern"]
    keyed = node.get("patternProperties")
    if isinstance(keyed, dict):
        inside = pointer(at, "patternProperties")
        yield from ((pointer(inside, pattern), pattern) for pattern in keyed)


def _pattern_faults(pattern: str, place: str) -> Iterator[FieldFault]:
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        message = f"at most {MAX_PATTERN_CHARACTERS} characters"
        yield FieldFault(place, "pattern_too_long", message)
    elif not _is_linear(pattern):
        message = "must be a regular expression without look-around and back references"
        yield FieldFault(place, "pattern_not_linear", message)


def _is_linear(pattern: str) -> bool:
    """True when the engine that cannot backtrack takes it, within its size limit."""
    try:
        validator = jsonschema_rs.Draft202012Validator(
            {"pattern": pattern}, pattern_options=_LINEAR, retriever=_retrieve_nothing
        )
        validator.is_valid("")
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


def _reference_faults(nodes: dict[str, dict[str, Any]]) -> list[FieldFault]:
    faults = []
    for at, node in nodes.items():
        if "$ref" not in node:
            continue
        target = node["$ref"]
        place = pointer(at, "$ref")
        # Percent signs: a validator decodes them, and would arrive somewhere else than we looked.
        if not isinstance(target, str) or not target.startswith("#/") or "%" in target:
            faults.append(FieldFault(place, "reference_open", "must begin with #/, without %"))
        elif target[1:] not in nodes:
            faults.append(FieldFault(place, "reference_unknown", "leads to no subschema"))
    if not faults and _expanded_size(nodes) > MAX_EXPANDED_NODES:
        message = "references make it too large, or lead in a circle"
        faults.append(FieldFault("", "reference_circle", message))
    return faults


def _expanded_size(nodes: dict[str, dict[str, Any]]) -> int:
    """How many subschemas there are with every reference followed; huge for a circle.

    Round by round, each subschema counts itself and what it leads to as counted the round before:
    a tree settles after its height, a circle grows until it is too large.
    """
    leads_to = {
        at: [at + place for place, _ in _below(node) if at + place in nodes]
        + ([node["$ref"][1:]] if "$ref" in node else [])
        for at, node in nodes.items()
    }
    sizes = dict.fromkeys(nodes, 1)
    for _ in range(MAX_EXPANDED_DEPTH):
        larger = {at: 1 + sum(sizes[to] for to in leads_to[at]) for at in nodes}
        if larger == sizes:
            return sizes[""]
        if max(larger.values()) > MAX_EXPANDED_NODES:
            break
        sizes = larger
    return MAX_EXPANDED_NODES + 1


def _meta_faults(schema: dict[str, Any]) -> list[FieldFault]:
    """Check against the schema of schemas; words come from the keyword, never from the value."""
    meta = jsonschema_rs.Draft202012Validator({"$ref": DIALECT}, retriever=_retrieve_nothing)
    faults = []
    for error in meta.iter_errors(schema):
        place = ""
        for step in error.instance_path:
            place = pointer(place, step)
        faults.append(FieldFault(place, "schema", f"is not JSON Schema ({error.kind.name})"))
        if len(faults) == MAX_META_FAULTS:
            break
    return faults


def _findings(nodes: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    for at, node in nodes.items():
        if node.get("format") == "password" and node.get("writeOnly") is not True:
            message = "looks like a secret and is none: only writeOnly makes one"
            yield Finding("password_not_write_only", message, f"/{SCHEMA_NAME}#{at}")


def _property(root: dict[str, Any], schema: Any, name: str) -> dict[str, Any] | None:
    """The subschema of a property, also where `$ref`, `allOf` and the like hold it."""
    for part in _parts(root, schema):
        members = part.get("properties")
        found = members.get(name) if isinstance(members, dict) else None
        if isinstance(found, dict):
            return found
    return None


def _is_secret(root: dict[str, Any], field: dict[str, Any]) -> bool:
    return any(part.get("writeOnly") is True for part in _parts(root, field))


def _parts(root: dict[str, Any], schema: Any) -> Iterator[dict[str, Any]]:
    """A subschema and those that apply to the same place; circles were refused before."""
    if not isinstance(schema, dict):
        return
    yield schema
    if "$ref" in schema:
        yield from _parts(root, _target(root, schema["$ref"]))
    for word in ("allOf", "anyOf", "oneOf"):
        for inner in schema.get(word, ()):
            yield from _parts(root, inner)
    for word in ("if", "then", "else"):
        yield from _parts(root, schema.get(word))


def _target(root: Any, reference: str) -> Any:
    found = root
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found


def _retrieve_nothing(uri: str) -> NoReturn:
    raise ValueError("account schemas refer to nothing outside themselves")
