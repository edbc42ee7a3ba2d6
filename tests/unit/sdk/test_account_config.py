"""Config and secrets become one typed value, and faults are named without values."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from wunder_sdk.account_config import ConfigMismatch, build, merge


@dataclass(frozen=True)
class Server:
    url: str = "https://api.example.org"
    timeout_s: float = 5.0


@dataclass(frozen=True)
class Config:
    app_id: str
    secret: str
    mode: Literal["plain", "safe"] = "plain"
    server: Server = Server()
    tags: list[str] = field(default_factory=list)
    limit: int | None = None

    def __post_init__(self):
        if self.app_id == "bad":
            raise ValueError("app_id must not be bad")


def test_secrets_are_laid_over_config_at_any_depth():
    config = {"a": 1, "deep": {"x": 1}, "list": [{"id": 1}, {"id": 2}]}
    secrets = {"deep": {"key": "k"}, "list": [{"pw": "p"}, {}]}

    assert merge(config, secrets) == {
        "a": 1,
        "deep": {"x": 1, "key": "k"},
        "list": [{"id": 1, "pw": "p"}, {"id": 2}],
    }


def test_defaults_fill_in_and_unknown_fields_are_ignored():
    built = build(Config, {"app_id": "1", "extra": 5, "server": {"timeout_s": 2}}, {"secret": "s"})

    assert built == Config("1", "s", server=Server(timeout_s=2.0))


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"app_id": 5}, "/app_id"),
        ({}, "/app_id"),
        ({"app_id": "1", "mode": "loud"}, "/mode"),
        ({"app_id": "1", "server": {"timeout_s": "fast"}}, "/server/timeout_s"),
        ({"app_id": "1", "tags": ["a", 1]}, "/tags/1"),
        ({"app_id": "bad"}, "/"),
    ],
)
def test_a_wrong_type_is_named_by_pointer(config, pointer):
    with pytest.raises(ConfigMismatch) as caught:
        build(Config, config, {"secret": "hunter2"})

    assert caught.value.pointer == pointer
    assert "hunter2" not in str(caught.value)
    assert caught.value.to_wire().data.kind == "account_config_invalid"


def test_without_a_class_config_is_a_dict():
    assert build(dict, {"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
