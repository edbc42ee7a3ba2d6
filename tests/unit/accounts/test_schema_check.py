"""Checking configurations: bounded schemas, faults without values."""

import threading

import pytest

from wunder.accounts.pointer import depth_within, leaves, pointer, steps
from wunder.accounts.schema_check import SchemaCheck, SchemaPolicy, refuse
from wunder.accounts.schema_rules import schema_faults
from wunder.accounts.schema_text import in_language
from wunder.errors import Conflict, FieldFault, Invalid

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://channel.example/account",
    "type": "object",
    "properties": {
        "app_id": {"type": "string", "minLength": 3, "pattern": "^[a-z]+$"},
        "secret": {"type": "string", "minLength": 8, "writeOnly": True},
        "mode": {"enum": ["a", "b"]},
        "nested": {"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}},
        "url": {"type": "string", "format": "uri"},
    },
    "required": ["app_id"],
    "additionalProperties": False,
}


async def faults(document, schema=SCHEMA):
    return {(one.pointer, one.code) for one in await SchemaCheck().faults(schema, document)}


async def test_a_good_document_has_no_faults():
    assert not await faults({"app_id": "abc", "nested": {"n": 5}, "url": "https://a.example/"})


async def test_each_fault_names_its_place_and_keyword():
    document = {"app_id": "X", "mode": "c", "nested": {"n": 6}, "odd": 1, "url": "no url"}
    assert await faults(document) == {
        ("/app_id", "minLength"),
        ("/app_id", "pattern"),
        ("/mode", "enum"),
        ("/nested/n", "maximum"),
        ("/odd", "additionalProperties"),
        ("/url", "format"),
    }
    assert await faults({}) == {("/app_id", "required")}


async def test_rule_12_messages_never_hold_the_value():
    hidden = "hunter2"
    found = await SchemaCheck().faults(SCHEMA, {"app_id": hidden, "secret": hidden, "mode": hidden})
    assert len(found) == 3
    assert hidden not in repr(found)


async def test_rule_12_an_odd_field_name_is_not_repeated():
    found = await SchemaCheck().faults(SCHEMA, {"app_id": "abc", "my secret is 1234": 1})
    assert [(one.pointer, one.code) for one in found] == [("", "additionalProperties")]


@pytest.mark.parametrize(
    "part",
    [
        {"$ref": "https://evil.example/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json"},
        {"$ref": 5},
        {"$ref": "#/$defs/nowhere"},
        {"$id": "https://evil.example/"},
        {"$anchor": "a"},
        {"$dynamicRef": "#a"},
        {"pattern": "a" * 257},
        {"patternProperties": {"a" * 257: {}}},
        {"properties": []},
        {"properties": {"a": 5}},
        {"allOf": {"a": {}}},
        {"anyOf": ["a"]},
        {"items": [{}]},
        {"$defs": []},
    ],
)
def test_rule_12_a_schema_that_points_out_or_is_costly_is_refused(part):
    assert schema_faults({"properties": {"a": {"items": part}}})


def test_rule_12_a_schema_is_bounded_in_size_depth_and_kind():
    deep: dict[str, object] = {}
    for _ in range(17):
        deep = {"items": deep}
    assert schema_faults(deep)[0].code == "too_deep"
    assert schema_faults({"title": "x" * 262_144})[0].code == "too_large"
    assert schema_faults([])[0].code == "type"
    assert schema_faults({"$schema": "https://evil.example/"})[0].code == "dialect"
    assert not schema_faults(SCHEMA)


def test_rule_12_a_very_deep_schema_is_refused_and_not_a_recursion_error():
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"items": deep}
    assert schema_faults(deep)[0].code == "too_deep"


def test_rule_12_a_recursive_schema_is_refused():
    assert schema_faults({"properties": {"a": {"$ref": "#"}}})[0].code == "recursive"


