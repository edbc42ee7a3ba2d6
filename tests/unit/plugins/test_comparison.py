"""How a package differs from the version that serves."""

from typing import Any

import pytest

from wunder.plugins.comparison import field_changes, step_from
from wunder.plugins.views import FieldChange

WAS: dict[str, Any] = {
    "properties": {
        "app_id": {"type": "string", "title": "App"},
        "secret": {"type": "string", "writeOnly": True},
        "proxy": {"type": "object", "properties": {"host": {"type": "string"}}},
    },
    "required": ["app_id"],
}


@pytest.mark.parametrize(
    ("current", "version", "step"),
    [
        ("", "1.0.0", "first"),
        ("1.0.0", "1.0.0", "same"),
        ("1.9.0", "1.10.0", "upgrade"),
        ("1.0.0-rc.1", "1.0.0", "upgrade"),
        ("2.0.0", "1.10.0", "downgrade"),
        ("1.0.0", "1.0.0-rc.1", "downgrade"),
    ],
)
def test_versions_go_somewhere(current: str, version: str, step: str) -> None:
    assert step_from(current, version) == step


def test_the_same_form_has_no_changes_and_words_are_none() -> None:
    renamed = {**WAS, "properties": {**WAS["properties"], "app_id": {"type": "string"}}}
    assert field_changes(WAS, renamed) == ()


def test_fields_that_come_go_or_take_something_else_are_named() -> None:
    now = {
        "properties": {
            "app_id": {"type": "integer"},
            "secret": {"type": "string", "writeOnly": True},
            "proxy": {"type": "object", "properties": {"port": {"type": "integer"}}},
            "region": {"enum": ["cn", "eu"]},
        },
        "required": ["app_id", "secret", "region"],
    }
    assert field_changes(WAS, now) == (
        FieldChange("/app_id", "changed"),
        FieldChange("/proxy/host", "removed"),
        FieldChange("/proxy/port", "added"),
        FieldChange("/region", "added", is_required=True),
        FieldChange("/secret", "changed", is_required=True),
    )


def test_a_form_that_is_gone_or_new_is_compared_too() -> None:
    assert len(field_changes(None, WAS)) == 4
    assert {one.change for one in field_changes(WAS, None)} == {"removed"}
