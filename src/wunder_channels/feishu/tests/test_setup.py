"""Setting an account up: its form, its checks, "test connection", and the manifest."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.standins.feishu.callbacks import CallbackWriter
from tests.standins.feishu.platform import App, FeishuPlatform
from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.api import FeishuConfig
from wunder_channels.feishu.channel import ACK, FeishuChannel
from wunder_channels.feishu.tests.driver import (
    APP_ID,
    APP_SECRET,
    BOT_OPEN_ID,
    ENCRYPT_KEY,
    SECRETS,
    TOKEN,
    Driver,
    request,
)
from wunder_sdk import AccountLookup

HOME = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((HOME / "account.schema.json").read_text("utf-8"))
MANIFEST = json.loads((HOME / "plugin.json").read_text("utf-8"))


def test_the_form_and_the_config_name_the_same_fields_and_defaults() -> None:
    form = {name: one.get("default") for name, one in SCHEMA["properties"].items()}
    config = {
        one.name: one.default for one in fields(FeishuConfig) if one.name not in SCHEMA["required"]
    }

    assert {name: form[name] for name in config} == config
    assert set(form) == set(config) | set(SCHEMA["required"]) == set(SCHEMA["x-order"])
    assert len(SCHEMA["x-order"]) == len(form)
    for one in SCHEMA["properties"].values():
        assert {"title", "description"} <= one.keys()
        assert {"title", "description"} <= one["x-i18n"]["zh-CN"].keys()
    secrets = {name for name, one in SCHEMA["properties"].items() if one.get("writeOnly")}
    assert secrets == set(SECRETS)


def test_the_manifest_says_what_the_channel_can_do() -> None:
    assert FeishuChannel.capabilities() == MANIFEST["capabilities"]
    assert json.loads(MANIFEST["webhook"]["ack"]["body"]) == ACK
    assert MANIFEST["webhook"]["redelivery"] == "long"
    assert MANIFEST["idempotency"] == {"window_s": 3600, "applies_to": "all"}


@pytest.mark.parametrize(
    ("config", "path"),
    [({"app_id": "abc"}, "/app_id"), ({"app_secret": ""}, "/app_secret"),
     ({"domain": "ftp://x"}, "/domain"), ({"domain": "http://[x"}, "/domain"),
     ({"encrypt_key": "", "verification_token": ""}, "/verification_token"),
     ({"receive_id_type": "phone"}, "/receive_id_type"), ({"reply_style": "fax"}, "/reply_style"),
     ({"quote": "maybe"}, "/quote"), ({"max_clock_skew_s": -1}, "/max_clock_skew_s"),
     ({"long_connection_enabled": True}, "/long_connection_enabled"),
     ({"allow_at_all": "yes"}, "/allow_at_all")],
)  # fmt: skip
async def test_a_wrong_field_is_named(config: dict[str, Any], path: str) -> None:
    result = await Driver(**config).validate("static")

    assert not result.ok
    assert path in [one.path for one in result.errors]


@pytest.mark.parametrize("missing", ["encrypt_key", "verification_token"])
async def test_one_thing_to_check_by_is_enough(missing: str) -> None:
    assert (await Driver(**{missing: ""}).validate("static")).ok


async def test_the_test_connection_says_who_the_bot_is(feishu: FeishuStandin, bot: Driver) -> None:
    result = await bot.validate("live")

    assert result.ok and result.identity is not None
    assert (result.identity.external_id, result.identity.display_name) == (BOT_OPEN_ID, "小助手")


async def test_the_test_connection_points_at_a_wrong_secret(bot: Driver) -> None:
    bot.configure(app_secret="wrong")

    result = await bot.validate("live")

    assert [(one.path, one.code) for one in result.errors] == [("/app_secret", "auth_failed")]


async def test_the_test_connection_says_that_the_bot_is_off(
    feishu: FeishuStandin, bot: Driver
) -> None:
    object.__setattr__(feishu.platform.app, "bot_open_id", "")

    result = await bot.validate("live")

    assert [(one.path, one.code) for one in result.errors] == [("/app_id", "not_ready")]


@pytest.mark.parametrize(
    ("key", "v1", "app_id"), [("", False, APP_ID), ("", True, APP_ID), (ENCRYPT_KEY, False, None)]
)
async def test_an_event_in_the_clear_names_its_account(
    key: str, v1: bool, app_id: str | None
) -> None:
    writer = CallbackWriter(FeishuPlatform(App(APP_ID, APP_SECRET, TOKEN, key)))
    callback = writer.write({"kind": "p2p", "v1": v1})

    found = await FeishuChannel().identify_account(request(callback.headers, callback.body))

    assert found == (AccountLookup("app_id", app_id) if app_id else None)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<xml/>", b'{"header":{"app_id":"../etc"}}', b'{"header":7}']
)
async def test_anything_else_names_nobody(body: bytes) -> None:
    assert await FeishuChannel().identify_account(request({}, body)) is None
