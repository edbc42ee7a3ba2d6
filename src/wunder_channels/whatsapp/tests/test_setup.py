"""Setting an account up: its form, its checks, "test connection", and its manifest."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.standins.whatsapp.server import WhatsAppStandin
from wunder_channels.whatsapp.channel import WhatsAppChannel
from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_channels.whatsapp.tests.driver import NUMBER_ID, SECRETS, Driver
from wunder_sdk import ProviderUnavailable

HOME = Path(__file__).resolve().parents[1]
SCHEMA = json.loads((HOME / "account.schema.json").read_text("utf-8"))
MANIFEST = json.loads((HOME / "plugin.json").read_text("utf-8"))


def test_the_form_and_the_config_name_the_same_fields_and_defaults() -> None:
    form = {name: one.get("default") for name, one in SCHEMA["properties"].items()}
    config = {
        one.name: one.default
        for one in fields(WhatsAppConfig)
        if one.name not in SCHEMA["required"]
    }

    assert {name: form[name] for name in config} == config
    assert set(form) == set(config) | set(SCHEMA["required"]) == set(SCHEMA["x-order"])
    assert all("zh-CN" in one["x-i18n"] for one in SCHEMA["properties"].values())
    secret = [name for name, one in SCHEMA["properties"].items() if one.get("writeOnly")]
    assert secret == list(SECRETS)


def test_the_manifest_says_what_the_channel_can_do() -> None:
    limits = MANIFEST["limits"]

    assert WhatsAppChannel.capabilities() == MANIFEST["capabilities"]
    assert limits["body_bytes"] == 3 * 1_048_576
    assert limits["frame_bytes"] >= limits["body_bytes"] * 4 / 3 + 128 * 1024
    # Meta delivers again for 7 days: what it repeats must be known that long.
    assert MANIFEST["webhook"]["redelivery_days"] >= 8
    assert "idempotency" not in MANIFEST


@pytest.mark.parametrize(
    ("config", "path"),
    [({"phone_number_id": "+1 555"}, "/phone_number_id"), ({"access_token": ""}, "/access_token"),
     ({"app_secret": ""}, "/app_secret"), ({"verify_token": "short"}, "/verify_token"),
     ({"app_secret": SECRETS["verify_token"]}, "/app_secret"), ({"waba_id": "x"}, "/waba_id"),
     ({"api_version": "24"}, "/api_version"), ({"api_base": "ftp://x"}, "/api_base"),
     ({"api_base": "http://[x"}, "/api_base"), ({"quote": "maybe"}, "/quote"),
     ({"fallback_template": "Not A Name"}, "/fallback_template"),
     ({"fallback_language": "english"}, "/fallback_language"), ({"part_pause_s": 9}, "/part_pause_s"),
     ({"mark_read": "yes"}, "/mark_read")],
)  # fmt: skip
async def test_a_wrong_field_is_named(config: dict[str, Any], path: str) -> None:
    result = await Driver(**config).validate("static")

    assert not result.ok
    assert path in [one.path for one in result.errors]


async def test_right_fields_are_right() -> None:
    assert (await Driver().validate("static")).ok


async def test_the_test_connection_names_the_number(bot: Driver) -> None:
    bot.configure(waba_id="102290129340398")

    result = await bot.validate("live")

    assert result.ok and not result.warnings and result.identity is not None
    assert (result.identity.external_id, result.identity.display_name) == (
        NUMBER_ID, "Lucky Shrub +1 555-078-3881",
    )  # fmt: skip


async def test_the_test_connection_warns_of_what_will_not_work(
    meta: WhatsAppStandin, bot: Driver
) -> None:
    bot.configure(waba_id="102290129340398")
    meta.platform.rules.subscribed = False
    meta.platform.rules.status, meta.platform.rules.quality = "PENDING", "RED"

    result = await bot.validate("live")

    assert result.ok
    assert [(one.path, one.code) for one in result.warnings] == [
        ("/phone_number_id", "status"), ("/phone_number_id", "quality"), ("/waba_id", "not_subscribed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "fault"),
    [({"access_token": "wrong"}, ("/access_token", "auth_failed")),
     ({"phone_number_id": "123456123"}, ("/phone_number_id", "unknown"))],
)  # fmt: skip
async def test_the_test_connection_points_at_the_wrong_field(
    bot: Driver, config: dict[str, Any], fault: tuple[str, str]
) -> None:
    bot.configure(**config)

    result = await bot.validate("live")

    assert [(one.path, one.code) for one in result.errors] == [fault]


async def test_a_platform_that_is_down_judges_no_configuration(bot: Driver) -> None:
    bot.configure(api_base="http://127.0.0.1:1")

    with pytest.raises(ProviderUnavailable):
        await bot.validate("live")
