"""Row S4: what a plugin did, for which account, in which version, and how well, is on record."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.qq_process import APP_ID, SECRET, QqProcess
from tests.waiting import wait_for
from wunder.plugins.pack import pack

pytestmark = pytest.mark.process
PACKED = Path(__file__).parents[2] / "plugins" / "channel-qq"
RELEASE = ("qq", "0.1.0")


@pytest.fixture
def qq(tmp_path: Path) -> Iterator[QqProcess]:
    with QqProcess(tmp_path) as process:
        yield process


@pytest.fixture
def gateway(tmp_path: Path, qq: QqProcess) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path / "data") as here:
        pack(PACKED, tmp_path / "qq.zip")
        release = here.upload((tmp_path / "qq.zip").read_bytes())
        approval = {"version": release["version"], "sha256": release["package_sha256"]}
        here.call("POST", "channel_plugins/qq/approve", approval)
        here.call("POST", "channel_plugins/qq/enable", {})
        config = {"app_id": APP_ID, "client_secret": SECRET, "api_base": qq.url}
        account = {"channel": "qq", "account_id": "main", "provider_config": config}
        key = here.call("POST", "channels/accounts", account)["webhook_key"]
        binding = {"channel": "qq", "account_id": "main", "agent_id": "echo"}
        here.call("POST", "channels/bindings", binding)
        qq.tell("webhook", url=f"{here.url}/wunder/channel/qq/{key}/webhook")
        yield here


def runtime(gateway: GatewayProcess) -> dict:
    return gateway.get("channel_plugins/qq/runtime")["nodes"][0]


def forged(gateway: GatewayProcess) -> int:
    headers = {"X-Bot-Appid": APP_ID, "X-Signature-Ed25519": "00" * 64}
    headers |= {"X-Signature-Timestamp": "1700000000", "Content-Type": "application/json"}
    return gateway.webhook("qq", "main", b'{"op":0,"t":"C2C_MESSAGE_CREATE","d":{}}', headers)[0]


def test_calls_errors_and_restarts_of_a_plugin_are_on_record(
    gateway: GatewayProcess, qq: QqProcess
) -> None:
    qq.send("one")
    wait_for(lambda: qq.texts() == ["one"])
    assert forged(gateway) == 401
    # QQ has it a moment before its answer is back.
    wait_for(lambda: "channel.send_outbound" in runtime(gateway)["methods"])
    methods = runtime(gateway)["methods"]
    parse, send = methods["channel.parse_inbound"], methods["channel.send_outbound"]
    assert parse["calls"] == 2
    assert parse["errors"] == {"signature_invalid": 1}
    assert send["calls"] == 1
    for figures in (parse, send):
        assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    os.kill(runtime(gateway)["pid"], signal.SIGKILL)
    wait_for(lambda: runtime(gateway)["state"] == "ready" and runtime(gateway)["restarts"] == 1)
    assert runtime(gateway)["last_exit"] == "signal 9"


def test_every_step_attempt_and_event_names_plugin_version_and_account(
    gateway: GatewayProcess, qq: QqProcess
) -> None:
    qq.send("hello")
    forged(gateway)
    wait_for(lambda: qq.texts() == ["hello"])

    def settled() -> list[dict]:
        found = gateway.get("channels/outbox", state="sent")["items"]
        return found if isinstance(found, list) else []

    wait_for(settled)
    delivery = settled()[0]
    trail = gateway.get(f"channels/messages/{delivery['root_message_id']}/trail")["items"]
    assert {step["account_id"] for step in trail} == {"main"}
    by_the_plugin = {"received", "parsed", "accepted", "sending", "sent"}
    named = [step for step in trail if step["step"] in by_the_plugin]
    assert len(named) == len(by_the_plugin)
    attempts = gateway.get(f"channels/outbox/{delivery['delivery_id']}/attempts")["items"]
    for one in (*named, *attempts):
        assert (one["plugin_id"], one["version"], one["account_id"]) == (*RELEASE, "main")

    def refusals() -> list[dict]:
        events = gateway.get("channels/events", plugin_id="qq")["items"]
        return [event for event in events if event["name"] == "webhook_refused"]

    wait_for(refusals)
    refused = refusals()[0]
    assert (refused["plugin_id"], refused["version"], refused["account_id"]) == (*RELEASE, "main")
    assert refused["fields"] == {"kind": "signature_invalid"}
