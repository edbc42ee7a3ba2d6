import json
from typing import Any

import pytest

from wunder.plugins.account_schema import lookup_faults, read_account_schema
from wunder_wire.manifest import AccountLookupRule, Manifest


def faults(schema: Any) -> dict[str, str]:
    reading = read_account_schema(json.dumps(schema).encode())
    assert (reading.schema is None) == bool(reading.faults)
    return {fault.pointer: fault.code for fault in reading.faults}


GOOD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/account.schema.json",
    "type": "object",
    "required": ["app_id"],
    "properties": {
        "app_id": {
            "type": "string",
            "pattern": "^[0-9]{5,20}$",
            "x-i18n": {"zh-CN": {"title": "应用"}},
        },
        "secret": {"$ref": "#/$defs/secret"},
        "pattern": {"type": "string"},
        "$id": {"type": "string"},
        "choice": {"enum": ["$ref", {"$ref": "http://evil"}], "default": {"pattern": "((("}},
    },
    "$defs": {"secret": {"type": "string", "writeOnly": True}},
}


def test_a_plain_schema_is_taken_with_names_that_look_like_keywords() -> None:
    assert faults(GOOD) == {}


@pytest.mark.parametrize(
    ("node", "pointer", "code"),
    [
        ({"$ref": "http://evil.example/s.json"}, "/$ref", "reference_open"),
        ({"$ref": "file:///etc/passwd"}, "/$ref", "reference_open"),
        ({"$ref": "other.json#/a"}, "/$ref", "reference_open"),
        ({"$ref": "#"}, "/$ref", "reference_open"),
        ({"$ref": 5}, "/$ref", "reference_open"),
        ({"$ref": "#/nowhere"}, "/$ref", "reference_unknown"),
        ({"$ref": "#/properties/a/default"}, "/$ref", "reference_unknown"),
        ({"$id": "http://evil.example/"}, "/$id", "reference_open"),
        ({"$dynamicRef": "#x"}, "/$dynamicRef", "reference_open"),
        ({"$anchor": "x"}, "/$anchor", "reference_open"),
        ({"pattern": "a" * 257}, "/pattern", "pattern_too_long"),
        ({"pattern": "(?=a)b"}, "/pattern", "pattern_not_linear"),
        ({"pattern": "(a)\\1"}, "/pattern", "pattern_not_linear"),
        ({"pattern": "\\d{1000}{1000}"}, "/pattern", "pattern_not_linear"),
        ({"pattern": "("}, "/pattern", "pattern_not_linear"),
        ({"patternProperties": {"(?!x)": {}}}, "/patternProperties/(?!x)", "pattern_not_linear"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "dialect"),
        ({"writeOnly": "yes"}, "/writeOnly", "schema"),
        ({"minLength": -1}, "/minLength", "schema"),
        ({"type": "strin"}, "/type", "schema"),
    ],
)
def test_open_costly_and_wrong_subschemas_are_refused(node: Any, pointer: str, code: str) -> None:
    found = faults({"type": "object", "properties": {"a": node}})
    assert found[f"/properties/a{pointer}"] == code


def test_references_in_a_circle_are_refused() -> None:
    for schema in (
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"x": {"$ref": "#/$defs/a"}}},
        {"properties": {"x": {"properties": {"y": {"$ref": "#/properties/x"}}}}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    ):
        assert faults(schema) == {"": "reference_circle"}


def test_references_that_multiply_are_refused() -> None:
    defs: dict[str, Any] = {"d0": {"type": "string"}}
    for n in range(1, 20):
        defs[f"d{n}"] = {"allOf": [{"$ref": f"#/$defs/d{n - 1}"}, {"$ref": f"#/$defs/d{n - 1}"}]}
    assert faults({"$defs": defs, "properties": {"a": {"$ref": "#/$defs/d19"}}}) == {
        "": "reference_circle"
    }


def test_a_long_chain_of_references_is_refused() -> None:
    defs: dict[str, Any] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(2_000)}
    defs["d2000"] = {"type": "string"}
    assert faults({"$defs": defs}) == {"": "reference_circle"}


def test_too_many_patterns_are_refused() -> None:
    properties = {f"p{n}": {"pattern": "\\w{200}"} for n in range(201)}
    assert faults({"properties": properties}) == {"": "too_many_patterns"}


def test_size_and_depth_are_bounded() -> None:
    assert faults({"title": "x" * 262_144}) == {"": "too_large"}
    deep: Any = {}
    for _ in range(9):
        deep = {"properties": {"a": deep}}
    assert faults(deep) == {"": "not_json"}
    assert [f.code for f in read_account_schema(b'{"a":' * 50_000).faults] == ["not_json"]


def test_an_account_is_an_object() -> None:
    assert faults({"type": "array"}) == {"/type": "type"}
    assert faults([]) == {"": "type"}


def test_a_password_that_is_no_secret_is_pointed_out() -> None:
    schema = {"properties": {"token": {"type": "string", "format": "password"}}}
    (finding,) = read_account_schema(json.dumps(schema).encode()).findings
    assert finding.code == "password_not_write_only"


def lookup(config: str, schema: Any) -> list[str]:
    rule = AccountLookupRule("X-App", config)
    manifest = Manifest("acme.echo", "Echo", "1.0.0", account_lookup=rule)
    return [fault.code for fault in lookup_faults(manifest, schema)]


def test_a_lookup_field_exists_and_is_no_secret() -> None:
    assert lookup("app_id", GOOD) == []
    assert lookup("nothing", GOOD) == ["lookup_unknown"]
    assert lookup("secret", GOOD) == ["lookup_is_secret"]
    assert lookup("app_id", None) == ["lookup_without_schema"]
    assert lookup("k", {"allOf": [{"properties": {"k": {"type": "string"}}}]}) == []
    assert lookup("k", {"properties": {"k": {"anyOf": [{"writeOnly": True}]}}}) == [
        "lookup_is_secret"
    ]
