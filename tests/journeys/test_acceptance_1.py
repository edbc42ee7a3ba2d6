"""Acceptance 1, rows N4, N5: a channel unknown to the repository does in, agent, out; no core change."""

import hashlib
import hmac
import json
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.journeys.gateway_process import GatewayProcess, Refused
from tests.journeys.new_channel import package
from tests.waiting import until

pytestmark = pytest.mark.process
CHANNEL = "bottle_post"
KEY = "salt-and-wind"


def schema_of(data_dir: Path) -> list[tuple]:
    database = next(data_dir.glob("*.db"))
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        return sorted(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall())


def throw(gateway: GatewayProcess, account: str, note: dict, key: str = KEY) -> tuple[int, bytes]:
    body = json.dumps(note).encode()
    signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return gateway.webhook(CHANNEL, account, body, {"X-Bottle": signature})


def washed_ashore(shore: Path) -> list[dict]:
    return [json.loads(line) for line in shore.read_text().splitlines()] if shore.exists() else []


def install(gateway: GatewayProcess, shore: Path) -> dict:
    release = gateway.upload(package(CHANNEL))
    with pytest.raises(Refused) as refused:
        gateway.call("POST", f"channel_plugins/{CHANNEL}/enable", {})
    assert refused.value.status == 409
    approval = {"version": "1.0.0", "sha256": release["package_sha256"]}
    gateway.call("POST", f"channel_plugins/{CHANNEL}/approve", approval)
    gateway.call("POST", f"channel_plugins/{CHANNEL}/enable", {})
    account = {
        "channel": CHANNEL,
        "account_id": "main",
        "provider_config": {"shore": str(shore), "key": KEY},
    }
    made = gateway.call("POST", "channels/accounts", account)
    binding = {"channel": CHANNEL, "account_id": "main", "agent_id": "echo"}
    gateway.call("POST", "channels/bindings", binding)
    return made


async def test_a_new_channel_is_written_uploaded_and_answers_without_a_change_to_the_core(
    tmp_path: Path,
) -> None:
    shore = tmp_path / "shore.jsonl"
    with GatewayProcess(tmp_path / "data") as gateway:
        before = schema_of(gateway.data_dir)
        account = install(gateway, shore)
        assert account["provider_config"]["key"] == {"set": True}
        status, _ = throw(gateway, account["webhook_key"], {"id": "1", "from": "ann", "say": "hi"})
        assert status == 200
        await until(lambda: washed_ashore(shore))
        assert [(n["to"], n["text"]) for n in washed_ashore(shore)] == [("ann", "hi")]
        assert throw(gateway, "main", {"id": "2", "from": "eve", "say": "x"}, "wrong")[0] == 401
        assert CHANNEL in {p["channel"] for p in gateway.get("channels/providers")["items"]}
        assert schema_of(gateway.data_dir) == before


async def test_rule_13_a_plugin_whose_files_changed_is_not_started_again(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path / "data") as gateway:
        install(gateway, tmp_path / "shore.jsonl")
        program = next(gateway.data_dir.glob("channel_plugins/*/1.0.0/*/bin/any/plugin"))
        program.parent.chmod(0o755)
        program.chmod(0o755)
        program.write_text(program.read_text() + "# changed\n")
        node = gateway.get(f"channel_plugins/{CHANNEL}/runtime")["nodes"][0]
        os.kill(node["pid"], signal.SIGKILL)

        def view() -> dict:
            return gateway.get(f"channel_plugins/{CHANNEL}")

        await until(lambda: view()["status"] == "error")
        assert "bin/any/plugin" in view()["last_error"]


async def test_a_restart_finds_the_plugin_the_account_and_the_binding_again(tmp_path: Path) -> None:
    shore = tmp_path / "shore.jsonl"
    with GatewayProcess(tmp_path / "data") as gateway:
        install(gateway, shore)
        gateway.kill()
        gateway.start()

        def answered() -> bool:
            return throw(gateway, "main", {"id": "1", "from": "ann", "say": "hi"})[0] == 200

        await until(answered)
        await until(lambda: washed_ashore(shore))
        assert len(washed_ashore(shore)) == 1
