"""Writing secrets and showing that they are there, never what they are."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wunder.accounts.pointer import Path, leaves
from wunder.accounts.secrets import NOTHING, SET, masked, merge, overlay, patched, split

SECRET = {"type": "string", "writeOnly": True}
SCHEMA = {
    "type": "object",
    "properties": {
        "app_id": {"type": "string"},
        "app_secret": SECRET,
        "host": {"type": "string", "format": "uri", "default": "https://platform.example"},
        "retries": {"type": "integer", "default": 3},
        "crypto": {
            "type": "object",
            "properties": {"mode": {"type": "string"}, "key": SECRET},
        },
        "bots": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "token": SECRET},
            },
        },
        "tokens": {"type": "array", "items": SECRET},
    },
}
OLD_PUBLIC = {
    "app_id": "a",
    "host": "https://platform.example",
    "retries": 3,
    "crypto": {"mode": "x"},
}
OLD_SECRETS = {"app_secret": "s1", "crypto": {"key": "k1"}}


def write(given_config, public=OLD_PUBLIC, secrets=OLD_SECRETS, schema=SCHEMA):
    return merge(schema, given_config, public, secrets)


def codes(merged):
    return {fault.pointer: fault.code for fault in merged.faults}


def test_secrets_leave_the_rest_at_any_depth():
    public, secrets = split(SCHEMA, {"app_id": "a", "app_secret": "s", "crypto": {"key": "k"}})
    assert public == {"app_id": "a", "crypto": {}}
    assert secrets == {"app_secret": "s", "crypto": {"key": "k"}}


def test_secrets_in_arrays_keep_their_place():
    bots = [{"name": "one"}, {"name": "two", "token": "t"}]
    public, secrets = split(SCHEMA, {"bots": bots})
    assert public == {"bots": [{"name": "one"}, {"name": "two"}]}
    assert secrets == {"bots": [None, {"token": "t"}]}
    assert overlay(public, secrets) == {"bots": bots}


def test_rule_6_absent_keeps_and_null_clears_and_set_keeps():
    assert write({"app_id": "a"}).secrets == OLD_SECRETS
    assert write({"app_secret": None}).secrets == {"crypto": {"key": "k1"}}
    assert write({"app_secret": SET, "crypto": {"key": SET}}).secrets == OLD_SECRETS
    assert write({"app_secret": "s2"}).secrets["app_secret"] == "s2"
    assert not write({"app_secret": None, "crypto": {"mode": "y", "key": "k2"}}).faults


def test_a_write_without_a_configuration_keeps_everything():
    merged = write(NOTHING)
    assert (merged.public, merged.secrets, merged.faults) == (OLD_PUBLIC, OLD_SECRETS, ())


def test_what_is_not_a_secret_is_replaced_as_a_whole():
    assert write({"app_id": "b"}).public == {
        "app_id": "b",
        "host": "https://platform.example",
        "retries": 3,
    }


def test_rule_6_keeping_a_secret_that_is_not_there_is_a_fault():
    assert codes(write({"app_secret": SET}, {}, {})) == {"/app_secret": "secret_not_set"}


def test_rule_6_a_changed_destination_needs_every_secret_again():
    moved = {"app_id": "a", "host": "https://evil.example"}
    assert codes(write(moved)) == {
        "/app_secret": "secret_needed_again",
        "/crypto/key": "secret_needed_again",
    }
    assert codes(write({**moved, "app_secret": "s1", "crypto": {"key": SET}})) == {
        "/crypto/key": "secret_needed_again"
    }
    assert not write({**moved, "app_secret": "s1", "crypto": {"key": "k1"}}).faults
    assert not write({**moved, "app_secret": None, "crypto": {"key": None}}).faults


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ({"x-wunder-destination": True}, "a", "b"),
        ({"x-wunder-destination": True}, ["a"], ["a", "b"]),
        ({"format": "hostname"}, "a.example", "b.example"),
        ({"format": "ipv4"}, "1.2.3.4", "1.2.3.5"),
        ({}, "https://a.example", "https://b.example"),
        ({}, "plain", "wss://b.example"),
        ({"anyOf": [{"format": "uri"}, {"type": "null"}]}, None, "x:y"),
    ],
)
def test_rule_6_destinations_are_marked_or_have_a_format_or_look_like_one(field, before, after):
    schema = {"properties": {"to": field, "key": SECRET}}
    assert not merge(schema, {"to": before}, {"to": before}, {"key": "s"}).faults
    moved = merge(schema, {"to": after}, {"to": before}, {"key": "s"})
    assert codes(moved) == {"/key": "secret_needed_again"}
    removed = merge(schema, {}, {"to": after}, {"key": "s"})
    assert codes(removed) == {"/key": "secret_needed_again"}


def test_rule_6_naming_the_default_destination_is_no_change():
    assert not write({"host": "https://platform.example"}, {"app_id": "a"}, OLD_SECRETS).faults


def test_rule_6_secrets_in_a_changed_array_are_never_kept_by_place():
    public = {"bots": [{"name": "one"}, {"name": "two"}]}
    secrets = {"bots": [{"token": "t1"}, {"token": "t2"}]}
    same = [{"name": "one", "token": SET}, {"name": "two"}]
    assert write({"bots": same}, public, secrets).secrets == secrets
    swapped = [{"name": "two", "token": SET}, {"name": "one"}]
    merged = write({"bots": swapped}, public, secrets)
    assert codes(merged) == dict.fromkeys(("/bots/0/token", "/bots/1/token"), "secret_needed_again")
    given_again = [{"name": "two", "token": "t2"}, {"name": "new", "token": None}]
    merged = write({"bots": given_again}, public, secrets)
    assert not merged.faults
    assert merged.secrets == {"bots": [{"token": "t2"}, None]}


def test_arrays_of_secrets_keep_by_place_while_their_length_stays():
    public, secrets = {"tokens": [None, None]}, {"tokens": ["a", "b"]}
    assert write({"tokens": [SET, "c"]}, public, secrets).secrets == {"tokens": ["a", "c"]}
    assert codes(write({"tokens": [SET]}, public, secrets)) == {"/tokens/0": "secret_needed_again"}


def test_a_secret_in_any_branch_or_reference_is_a_secret():
    schema = {
        "$defs": {"key": {"allOf": [SECRET]}},
        "properties": {"mode": {"type": "string"}},
        "oneOf": [{"properties": {"a": {"$ref": "#/$defs/key"}}}, {"properties": {"b": SECRET}}],
        "if": {"properties": {"c": SECRET}},
        "additionalProperties": {"properties": {"deep": SECRET}},
    }
    document = {"a": "1", "b": "2", "c": "3", "free": {"deep": "4", "mode": "m"}, "mode": "m"}
    public, secrets = split(schema, document)
    assert secrets == {"a": "1", "b": "2", "c": "3", "free": {"deep": "4"}}
    assert public == {"free": {"mode": "m"}, "mode": "m"}


def test_an_object_can_be_one_secret():
    schema = {
        "properties": {"login": {"type": "object", "writeOnly": True}, "url": {"format": "uri"}}
    }
    merged = merge(schema, {"login": {"user": "u"}, "url": "https://b"}, {}, {})
    assert merged.secrets == {"login": {"user": "u"}}
    assert masked(schema, merged.public, merged.secrets)["login"] == SET
    moved = merge(schema, {"url": "https://c"}, merged.public, merged.secrets)
    assert codes(moved) == {"/login": "secret_needed_again"}


def test_without_a_schema_everything_is_one_secret():
    merged = merge(None, {"a": 1, "b": {"c": "d"}}, {}, {})
    assert (merged.public, merged.secrets) == ({}, {"a": 1, "b": {"c": "d"}})
    assert masked(None, merged.public, merged.secrets) == SET
    assert merge(None, SET, {}, merged.secrets).secrets == merged.secrets
    assert merge(None, None, {}, merged.secrets).secrets == {}
    assert masked(None, {}, {}) == {}


@pytest.mark.parametrize("schema", [{"properties": []}, {"$ref": 5}, {"$ref": "#"}, [], "x"])
def test_rule_12_under_a_schema_that_cannot_be_used_everything_is_secret(schema):
    assert masked(schema, {"app_id": "a"}, {}) == SET
    assert split(schema, {"a": 1}) == ({}, {"a": 1})


def test_an_empty_schema_makes_nothing_secret():
    assert split({}, {"a": 1}) == ({"a": 1}, {})


def test_a_field_that_became_a_secret_is_hidden_at_once_and_moves_at_the_next_write():
    newer = {"properties": {"app_id": SECRET, "app_secret": SECRET}}
    assert masked(newer, {"app_id": "a"}, {"app_secret": "s"}) == {"app_id": SET, "app_secret": SET}
    merged = merge(newer, {}, {"app_id": "a"}, {"app_secret": "s"})
    assert merged.secrets == {"app_id": "a", "app_secret": "s"}


def test_a_field_that_is_no_secret_any_more_stays_hidden():
    newer = {"properties": {"app_secret": {"type": "string"}}}
    assert masked(newer, {}, {"app_secret": "s"}) == {"app_secret": SET}
    assert merge(newer, {}, {}, {"app_secret": "s"}).secrets == {"app_secret": "s"}


def test_a_view_shows_that_secrets_are_set_and_nothing_else():
    assert masked(SCHEMA, OLD_PUBLIC, OLD_SECRETS) == {
        **OLD_PUBLIC,
        "app_secret": SET,
        "crypto": {"mode": "x", "key": SET},
    }


def test_defaults_fill_absent_fields_and_never_secret_ones():
    schema = {
        "properties": {
            "a": {"default": {"b": 1}},
            "key": {**SECRET, "default": "d"},
            "c": {"type": "object", "properties": {"d": {"default": False}}},
        }
    }
    assert merge(schema, {"c": {}}).public == {"a": {"b": 1}, "c": {"d": False}}


def test_a_patch_changes_what_it_names_and_null_removes_or_clears():
    changes = {"app_id": None, "retries": 5, "crypto": {"key": None}}
    whole = patched(SCHEMA, OLD_PUBLIC, changes)
    assert whole == {
        "host": "https://platform.example",
        "retries": 5,
        "crypto": {"mode": "x", "key": None},
    }
    assert write(whole).secrets == {"app_secret": "s1"}


names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.one_of(st.text(max_size=4), st.integers(0, 9), st.booleans()),
    lambda inner: st.dictionaries(names, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)
nodes = st.recursive(
    st.sampled_from([{}, {"writeOnly": True}, {"type": "string"}]),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"properties": parts}, st.dictionaries(names, inner, max_size=3)),
        st.builds(lambda part: {"items": part}, inner),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda part: {"additionalProperties": part}, inner),
    ),
    max_leaves=6,
)
documents = st.dictionaries(names, values, max_size=3)


@settings(deadline=None)
@given(schema=nodes, document=documents)
def test_splitting_loses_nothing_but_nulls(schema, document):
    public, secrets = split(schema, document)
    assert overlay(public, secrets) == document


@settings(deadline=None)
@given(schema=nodes, document=documents)
def test_no_secret_text_is_ever_shown(schema, document):
    public, secrets = split(schema, document)
    shown = masked(schema, public, secrets)
    for path, value in leaves(secrets):
        if value not in (None, {}, []):
            assert is_hidden(shown, path)


def is_hidden(shown: Any, path: Path) -> bool:
    for step in path:
        if shown == SET:
            return True
        shown = shown[step]
    return bool(shown == SET)


@settings(deadline=None)
@given(schema=nodes, document=documents)
def test_what_is_shown_can_be_written_back_unchanged(schema, document):
    public, secrets = split(schema, document)
    merged = merge(schema, masked(schema, public, secrets), public, secrets)
    assert not merged.faults
    assert (merged.public, merged.secrets) == (public, secrets)
