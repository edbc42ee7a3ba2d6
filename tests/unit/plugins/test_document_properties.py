import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.plugins.raw_zip import MANIFEST
from wunder.plugins.account_schema import read_account_schema
from wunder.plugins.manifest import read_manifest

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(allow_nan=False),
    st.text(max_size=8), st.sampled_from(["#/properties/a", "#/$defs/%61", "(a", "string", "app"]),
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYWORDS = [
    "$ref", "$id", "$defs", "type", "properties", "patternProperties", "pattern", "allOf", "items",
    "enum", "const", "if", "then", "minimum", "multipleOf", "maxLength", "required", "writeOnly",
    "format", "dependentSchemas", "unevaluatedProperties", "prefixItems", "not", "default", "$schema",
    "additionalProperties", "contains", "minContains", "uniqueItems", "oneOf", "x-order",
]  # fmt: skip
schemas = st.recursive(
    scalars,
    lambda inner: st.dictionaries(
        st.sampled_from([*KEYWORDS, "a", "b"]), inner | st.lists(inner, max_size=2), max_size=4
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [*MANIFEST, "limits", "webhook", "idempotency", "account_lookup", "i18n", "serves"]
    ),
    anything,
)
def test_a_strange_field_is_a_fault_and_no_crash(key: str, value: Any) -> None:
    reading = read_manifest(json.dumps({**MANIFEST, key: value}).encode())
    assert (reading.manifest is None) == bool(reading.faults)
    assert all(fault.pointer.startswith(("/", "")) for fault in reading.faults)


@settings(max_examples=300, deadline=None)
@given(schemas)
def test_a_strange_schema_is_a_fault_and_no_crash(value: Any) -> None:
    reading = read_account_schema(json.dumps(value).encode())
    assert (reading.schema is None) == bool(reading.faults)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_noise_is_a_fault_and_no_crash(noise: bytes) -> None:
    assert read_manifest(noise).faults
    schema = read_account_schema(noise).schema
    # Any JSON object whose names mean nothing to JSON Schema is a schema that allows everything.
    assert schema is None or schema == json.loads(noise)
