"""Setting an account up: its form, its checks, "test connection"."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.channel import WecomChannel
from wunder_channels.wechat.config import WecomConfig
from wunder_channels.wechat.tests.driver import AES_KEY, SECRET, TOKEN, Driver

HOME = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((HOME / "account.schema.json").read_text("utf-8"))
SECRETS = ["encoding_aes_key", "previous_encoding_aes_key", "previous_token", "secret", "token"]


def test_the_form_and_the_config_name_the_same_fields_and_defaults() -> None:
    form = SCHEMA["properties"]
    config = {one.name: one.default for one in fields(WecomConfig)}

    assert set(form) == set(config) == set(SCHEMA["x-order"])
    defaults = {name: one["default"] for name, one in form.items() if "default" in one}
    assert defaults.items() <= config.items()
    assert all({"title", "description"} <= one["x-i18n"]["zh-CN"].keys() for one in form.values())
    assert sorted(name for name, one in form.items() if one.get("writeOnly")) == SECRETS


def test_the_manifest_says_what_the_channel_can_do() -> None:
    manifest = json.loads((HOME / "plugin.json").read_text("utf-8"))

    assert WecomChannel.capabilities() == manifest["capabilities"]
    assert (manifest["webhook"]["ack"]["status"], manifest["webhook"]["ack"]["body"]) == (200, "")
    assert manifest["idempotency"]["window_s"] < 14_400


@pytest.mark.parametrize(
    ("config", "path"),
    [({"corp_id": ""}, "/corp_id"), ({"corp_id": "xx123"}, "/corp_id"), ({"agent_id": 0}, "/agent_id"),
     ({"mode": "group"}, "/mode"), ({"domain": "ftp://x"}, "/domain"), ({"domain": "http://[x"}, "/domain"),
     ({"markdown": "maybe"}, "/markdown"), ({"max_clock_skew_s": -1}, "/max_clock_skew_s"),
     ({"welcome": "界" * 700}, "/welcome"), ({"agent_id": "1000002"}, "/agent_id")],
)  # fmt: skip
async def test_a_wrong_field_is_named(config: dict[str, Any], path: str) -> None:
    result = await Driver(**config).validate("static")

    assert not result.ok
    assert path in [one.path for one in result.errors]


@pytest.mark.parametrize(
    ("secrets", "path"),
    [({"token": ""}, "/token"), ({"encoding_aes_key": "short"}, "/encoding_aes_key"),
     ({"secret": ""}, "/secret"), ({"previous_token": "old"}, "/previous_encoding_aes_key"),
     ({"previous_encoding_aes_key": "x"}, "/previous_encoding_aes_key")],
)  # fmt: skip
async def test_a_wrong_secret_is_named_and_not_shown(secrets: dict[str, str], path: str) -> None:
    whole = {"secret": SECRET, "token": TOKEN, "encoding_aes_key": AES_KEY, **secrets}

    result = await Driver(whole).validate("static")

    assert path in [one.path for one in result.errors]
    assert "short" not in str(result)


async def test_an_ai_bot_needs_token_and_key_alone() -> None:
    driver = Driver(
        {"token": TOKEN, "encoding_aes_key": AES_KEY}, corp_id="", agent_id=0, mode="webhook"
    )

    for mode in ("static", "live"):
        result = await driver.validate(mode)
        assert result.ok
        assert [one.path for one in result.warnings] == ["/bot_name"]


async def test_an_ai_bot_with_an_id_says_who_it_is() -> None:
    result = await Driver.bot(bot_id="AIBOT1", bot_name="小智").validate("live")

    assert result.identity is not None
    assert (result.identity.external_id, result.identity.display_name) == ("AIBOT1", "小智")


async def test_the_test_connection_says_which_app_it_is(app: Driver) -> None:
    result = await app.validate("live")

    assert result.ok and result.identity is not None
    assert (result.identity.external_id, result.identity.display_name) == (
        "ww1234567890abcdef:1000002", "小助手",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("config", "secrets", "path"),
    [({}, {"secret": "wrong"}, "/secret"), ({"corp_id": "wwother"}, {}, "/corp_id"),
     ({"agent_id": 1000003}, {}, "/agent_id")],
)  # fmt: skip
async def test_the_test_connection_points_at_the_wrong_field(
    app: Driver, config: dict[str, Any], secrets: dict[str, str], path: str
) -> None:
    app.configure(secrets, **config)

    result = await app.validate("live")

    assert [one.path for one in result.errors] == [path]


async def test_an_untrusted_address_is_said_with_the_address_to_enter(
    wecom: WecomStandin, app: Driver
) -> None:
    wecom.platform.rules.trusted_ip = False

    (fault,) = (await app.validate("live")).errors

    assert (fault.path, fault.code) == ("", "account_config_invalid")
    assert "企业可信IP" in fault.message and "203.0.113.9" in fault.message
