"""Setting an account up: its form, its checks, "test connection"."""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from tests.standins.wechat_mp.server import MpStandin
from wunder_channels.wechat_mp.channel import MpChannel
from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.passive import ACK
from wunder_channels.wechat_mp.tests.driver import APP_ID, Driver, writer

HOME = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((HOME / "account.schema.json").read_text("utf-8"))
MANIFEST = json.loads((HOME / "plugin.json").read_text("utf-8"))
SECRETS = {"app_secret", "token", "encoding_aes_key", "previous_token", "previous_encoding_aes_key"}


def test_the_form_and_the_config_name_the_same_fields_and_defaults() -> None:
    form = {name: one.get("default") for name, one in SCHEMA["properties"].items()}
    config = {one.name: one.default for one in fields(MpConfig) if one.default is not MISSING}

    assert {name: form[name] for name in config} == config
    assert set(form) == set(config) | set(SCHEMA["required"]) == set(SCHEMA["x-order"])
    for one in SCHEMA["properties"].values():
        assert one["title"] and one["description"]
        assert one["x-i18n"]["zh-CN"]["title"] and one["x-i18n"]["zh-CN"]["description"]
    hidden = {name for name, one in SCHEMA["properties"].items() if one.get("writeOnly")}
    assert hidden == SECRETS


def test_secrets_do_not_show_when_a_config_is_printed() -> None:
    config = MpConfig(APP_ID, "T0P", "S3CRET", "K" * 43, previous_token="0LD")

    assert not any(secret in repr(config) for secret in ("T0P", "S3CRET", "KKK", "0LD"))


def test_the_manifest_says_what_the_channel_can_do() -> None:
    assert MpChannel.capabilities() == MANIFEST["capabilities"]
    assert MANIFEST["webhook"]["ack"]["body"] == ACK
    assert (MANIFEST["webhook"]["redelivery"], MANIFEST["webhook"]["unavailable"]) == (
        "short",
        "drop",
    )
    default = SCHEMA["properties"]["domain"]["default"].removeprefix("https://")
    assert default in MANIFEST["permissions"]["network"]


@pytest.mark.parametrize(
    ("config", "path"),
    [({"app_id": "abc"}, "/app_id"), ({"token": "ab"}, "/token"), ({"token": "a" * 33}, "/token"),
     ({"encoding_aes_key": ""}, "/encoding_aes_key"), ({"encoding_aes_key": "A" * 42}, "/encoding_aes_key"),
     ({"encoding_aes_key": "!" * 43}, "/encoding_aes_key"), ({"encrypt_mode": "none"}, "/encrypt_mode"),
     ({"previous_encoding_aes_key": "x"}, "/previous_encoding_aes_key"), ({"original_id": "x"}, "/original_id"),
     ({"reply_mode": "maybe"}, "/reply_mode"), ({"reply_mode": "active", "app_secret": ""}, "/app_secret"),
     ({"domain": "ftp://x"}, "/domain"), ({"domain": "http://[x"}, "/domain"),
     ({"max_clock_skew_s": -1}, "/max_clock_skew_s"), ({"fetch_more": "yes"}, "/fetch_more")],
)  # fmt: skip
async def test_a_wrong_field_is_named(config: dict[str, Any], path: str) -> None:
    bot = Driver()
    bot.configure(**config)

    result = await bot.validate("static")

    assert not result.ok
    assert [one.path for one in result.errors] == [path]


@pytest.mark.parametrize(
    "config",
    [{}, {"encrypt_mode": "plain", "encoding_aes_key": ""}, {"encrypt_mode": "plain"},
     {"app_secret": ""}, {"original_id": ""}, {"previous_encoding_aes_key": "A" * 43}],
)  # fmt: skip
async def test_a_right_account_has_no_faults(config: dict[str, Any]) -> None:
    bot = Driver()
    bot.configure(**config)

    assert (await bot.validate("static")).ok


async def test_the_test_connection_says_who_the_account_is(mp: MpStandin, bot: Driver) -> None:
    result = await bot.validate("live")

    assert result.ok and not result.warnings and result.identity is not None
    assert result.identity.external_id == APP_ID


async def test_the_test_connection_finds_out_that_the_account_is_not_verified(
    mp: MpStandin, bot: Driver
) -> None:
    mp.platform.rules.verified = False

    result = await bot.validate("live")

    assert result.ok and [one.path for one in result.warnings] == ["/reply_mode"]
    assert (await bot.parse(writer().write({}))).inline_reply is not None
    mp.platform.rules.verified = True
    assert not (await bot.validate("live")).warnings
    assert (await bot.parse(writer().write({}))).inline_reply is None


@pytest.mark.parametrize(
    ("config", "path", "said"),
    [({"app_secret": "wrong"}, "/app_secret", "wrong or was reset"), ({"app_id": "wx0123456789"}, "/app_id", "")],
)  # fmt: skip
async def test_the_test_connection_points_at_what_is_wrong(
    bot: Driver, config: dict[str, Any], path: str, said: str
) -> None:
    bot.configure(**config)

    result = await bot.validate("live")

    assert [(one.path, one.code) for one in result.errors] == [(path, "auth_failed")]
    assert said in result.errors[0].message


async def test_the_test_connection_names_the_address_to_allow(mp: MpStandin, bot: Driver) -> None:
    mp.platform.rules.allowed_ip = False

    result = await bot.validate("live")

    assert "203.0.113.9" in result.errors[0].message


async def test_without_a_secret_there_is_nothing_to_test_but_something_to_say(
    mp: MpStandin, bot: Driver
) -> None:
    bot.configure(app_secret="")

    result = await bot.validate("live")

    assert result.ok and [one.path for one in result.warnings] == ["/app_secret"]
    assert not mp.platform.requests
