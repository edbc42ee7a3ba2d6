"""Several real gateways on one PostgreSQL: one is told something, all of them do it."""

import asyncio
import hashlib
import hmac
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.gateway_process import GatewayProcess, Refused
from tests.journeys.new_channel import package
from tests.postgres_server import postgres
from tests.standins.agent.server import AgentServer
from tests.waiting import wait_for
from wunder.cli.failure import OK
from wunder.cli.main import main

pytestmark = pytest.mark.process
CHANNEL = "bottle_post"
KEY = "salt-and-wind"
#: Nothing is read again now and then: what a node does not hear of, it never learns.
BY_WORD_ALONE = """
import sys, wunder.app.gateway as gateway
gateway.POLL_S = 1e9
from wunder.cli.main import main
sys.exit(main())
"""


@pytest.fixture
def url() -> str:
    return asyncio.run(postgres().new_database())


@pytest.fixture
def nodes(url: str, tmp_path: Path) -> Iterator[list[GatewayProcess]]:
    """Three gateways with one key and a data directory each."""
    with ExitStack() as stack:
        running: list[GatewayProcess] = []
        for number in range(3):
            place = tmp_path / f"node{number}"
            if running:
                (place / "keys").mkdir(parents=True, mode=0o700)
                place.chmod(0o700)
                shutil.copy2(running[0].data_dir / "keys/master.key", place / "keys/master.key")
            node = GatewayProcess(
                place, WUNDER_STORE_DATABASE_URL=url, WUNDER_EGRESS_ALLOW_HOSTS="127.0.0.1"
            )
            node.program = (sys.executable, "-c", BY_WORD_ALONE)
            running.append(stack.enter_context(node))
        yield running


def throw(node: GatewayProcess, number: str, say: str) -> int:
    body = json.dumps({"id": number, "from": "ann", "say": say}).encode()
    signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    return node.webhook(CHANNEL, "main", body, {"X-Bottle": signature})[0]


def install(node: GatewayProcess, version: str = "1.0.0") -> None:
    release = node.upload(package(CHANNEL, version=version))
    approval = {"version": version, "sha256": release["package_sha256"]}
    node.call("POST", f"channel_plugins/{CHANNEL}/approve", approval)
    node.call("POST", f"channel_plugins/{CHANNEL}/enable", {"version": version})


def connect(node: GatewayProcess, shore: Path) -> None:
    settings = {"shore": str(shore), "key": KEY}
    account = {"channel": CHANNEL, "account_id": "main", "provider_config": settings}
    node.call("POST", "channels/accounts", account)
    binding = {"channel": CHANNEL, "account_id": "main", "agent_id": "echo"}
    node.call("POST", "channels/bindings", binding)


def running(node: GatewayProcess) -> tuple[str, str]:
    """The version and the state of the plugin's process on this very node."""
    try:
        runtime = node.get(f"channel_plugins/{CHANNEL}")["runtime"]
    except (Refused, OSError):
        return "", ""
    return (runtime["version"], runtime["state"]) if runtime else ("", "")


def test_a_plugin_enabled_on_one_node_runs_on_all_and_any_takes_its_webhooks(
    nodes: list[GatewayProcess], tmp_path: Path
) -> None:
    first, second, third = nodes
    shore = tmp_path / "shore.jsonl"
    install(first)
    connect(second, shore)
    for node in nodes:
        wait_for(lambda node=node: running(node) == ("1.0.0", "ready"))
        wait_for(lambda node=node: throw(node, "hello", "hello") == 200)
    for number, node in enumerate(nodes):
        assert throw(node, f"m{number}", f"text {number}") == 200
    wait_for(lambda: len(washed_ashore(shore)) >= 4)
    texts = [one["text"] for one in washed_ashore(shore)]
    assert sorted(texts) == ["hello", "text 0", "text 1", "text 2"], "a repeat is one message"

    install(third, "1.1.0")
    for node in nodes:
        wait_for(lambda node=node: running(node) == ("1.1.0", "ready"))
    assert len(list(second.data_dir.glob(f"channel_plugins/{CHANNEL}/*/*/plugin.json"))) == 2

    second.call("POST", f"channel_plugins/{CHANNEL}/disable")
    for node in nodes:
        wait_for(lambda node=node: running(node)[1] == "stopped")
        wait_for(lambda node=node: throw(node, "late", "late") in (404, 503))

    first.call("POST", f"channel_plugins/{CHANNEL}/enable", {"version": "1.0.0"})
    for node in nodes:
        wait_for(lambda node=node: running(node) == ("1.0.0", "ready"))
    view = first.get(f"channel_plugins/{CHANNEL}")
    assert {(one["version"], one["is_alive"]) for one in view["nodes"]} == {("1.0.0", True)}
    assert len(view["nodes"]) == 3


def test_a_node_that_comes_later_has_everything(
    nodes: list[GatewayProcess], tmp_path: Path
) -> None:
    first, _, third = nodes
    third.stop()
    install(first)
    connect(first, tmp_path / "shore.jsonl")
    third.start()
    wait_for(lambda: running(third) == ("1.0.0", "ready"))
    assert throw(third, "m", "x") == 200
    first.call("POST", f"channel_plugins/{CHANNEL}/disable")
    first.call("DELETE", f"channel_plugins/{CHANNEL}/1.0.0")
    wait_for(lambda: not list(third.data_dir.glob("channel_plugins/*/*/*/plugin.json")))