def test_rule_12_references_that_lead_far_are_refused_and_no_recursion_error():
    chain = {f"d{at}": {"$ref": f"#/$defs/d{at + 1}"} for at in range(5_000)}
    faults_of_chain = schema_faults({"$defs": {**chain, "d5000": {}}, "$ref": "#/$defs/d0"})
    assert faults_of_chain[0].code == "too_deep"


def test_rule_12_a_schema_that_doubles_with_each_definition_is_refused():
    definitions: dict[str, object] = {"d0": {"type": "string"}}
    for place in range(1, 24):
        below = {"$ref": f"#/$defs/d{place - 1}"}
        definitions[f"d{place}"] = {"anyOf": [below, dict(below)]}
    bomb = {"$defs": definitions, "$ref": "#/$defs/d23"}
    assert schema_faults(bomb)[0].code == "too_large"


@pytest.mark.parametrize("pattern", ["(?=a)b", "(a)\\1", "a{1000}{1000}", "("])
async def test_rule_12_a_pattern_that_is_not_linear_is_refused(pattern):
    with pytest.raises(Conflict) as refused:
        await SchemaCheck().faults({"properties": {"a": {"pattern": pattern}}}, {"a": "b"})
    assert refused.value.reason == "schema_unusable"


async def test_rule_12_a_pattern_that_explodes_elsewhere_is_quick_here():
    assert await faults({"a": "a" * 5_000 + "!"}, {"properties": {"a": {"pattern": "^(a+)+$"}}})


async def test_rule_12_a_check_that_does_not_end_is_given_up():
    gate = threading.Event()

    class Stuck:
        def faults(self, document):
            gate.wait(20)
            return []

    check = SchemaCheck(SchemaPolicy(limit_s=0.01), lambda schema: Stuck())
    with pytest.raises(Conflict, match="too costly"):
        await check.faults({}, {})
    gate.set()


async def test_a_document_is_bounded_before_it_is_checked():
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"a": deep}
    assert await faults(deep) == {("", "too_deep")}
    assert await faults({"a": "x" * 70_000}) == {("", "too_large")}
    assert await faults({"a": list(range(3_000))}) == {("", "too_large")}
    assert await faults({"app_id": "a\x00b"}) == {("", "control_character")}


async def test_a_schema_is_compiled_once_and_the_oldest_is_forgotten():
    compiled = []

    class Fine:
        def faults(self, document):
            return []

    def compile_schema(schema):
        compiled.append(schema["title"])
        return Fine()

    check = SchemaCheck(SchemaPolicy(kept_schemas=2), compile_schema)
    for title in ("a", "a", "b", "a", "c", "a", "b"):
        await check.faults({"title": title}, {})
    assert compiled == ["a", "b", "c", "b"]


def test_faults_are_raised_below_the_place_of_the_document():
    refuse([], "/provider_config")
    with pytest.raises(Invalid) as refused:
        refuse([FieldFault("/a", "type", "words")], "/provider_config")
    assert refused.value.faults[0].pointer == "/provider_config/a"


def test_texts_come_in_the_language_of_the_reader():
    schema = {
        "title": "Account",
        "x-i18n": {"zh-CN": {"title": "账号", "type": {"bad": 1}}},
        "properties": {"a": {"title": "Id", "x-i18n": {"zh-CN": {"title": "编号"}}}, "b": {}},
        "type": "object",
    }
    chinese = in_language(schema, "zh-CN")
    assert chinese["title"] == in_language(schema, "zh")["title"] == "账号"
    assert chinese["type"] == "object"
    assert chinese["properties"]["a"] == {"title": "编号"}
    english = in_language(schema, "en-US")
    assert english["title"] == "Account"
    assert "x-i18n" not in repr(english)
    assert in_language(schema, "fr")["title"] == "Account"


def test_pointers_escape_and_return():
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"
    assert steps("/a~1b/0/c~0d") == ("a/b", "0", "c~d")
    assert pointer([]) == ""
    assert list(leaves({"a": [1, {}]})) == [(("a", 0), 1), (("a", 1), {})]
    assert depth_within({"a": 1}, 1)
    assert not depth_within({"a": {}}, 0)
