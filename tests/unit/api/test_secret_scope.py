"""Which writes of a configuration need the scope `secrets`."""

import pytest

from wunder.api.secret_scope import writes_secrets

SCHEMA = {
    "type": "object",
    "properties": {
        "app_id": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
        "bots": {
            "type": "array",
            "items": {"type": "object", "properties": {"key": {"writeOnly": True}, "n": {}}},
        },
    },
}


@pytest.mark.parametrize(
    "config",
    [{"secret": "x"}, {"secret": None}, {"secret": {"set": False}}, {"bots": [{"key": "x"}]}],
)
def test_a_secret_that_is_given_or_cleared_is_written(config: dict) -> None:
    assert writes_secrets(SCHEMA, config)


@pytest.mark.parametrize(
    "config",
    [{}, {"app_id": "1"}, {"secret": {"set": True}}, {"bots": [{"n": 1}, None]}, None, "x"],
)
def test_what_leaves_secrets_alone_writes_none(config: object) -> None:
    assert not writes_secrets(SCHEMA, config)


def test_without_a_schema_everything_is_secret() -> None:
    assert writes_secrets(None, {"app_id": "1"})
    assert not writes_secrets(None, {"set": True})
