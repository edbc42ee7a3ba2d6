"""Each channel's README, followed word by word: its fields, its steps, until somebody is answered."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.standins.journey import CHANNELS
from tests.standins.kinds import KINDS, Kind
from tests.waiting import until
from wunder.providers.builtin import bundled_channels

kinds = pytest.mark.parametrize("kind", KINDS, ids=str)
#: What the platform's console is told besides, to check the address.
CONSOLE = {"verify_token": "verify-me-7Q"}


def folder_of(kind: Kind) -> Path:
    """The channel's folder."""
    bundled = {one.manifest.plugin_id: one.folder for one in bundled_channels()}
    return CHANNELS / bundled[kind.channel]


def asked_for(kind: Kind) -> dict[str, Any]:
    """The fields that nobody can do without, as the form shows them."""
    schema = json.loads((folder_of(kind) / "account.schema.json").read_text("utf-8"))
    given = kind.account("http://platform")
    return {
        name: field
        for name, field in schema["properties"].items()
        if name in given and not field.get("x-advanced") and not field.get("default")
    }


def bold(text: str) -> set[str]:
    """What a page sets in bold, small letters."""
    return {found.lower() for found in re.findall(r"\*\*([^*\n]+)\*\*", text)}


def is_named(title: str, text: str) -> bool:
    """Is the field named in bold, by its title or the words of it that a console uses?"""
    names = bold(text)
    words = [one for one in re.split(r"[\s/()（）]+", title.lower()) if one]
    return any(title.lower() in name or name in title.lower() for name in names) or all(
        any(word in name for name in names) for word in words
    )


@kinds
def test_the_readme_names_every_field_in_both_languages(kind: Kind) -> None:
    readme = (folder_of(kind) / "README.md").read_text("utf-8")
    chinese, english = readme[readme.index("## 中文") :].split("## English", 1)
    for name, field in asked_for(kind).items():
        assert is_named(field["title"], english), (name, field["title"])
        assert is_named(field["x-i18n"]["zh-CN"]["title"], chinese), name


@kinds
def test_both_languages_have_the_same_steps(kind: Kind) -> None:
    readme = (folder_of(kind) / "README.md").read_text("utf-8")
    parts = re.split(r"^## ", readme, flags=re.M)
    steps = {
        language: [len(re.findall(r"^[0-9]+\. ", part, flags=re.M)) for part in parts
                   if part.startswith(language)]
        for language in ("中文", "English")
    }  # fmt: skip
    assert steps["中文"] == steps["English"] and steps["English"][0] >= 5


@pytest.mark.process
@kinds
async def test_the_readme_leads_to_an_account_that_answers(kind: Kind, tmp_path: Path) -> None:
    async with kind.standin() as standin:
        allowed = standin.url.removeprefix("http://")
        gateway = GatewayProcess(tmp_path / "data", WUNDER_EGRESS_ALLOW_HOSTS=allowed)

        async def call(path: str, body: dict[str, Any]) -> Any:
            return await asyncio.to_thread(gateway.call, "POST", path, body)

        async with aiohttp.ClientSession(standin.url) as console:

            async def tell(what: str, **body: Any) -> Any:
                async with console.post(f"/standin/{what}", json=body) as answer:
                    return await answer.json()

            await asyncio.to_thread(gateway.start)
            try:
                # Create an account: channel, the values of the console.
                config = kind.account(standin.url)
                made = await call(
                    "channels/accounts",
                    {"channel": kind.channel, "account_id": "main", "provider_config": config},
                )
                # "Test connection" shows the bot's name.
                tested = await call(f"channels/accounts/{kind.channel}/main/test", {})
                binding = {"channel": kind.channel, "account_id": "main", "agent_id": "echo"}
                await call("channels/bindings", binding)
                # Copy the account's webhook URL, paste it into the console: it checks the address.
                await tell("webhook", url=gateway.url + made["webhook_url"])
                checked = await tell("check", **CONSOLE)
                # Write to the bot: it answers.
                said = await tell("send", text="你好", **kind.asked)

                assert made["status"] == "enabled"
                assert tested["is_ok"] and tested["external_id"]
                assert checked["ok"], checked
                assert [one["status"] for one in said["answers"]] == [200]
                platform: Any = standin.platform  # type: ignore[attr-defined]  # every stand-in has one
                await until(lambda: [one.text for one in platform.sent] == ["你好"])
            finally:
                await asyncio.to_thread(gateway.stop)
