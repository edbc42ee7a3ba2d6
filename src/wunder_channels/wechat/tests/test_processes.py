"""The set-up of the README, step by step: a gateway and the stand-in as processes of their own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.waiting import wait_for
from wunder_channels.wechat.tests.driver import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN

ROOT = Path(__file__).resolve().parents[4]
PAIR = {"token": TOKEN, "encoding_aes_key": AES_KEY}

pytestmark = pytest.mark.process


class WecomProcess:
    """The stand-in, driven over its HTTP."""

    def __init__(self, folder: Path) -> None:
        keys = folder / "keys.json"
        keys.write_text(json.dumps({"secret": SECRET, **PAIR}), "utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.standins.wecom", "--keys-file", str(keys)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def tell(self, what: str, **body: Any) -> Any:
        """POST /standin/<what>."""
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/standin/{what}", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def texts(self) -> list[str]:
        """What members have seen, oldest first."""
        with urlopen(f"{self.url}/standin/sent", timeout=30) as answer:
            return [one["text"] for one in json.loads(answer.read())["messages"]]


@pytest.fixture
def wecom(tmp_path: Path) -> Iterator[WecomProcess]:
    process = WecomProcess(tmp_path)
    yield process
    process.stop()


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
