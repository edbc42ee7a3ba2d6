"""Rows N1b, N7, R: QQ works built in and as a plugin, and switches between them in mid-traffic."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.gateway_process import GatewayProcess, Refused
from tests.journeys.qq_process import APP_ID, SECRET, QqProcess
from tests.waiting import wait_for
from wunder.plugins.pack import pack

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
PACKED = ROOT / "plugins" / "channel-qq"


@pytest.fixture
def qq(tmp_path: Path) -> Iterator[QqProcess]:
    with QqProcess(tmp_path) as process:
        yield process


@pytest.fixture
def gateway(tmp_path: Path, qq: QqProcess) -> Iterator[GatewayProcess]:
    allowed = qq.url.removeprefix("http://")
    with GatewayProcess(tmp_path / "data", WUNDER_EGRESS_ALLOW_HOSTS=allowed) as process:
        yield process


def add_account(gateway: GatewayProcess, qq: QqProcess, channel: str) -> dict:
    config = {"app_id": APP_ID, "client_secret": SECRET, "api_base": qq.url}
    account = {"channel": channel, "account_id": "main", "provider_config": config}
    made = gateway.call("POST", "channels/accounts", account)
    assert made["status"] == "enabled", made
    binding = {"channel": channel, "account_id": "main", "agent_id": "echo"}
    gateway.call("POST", "channels/bindings", binding)
    key = made["webhook_key"]
    qq.tell("webhook", url=f"{gateway.url}/wunder/channel/{channel}/{key}/webhook")
    return made


def install_plugin(gateway: GatewayProcess, tmp_path: Path) -> None:
    target = tmp_path / "channel-qq.zip"
    pack(PACKED, target)
    release = gateway.upload(target.read_bytes())
    plugin_id, version = release["plugin_id"], release["version"]
    approval = {"version": version, "sha256": release["package_sha256"]}
    gateway.call("POST", f"channel_plugins/{plugin_id}/approve", approval)


@pytest.mark.parametrize("way", ["builtin", "plugin"])
def test_a_signed_private_message_and_a_group_mention_are_answered(
    way: str, gateway: GatewayProcess, qq: QqProcess, tmp_path: Path
) -> None:
    if way == "plugin":
        install_plugin(gateway, tmp_path)
        gateway.call("POST", "channel_plugins/qq/enable", {})
    add_account(gateway, qq, "qq")
    assert qq.tell("check", plain_token="abc123")["ok"]
    said = qq.send("你好", peer="ann", sender="ann")
    assert [one["status"] for one in said["answers"]] == [200]
    qq.send("/ping", kind="group_at", peer="g1", sender="ann")
    wait_for(lambda: len(qq.sent()) == 2)
    assert qq.texts("ann") == ["你好"]
    assert qq.texts("g1") == ["/ping"]
    sent = gateway.get("channels/messages", direction="in")["items"][-1]
    done: list[dict[str, str]] = []

    def is_settled() -> bool:
        trail = gateway.get(f"channels/messages/{sent['message_id']}/trail")["items"]
        done[:] = [step for step in trail if step["step"] == "sent"]
        return bool(done)

    wait_for(is_settled)  # QQ has it a moment before that is committed
    version = "builtin@0.1.0" if way == "builtin" else "0.1.0"
    assert (done[0]["version"], done[0]["account_id"]) == (version, "main")


def test_enabling_over_a_live_built_in_says_whom_it_takes_over_and_asks(
    gateway: GatewayProcess, qq: QqProcess, tmp_path: Path
) -> None:
    add_account(gateway, qq, "qq")
    install_plugin(gateway, tmp_path)
    with pytest.raises(Refused) as refused:
        gateway.call("POST", "channel_plugins/qq/enable", {})
    assert refused.value.status == 409
    assert "main" in str(refused.value.problem)
    gateway.call("POST", "channel_plugins/qq/enable", {"confirm": "qq"})
    qq.send("hi", peer="ann", sender="ann")
    wait_for(lambda: qq.texts() == ["hi"])


def test_switching_between_built_in_and_plugin_in_mid_traffic_loses_and_doubles_nothing(
    gateway: GatewayProcess, qq: QqProcess, tmp_path: Path
) -> None:
    add_account(gateway, qq, "qq")
    install_plugin(gateway, tmp_path)
    gateway.call("POST", "channel_plugins/qq/enable", {"confirm": "qq"})
    wanted = []
    for number in range(24):
        if number % 8 == 4:
            gateway.call("POST", "channel_plugins/qq/source", {"source": "builtin"})
        if number % 8 == 0 and number:
            gateway.call("POST", "channel_plugins/qq/source", {"source": "plugin"})
        said = qq.send(f"n{number}", peer="ann", sender="ann", message_id=f"M{number}")
        assert said["answers"][0]["status"] == 200
        wanted.append(f"n{number}")
    wait_for(lambda: len(qq.sent()) >= len(wanted))
    assert qq.texts("ann") == wanted


def test_a_killed_plugin_answers_the_next_message(
    gateway: GatewayProcess, qq: QqProcess, tmp_path: Path
) -> None:
    install_plugin(gateway, tmp_path)
    gateway.call("POST", "channel_plugins/qq/enable", {})
    add_account(gateway, qq, "qq")
    pid = gateway.get("channel_plugins/qq/runtime")["nodes"][0]["pid"]
    os.kill(pid, signal.SIGKILL)
    said = qq.send("still there?", peer="ann", sender="ann")
    assert said["answers"][0]["status"] == 200
    wait_for(lambda: qq.texts() == ["still there?"])


def test_a_message_accepted_before_sigkill_is_answered_once_after_the_restart(
    gateway: GatewayProcess, qq: QqProcess
) -> None:
    add_account(gateway, qq, "qq")
    qq.tell("fault", kind="hang", times=1, hang_s=60)
    said = qq.send("before", peer="ann", sender="ann")
    assert said["answers"][0]["status"] == 200
    gateway.kill()
    gateway.start()
    wait_for(lambda: qq.texts() == ["before"])