def washed_ashore(shore: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shore.read_text().splitlines()] if shore.exists() else []


def test_the_command_line_shows_what_runs_on_each_node(
    nodes: list[GatewayProcess], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *_ = nodes
    install(first)
    for node in nodes:
        wait_for(lambda node=node: running(node) == ("1.0.0", "ready"))
    monkeypatch.setenv("WUNDER_DATA_DIR", str(first.data_dir))
    assert main(["plugin", "show", CHANNEL]) == OK
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    ids = [one["node_id"][:12] for one in first.get("nodes")["items"]]
    shown = {line[0]: line[1:4] for line in lines if line and line[0] in ids}
    assert shown == {key: ["yes", "1.0.0", "ready"] for key in ids}
    assert main(["nodes"]) == OK
    assert capsys.readouterr().out.count(f"{CHANNEL} 1.0.0 ready") == 3


async def test_an_agent_that_answers_later_may_reach_another_node_than_the_one_that_asked(
    nodes: list[GatewayProcess], tmp_path: Path
) -> None:
    first, _, third = nodes
    shore = tmp_path / "shore.jsonl"
    server = AgentServer("a secret between us")
    await server.start()
    server.answer("", 202)
    try:
        settings = {"url": server.url, "signing_secret": "a secret between us"}
        await asyncio.to_thread(install, first)
        await asyncio.to_thread(connect, first, shore)
        agent = {"agent_id": "clerk", "kind": "http", "config": settings, "is_default": False}
        await asyncio.to_thread(first.call, "POST", "agents", agent)
        binding = {"channel": CHANNEL, "account_id": "main", "agent_id": "clerk", "priority": 9}
        await asyncio.to_thread(first.call, "POST", "channels/bindings", binding)
        await asyncio.to_thread(wait_for, lambda: running(first) == ("1.0.0", "ready"))
        assert await asyncio.to_thread(throw, first, "m", "well?") == 200
        async with asyncio.timeout(20):
            await server.was_asked.wait()
        turn_id, token = server.turns[0]["turn_id"], server.headers[0]["X-Wunder-Turn-Token"]
        path, said = f"/wunder/agent/turns/{turn_id}/replies", {"replies": [{"text": "yes"}]}
        with pytest.raises(Refused) as refused:
            await asyncio.to_thread(third.call, "POST", path, said, Authorization="Bearer forged")
        assert refused.value.status == 404
        mine = {"Authorization": f"Bearer {token}"}
        await asyncio.to_thread(third.call, "POST", path, said, **mine)
        await asyncio.to_thread(wait_for, lambda: len(washed_ashore(shore)) == 1)
        assert washed_ashore(shore)[0]["text"] == "yes"
    finally:
        await server.stop()


def test_each_kind_of_setting_reaches_every_node(nodes: list[GatewayProcess]) -> None:
    """Scaling guide: by word of the commit; the slow poll behind it is off here."""
    first, second, third = nodes
    install(second)

    def on_all(path: str, holds: Callable[[Any], bool]) -> None:
        for node in nodes:
            wait_for(lambda node=node: holds(answered(node, path)))

    first.call("POST", "agents", {"agent_id": "clerk", "kind": "echo", "config": {"prefix": "> "}})
    on_all("agents/clerk", lambda one: one.get("config") == {"prefix": "> "})
    change = {"agent_id": "clerk", "kind": "echo", "config": {"prefix": "# "}}
    third.call("PUT", "agents/clerk", change)
    on_all("agents/clerk", lambda one: one.get("config") == {"prefix": "# "})

    connect(second, nodes[0].data_dir.parent / "shore.jsonl")
    place = f"channels/accounts/{CHANNEL}/main"
    on_all(place, lambda one: one.get("status") == "enabled")
    for node in nodes:
        wait_for(lambda node=node: running(node) == ("1.0.0", "ready"))
        wait_for(lambda node=node: throw(node, "m", "hello") == 200)
    first.call("PATCH", place, {"is_enabled": False})
    for node in nodes:
        wait_for(lambda node=node: throw(node, "late", "late") in (404, 503))
    third.call("PATCH", place, {"is_enabled": True})
    for node in nodes:
        wait_for(lambda node=node: throw(node, "m", "hello") == 200)

    made = second.call("POST", "tokens", {"name": "ci", "scopes": ["read"]})
    mine = {"Authorization": f"Bearer {made['token']}"}
    for node in nodes:
        wait_for(lambda node=node: node.call("GET", "agents", **mine)["items"] != [])
    (token_id,) = [one["token_id"] for one in first.get("tokens")["items"] if one["name"] == "ci"]
    first.call("DELETE", f"tokens/{token_id}")

    def is_refused(node: GatewayProcess) -> bool:
        try:
            node.call("GET", "agents", **mine)
        except Refused as refused:
            return refused.status == 401
        return False

    for node in nodes:
        wait_for(lambda node=node: is_refused(node))


def answered(node: GatewayProcess, path: str) -> dict[str, Any]:
    """What a node says; nothing where it knows of none."""
    try:
        found: dict[str, Any] = node.get(path)
    except Refused:
        return {}
    return found
