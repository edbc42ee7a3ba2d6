"""Setting an account up: its form, its checks, "test connection", and the package of the plugin."""

import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.standins.qq.callbacks import CallbackWriter
from tests.standins.qq.platform import QqPlatform
from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.api import QqConfig
from wunder_channels.qqbot.channel import ACK, QqChannel
from wunder_channels.qqbot.tests.driver import APP_ID, SECRET, Driver, request
from wunder_sdk import AccountLookup

HOME = Path(__file__).resolve().parents[1]
PLUGIN = HOME.parents[2] / "plugins/channel-qq"
SCHEMA = json.loads((HOME / "account.schema.json").read_text("utf-8"))
MANIFESTS = [HOME / "plugin.json", PLUGIN / "plugin.json"]


def test_the_form_and_the_config_name_the_same_fields_and_defaults() -> None:
    form = {name: one.get("default") for name, one in SCHEMA["properties"].items()}
    config = {
        one.name: one.default for one in fields(QqConfig) if one.name not in SCHEMA["required"]
    }

    assert {name: form[name] for name in config} == config
    assert set(form) == set(config) | set(SCHEMA["required"]) == set(SCHEMA["x-order"])
    assert all("zh-CN" in one["x-i18n"] for one in SCHEMA["properties"].values())
    assert [name for name, one in SCHEMA["properties"].items() if one.get("writeOnly")] == [
        "client_secret"
    ]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_the_manifest_says_what_the_channel_can_do(path: Path) -> None:
    manifest = json.loads(path.read_text("utf-8"))

    assert QqChannel.capabilities() == manifest["capabilities"]
    assert json.loads(manifest["webhook"]["ack"]["body"]) == ACK


def test_the_recipe_of_the_package_names_what_exists() -> None:
    recipe = tomllib.loads((PLUGIN / "pack.toml").read_text("utf-8"))

    missing = [source for source in recipe["include"].values() if not (PLUGIN / source).exists()]
    assert not missing
    assert {"plugin.json", "app/plugin.py", "schemas/account.schema.json"} <= set(recipe["include"])


@pytest.mark.parametrize(
    ("config", "path"),
    [({"app_id": "abc"}, "/app_id"), ({"client_secret": ""}, "/client_secret"),
     ({"api_base": "ftp://x"}, "/api_base"), ({"token_url": "nonsense"}, "/token_url"),
     ({"api_base": "http://[x"}, "/api_base"), ({"markdown": "maybe"}, "/markdown"),
     ({"links": "maybe"}, "/links"), ({"webhook_max_skew_s": 0}, "/webhook_max_skew_s"),
     ({"allow_active": "yes"}, "/allow_active")],
)  # fmt: skip
async def test_a_wrong_field_is_named(config: dict[str, Any], path: str) -> None:
    result = await Driver(**config).validate("static")

    assert not result.ok
    assert path in [one.path for one in result.errors]


async def test_the_test_connection_says_who_the_bot_is(qq: QqStandin, bot: Driver) -> None:
    result = await bot.validate("live")

    assert result.ok and result.identity is not None
    assert (result.identity.external_id, result.identity.display_name) == (
        qq.platform.profile["id"], "bot",
    )  # fmt: skip


async def test_the_test_connection_points_at_a_wrong_secret(bot: Driver) -> None:
    bot.configure(client_secret="wrong")

    result = await bot.validate("live")

    assert [(one.path, one.code) for one in result.errors] == [("/client_secret", "auth_failed")]


@pytest.mark.parametrize(
    ("api_base", "token_url", "address"),
    [("https://api.bot.qq.com", "", "https://api.bot.qq.com/app/getAppAccessToken"),
     ("https://api.sgroup.qq.com/", "", "https://bots.qq.com/app/getAppAccessToken"),
     ("https://sandbox.api.sgroup.qq.com", "", "https://bots.qq.com/app/getAppAccessToken"),
     ("https://notsgroup.qq.com", "", "https://notsgroup.qq.com/app/getAppAccessToken"),
     ("https://api.bot.qq.com", "https://x/t", "https://x/t")],
)  # fmt: skip
def test_tokens_come_from_where_the_api_is(api_base: str, token_url: str, address: str) -> None:
    assert QqConfig(APP_ID, SECRET, api_base, token_url).token_address == address


async def test_a_callback_names_its_account() -> None:
    callback = CallbackWriter(QqPlatform(APP_ID, SECRET)).write({"kind": "c2c"})
    nobody = {"x-bot-appid": "../etc"}

    found = await QqChannel().identify_account(request(callback.headers))
    assert found == AccountLookup("app_id", APP_ID)
    assert await QqChannel().identify_account(request(nobody)) is None
