"""The set-up of the README, step by step: a gateway and the stand-in as processes of their own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.standins.process import StandinProcess
from tests.waiting import wait_for
from wunder_channels.wechat.tests.driver import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN

ROOT = Path(__file__).resolve().parents[4]
PAIR = {"token": TOKEN, "encoding_aes_key": AES_KEY}

pytestmark = pytest.mark.process


class WecomProcess(StandinProcess):
    """WeCom, and one app of it."""

    def __init__(self, folder: Path) -> None:
        keys = folder / "keys.json"
        keys.write_text(json.dumps({"secret": SECRET, **PAIR}), "utf-8")
        super().__init__("tests.standins.wecom", "--keys-file", str(keys))


@pytest.fixture
def wecom(tmp_path: Path) -> Iterator[WecomProcess]:
    with WecomProcess(tmp_path) as process:
        yield process


@pytest.fixture
def gateway(tmp_path: Path, wecom: WecomProcess) -> Iterator[GatewayProcess]:
    allowed = wecom.url.removeprefix("http://")
    with GatewayProcess(tmp_path / "data", WUNDER_EGRESS_ALLOW_HOSTS=allowed) as process:
        yield process


def _set_up(gateway: GatewayProcess, wecom: WecomProcess, **config: Any) -> dict[str, Any]:
    fields = {**config, **PAIR, "domain": wecom.url}
    account = {"channel": "wechat", "account_id": "main", "provider_config": fields}
    made: dict[str, Any] = gateway.call("POST", "channels/accounts", account)
    binding = {"channel": "wechat", "account_id": "main", "agent_id": "echo"}
    gateway.call("POST", "channels/bindings", binding)
    key = made["webhook_key"]
    wecom.tell("webhook", url=f"{gateway.url}/wunder/channel/wechat/{key}/webhook")
    return made


def test_an_app_is_set_up_and_answers(gateway: GatewayProcess, wecom: WecomProcess) -> None:
    made = _set_up(gateway, wecom, corp_id=CORP_ID, agent_id=AGENT_ID, secret=SECRET)

    assert made["status"] == "enabled"
    assert wecom.tell("check") == {"ok": True, "status": 200, "body": "4375120948345356249"}
    tested = gateway.call("POST", "channels/accounts/wechat/main/test", {})
    assert (tested["is_ok"], tested["display_name"]) == (True, "小助手")
    said = wecom.tell("send", text="你好", times=2)
    assert [one["status"] for one in said["answers"]] == [200, 200]
    wait_for(lambda: wecom.texts() == ["你好"])


def test_an_ai_bot_is_set_up_and_its_answer_is_shown_to_its_end(
    gateway: GatewayProcess, wecom: WecomProcess
) -> None:
    _set_up(gateway, wecom, mode="webhook", bot_name="小智", streaming=True)

    assert wecom.tell("check", bot=True)["ok"]
    said = wecom.tell("send", kind="bot_text", text="@小智 查天气", group="wrG1")
    assert said["shown"][0] == "…" and said["shown"][-1] == "查天气"
    assert wecom.texts() == ["查天气"]
