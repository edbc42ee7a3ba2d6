"""The command line speaks to the gateway that runs: found by its run file, or named by its address."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.new_channel import package
from tests.journeys.test_acceptance_1 import CHANNEL, KEY, throw, until, washed_ashore

pytestmark = pytest.mark.process
WUNDER = [sys.executable, "-m", "wunder.cli.main"]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with GatewayProcess(tmp_path_factory.mktemp("online") / "data") as running:
        yield running


def wunder(
    gateway: GatewayProcess, *line: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("WUNDER_")}
    return subprocess.run(
        [*WUNDER, "--data-dir", str(gateway.data_dir), *line],
        input=given,
        capture_output=True,
        text=True,
        timeout=50,
        env=environ,
        check=False,
    )


def said(gateway: GatewayProcess, *line: str, given: str = "") -> Any:
    done = wunder(gateway, "--json", *line, given=given)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shore(gateway, tmp_path_factory) -> Path:
    """A new channel, put to work from the terminal alone."""
    folder = tmp_path_factory.mktemp("shore")
    zipped = folder / "bottle.zip"
    zipped.write_bytes(package(CHANNEL))
    said(gateway, "plugin", "install", str(zipped), "--yes")
    said(gateway, "plugin", "enable", CHANNEL)
    config = json.dumps({"shore": str(folder / "shore.jsonl"), "key": KEY})
    account = said(gateway, "account", "add", f"{CHANNEL}/main", "--config-file", "-", given=config)
    assert account["status"] == "enabled"
    said(gateway, "binding", "add", "echo", "--account", f"{CHANNEL}/main")
    assert said(gateway, "account", "test", f"{CHANNEL}/main")["is_ok"] is True
    return folder / "shore.jsonl"


async def test_row_p7_one_id_follows_a_message_from_webhook_to_platform(gateway, shore):
    note = {"id": "t1", "from": "ann", "say": "where \x1b[31mis my [/red] message"}
    assert throw(gateway, "main", note)[0] == 200
    async with asyncio.timeout(20):
        await until(lambda: any(one["to"] == "ann" for one in washed_ashore(shore)))
    (message,) = [
        one for one in said(gateway, "message", "list", "--peer", "ann") if one["direction"] == "in"
    ]
    found = said(gateway, "trace", message["message_id"])
    steps = [step["step"] for step in found["steps"]]
    assert steps.index("accepted") < steps.index("queued") < steps.index("sent")
    sent = found["steps"][steps.index("sent")]
    assert (sent["plugin_id"], sent["version"], sent["account_id"]) == (CHANNEL, "1.0.0", "main")
    assert [one["state"] for one in found["deliveries"]] == ["sent"]

    for asked in (message["message_id"], found["deliveries"][0]["delivery_id"]):
        shown = wunder(gateway, "trace", asked)
        assert shown.returncode == 0, shown.stderr
        assert r"where \x1b[31mis my [/red] message" in shown.stdout
        assert f"{CHANNEL} 1.0.0" in shown.stdout
        assert "\x1b" not in shown.stdout


async def test_a_message_is_sent_first_once_for_each_key(gateway, shore):
    line = ("message", "send", f"{CHANNEL}/main", "user:bob", "--key", "k-1", "-")
    first = said(gateway, *line, given="good news")
    again = said(gateway, *line, given="good news")
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert first["delivery_id"] == again["delivery_id"]
    async with asyncio.timeout(20):
        await until(lambda: any(one["to"] == "bob" for one in washed_ashore(shore)))
    assert [one["text"] for one in washed_ashore(shore) if one["to"] == "bob"] == ["good news"]
    shown = said(gateway, "outbox", "show", first["delivery_id"])
    assert shown["delivery"]["state"] == "sent"
    assert [one["outcome"] for one in shown["attempts"]] == ["sent"]
    preview = said(gateway, "outbox", "replay", first["delivery_id"], "--dry-run")
    assert preview == {"total": 0, "groups": []}, "what arrived is not sent again"
    refused = wunder(gateway, "outbox", "replay", first["delivery_id"], "--yes")
    assert (refused.returncode, "1 of those named cannot go again" in refused.stderr) == (1, True)
    job = said(gateway, "outbox", "replay", first["delivery_id"], "--force", "--yes")
    assert (job["state"], job["done"]) == ("done", 1)
    async with asyncio.timeout(20):
        await until(lambda: len([o for o in washed_ashore(shore) if o["to"] == "bob"]) == 2)


async def test_a_delivery_that_waits_is_cancelled_from_the_terminal(gateway, shore):
    said(gateway, "plugin", "disable", CHANNEL)
    line = ("message", "send", f"{CHANNEL}/main", "user:eve", "--key", "k-2", "-")
    delivery_id = said(gateway, *line, given="never mind")["delivery_id"]
    asked = wunder(gateway, "outbox", "cancel", delivery_id)
    assert (asked.returncode, asked.stdout) == (2, ""), "nobody is there to be asked"
    done = said(gateway, "outbox", "cancel", delivery_id, "--yes")
    assert done == {"cancelled": [delivery_id], "left": []}
    assert said(gateway, "outbox", "show", delivery_id)["delivery"]["state"] == "cancelled"
    again = wunder(gateway, "outbox", "cancel", delivery_id, "--yes")
    assert (again.returncode, again.stdout) == (1, "0 deliveries cancelled.\n")
    assert delivery_id in again.stderr
    said(gateway, "plugin", "enable", CHANNEL)
    line = ("message", "send", f"{CHANNEL}/main", "user:eve", "--key", "k-3", "-")
    said(gateway, *line, given="this one")
    async with asyncio.timeout(20):
        await until(lambda: any(one["to"] == "eve" for one in washed_ashore(shore)))
    assert [one["text"] for one in washed_ashore(shore) if one["to"] == "eve"] == ["this one"]


async def test_a_text_is_corrected_from_the_terminal(gateway, shore):
    said(gateway, "plugin", "disable", CHANNEL)
    line = ("message", "send", f"{CHANNEL}/main", "user:kim", "--key", "k-4", "-")
    old_id = said(gateway, *line, given="at nine")["delivery_id"]
    early = wunder(gateway, "outbox", "correct", old_id, "at ten", "--yes")
    assert early.returncode == 1
    assert "Only what failed" in early.stderr
    said(gateway, "outbox", "cancel", old_id, "--yes")
    asked = wunder(gateway, "outbox", "correct", old_id, "at ten")
    assert (asked.returncode, asked.stdout) == (2, ""), "nobody is there to be asked"
    sent = said(gateway, "outbox", "correct", old_id, "-", "--yes", given="at ten")
    assert sent["predecessor_id"] == old_id
    old = said(gateway, "outbox", "show", old_id)["delivery"]
    assert (old["state"], old["successor_id"]) == ("cancelled", sent["delivery_id"])
    again = wunder(gateway, "outbox", "correct", old_id, "at one", "--yes")
    assert (again.returncode, sent["delivery_id"] in again.stderr) == (1, True)
    listed = wunder(gateway, "outbox", "list", "--peer", "kim").stdout
    assert "cancelled, corrected" in listed
    said(gateway, "plugin", "enable", CHANNEL)
    async with asyncio.timeout(20):
        await until(lambda: any(one["to"] == "kim" for one in washed_ashore(shore)))
    assert [one["text"] for one in washed_ashore(shore) if one["to"] == "kim"] == ["at ten"]


def test_taking_over_from_a_built_in_shows_what_is_exposed_and_wants_the_id(gateway):
    said(gateway, "plugin", "install", "plugins/channel-qq", "--yes")
    config = json.dumps({"app_id": "102000001", "client_secret": "s3cret"})
    said(gateway, "account", "add", "qq/shop", "--config-file", "-", "--name", "Shop", given=config)

    refused = wunder(gateway, "plugin", "enable", "qq")
    assert refused.returncode == 1
    assert "qq / shop / Shop" in refused.stderr
    assert "agree with --confirm qq" in refused.stderr
    assert "s3cret" not in refused.stdout + refused.stderr
    document = json.loads(wunder(gateway, "plugin", "enable", "qq", "--json").stdout)
    assert document["error"]["code"] == "takes_over_builtin"
    assert wunder(gateway, "plugin", "enable", "qq", "--confirm", "qqbot").returncode == 1

    assert said(gateway, "plugin", "enable", "qq", "--confirm", "qq")["serving"] == "plugin"
    assert said(gateway, "plugin", "source", "qq", "builtin")["serving"] == "builtin"
    assert said(gateway, "plugin", "disable", "qq")["status"] == "disabled"


def test_a_built_in_is_installed_as_a_plugin(gateway):
    view = said(gateway, "plugin", "install", "builtin:qqbot", "--yes")
    assert view["plugin_id"] == "qqbot"
    assert view["releases"][0]["is_approved"] is True
    shown = wunder(gateway, "plugin", "install", "builtin:nobody", "--yes")
    assert shown.returncode == 1
    assert "no built-in channel" in shown.stderr


def test_rule_16_the_first_run_token_is_traded_once(gateway, tmp_path):
    target = tmp_path / "token"
    said(gateway, "setup", "--name", "alice", "--to", str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    again = wunder(gateway, "setup")
    assert again.returncode == 1
    assert "no first-run token" in again.stderr

    named = [*WUNDER, "--json", "--url", gateway.url, "--token-file", str(target), "agent", "list"]
    done = subprocess.run(
        named, capture_output=True, text=True, timeout=50, cwd=tmp_path, check=True
    )
    assert "echo" in {agent["agent_id"] for agent in json.loads(done.stdout)}
    assert not (tmp_path / "data").exists()


def test_a_token_without_the_scope_is_told_which_it_lacks(gateway, tmp_path):
    target = tmp_path / "token"
    said(gateway, "token", "create", "sender", "--scope", "send", "--to", str(target))
    done = wunder(gateway, "--token-file", str(target), "account", "list")
    assert done.returncode == 1
    assert "`read`" in done.stderr
    assert "wunder token create --scope" in done.stderr
    target.write_text("wndr_wrong")
    assert (
        "expired or revoked" in wunder(gateway, "--token-file", str(target), "token", "list").stderr
    )


def test_the_doctor_finds_a_running_gateway_ready(gateway):
    findings = {one["name"]: one for one in said(gateway, "doctor")}
    assert findings["gateway"]["found"].startswith(f"runs at {gateway.url}")
    assert findings["store"]["verdict"] == "ok"
    assert all(one["advice"] for one in findings.values() if one["verdict"] != "ok")


def test_a_store_is_copied_while_the_gateway_serves(gateway, tmp_path):
    made = said(gateway, "backup", str(tmp_path / "copy.db"))
    assert Path(made["path"]).stat().st_size == made["size_bytes"]


def test_a_gateway_that_was_killed_leaves_a_run_file_that_nobody_trusts(tmp_path):
    gateway = GatewayProcess(tmp_path / "data").start()
    gateway.kill()
    assert (gateway.data_dir / "run" / "cli.json").exists()
    assert [agent["agent_id"] for agent in said(gateway, "agent", "list")] == ["echo"]
    os.chmod(gateway.data_dir / "run" / "cli.json", 0o644)
    refused = wunder(gateway, "agent", "list")
    assert refused.returncode == 1
    assert "not trusted" in refused.stderr


def test_a_second_gateway_says_who_is_in_its_way(gateway, tmp_path):
    port = gateway.url.rpartition(":")[2]
    held = wunder(gateway, "serve", "--port", "0")
    assert held.returncode == 1
    assert f"in use by process {gateway.pid}" in held.stderr
    taken = [*WUNDER, "serve", "--data-dir", str(tmp_path / "other"), "--port", port]
    done = subprocess.run(taken, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: address already in use" in done.stderr
    assert "Traceback" not in done.stderr
    nowhere = [*taken[:-2], "--host", "no-such-host.invalid", "--port", "0"]
    done = subprocess.run(nowhere, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 1
    assert "cannot listen on no-such-host.invalid:0" in done.stderr
    assert "Traceback" not in done.stderr


def test_serving_and_its_help_load_no_library_of_the_command_line():
    code = (
        "import sys; from wunder.cli.main import main; main(['serve', '--help']);"
        "print(sorted({'typer', 'rich', 'msgspec', 'asyncio'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stderr.strip() == "[]"
    assert done.stdout.startswith("usage: wunder serve")
