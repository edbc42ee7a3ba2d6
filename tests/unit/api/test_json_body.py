"""Bodies: strict JSON, and faults that name the place and never the value."""

import msgspec
import pytest

from wunder.api.json_body import decode_body, fault_of
from wunder.errors import Invalid, RequestRefused


class Peer(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    size: int = 0


class Body(msgspec.Struct, forbid_unknown_fields=True):
    peers: list[Peer]


def faults(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        decode_body(body, Body)
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


def test_a_sound_body_becomes_the_wanted_type() -> None:
    assert decode_body(b'{"peers":[{"id":"a","size":2}]}', Body) == Body([Peer("a", 2)])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b'{"peers":[{"id":"a"},{"id":7}]}', "/peers/1/id", "type"),
        (b'{"peers":[{}]}', "/peers/0/id", "required"),
        (b'{"peers":[],"extra":1}', "/extra", "unknown_field"),
        (b'{"peers":{}}', "/peers", "type"),
        (b"[]", "", "type"),
    ],
)
def test_a_wrong_field_is_named_by_pointer(body: bytes, pointer: str, code: str) -> None:
    assert faults(body) == [(pointer, code)]


def test_rule_5_duplicate_keys_are_refused_at_any_depth() -> None:
    assert faults(b'{"peers":[{"id":"a","id":"b"}]}') == [("/peers/0/id", "duplicate_key")]


@pytest.mark.parametrize("depth", [65, 200_000])
def test_rule_5_a_too_deep_document_is_400_never_a_recursion_error(depth: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        decode_body(b"[" * depth + b"]" * depth, Body)
    assert caught.value.http_status == 400


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"peers":[]}x', b'{"a":NaN}', b"\xef\xbb\xbf{}"]
)
def test_what_is_no_json_is_400(body: bytes) -> None:
    with pytest.raises(RequestRefused) as caught:
        decode_body(body, Body)
    assert caught.value.http_status == 400


def test_rule_18_values_are_never_echoed() -> None:
    said = fault_of("Invalid enum value 'hunter2' - at `$.kind`")
    assert (said.pointer, said.code) == ("/kind", "value")
    assert "hunter2" not in said.message


def test_keys_with_special_characters_make_a_valid_pointer() -> None:
    assert fault_of("Expected `int`, got `str` - at `$[...].a~b`").pointer == "/.../a~0b"
