"""The life of nodes and of their database: who leaves, who dies, what happens while the server is away."""

import asyncio
import hashlib
import hmac
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.journeys.gateway_process import GatewayProcess, Refused
from tests.journeys.test_acceptance_1 import CHANNEL, KEY, install, throw, washed_ashore
from tests.postgres_server import PostgresServer, binaries, postgres
from tests.waiting import wait_for

pytestmark = pytest.mark.process
#: Short, so that nobody waits for what is the same with 15 s.
LEASE = {"WUNDER_STORE_LEASE_S": "1.5", "WUNDER_STORE_DATABASE_STALL_S": "1"}


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[GatewayProcess]]:
    """Two gateways on one database."""
    url = asyncio.run(postgres().new_database())
    with ExitStack() as stack:
        running: list[GatewayProcess] = []
        for number in range(2):
            place = tmp_path / f"node{number}"
            if running:
                share_key(running[0].data_dir, place)
            node = GatewayProcess(place, WUNDER_STORE_DATABASE_URL=url, **LEASE)
            running.append(stack.enter_context(node))
        yield running


def share_key(old: Path, new: Path) -> None:
    (new / "keys").mkdir(parents=True, mode=0o700)
    new.chmod(0o700)
    shutil.copy2(old / "keys/master.key", new / "keys/master.key")


def states(asked: GatewayProcess) -> dict[str, str]:
    return {one["url"]: one["state"] for one in asked.get("nodes")["items"]}


def test_a_node_that_leaves_says_so_and_one_that_dies_is_seen_to_be_dead(
    nodes: list[GatewayProcess],
) -> None:
    first, second = nodes
    wait_for(lambda: states(first) == {first.url: "serving", second.url: "serving"})
    before = second.url
    second.stop()
    assert states(first)[before] == "stopped"
    second.start()
    wait_for(lambda: states(first) == {first.url: "serving", second.url: "serving"})
    second.kill()
    wait_for(lambda: states(first)[second.url] == "dead")
    (view,) = [one for one in first.get("nodes")["items"] if one["url"] == second.url]
    assert view["seen_at"] >= view["started_at"]


def test_the_command_line_shows_no_plugin_as_running_on_a_node_that_died(
    nodes: list[GatewayProcess], tmp_path: Path
) -> None:
    first, second = nodes
    install(first, tmp_path / "shore.jsonl")
    wait_for(lambda: first.command("nodes").count(f"{CHANNEL} 1.0.0 ready") == 2)
    second.kill()
    wait_for(lambda: states(first)[second.url] == "dead")
    assert first.command("nodes").count(f"{CHANNEL} 1.0.0") == 1


def test_what_a_dead_node_had_in_hand_is_finished_by_the_other(
    nodes: list[GatewayProcess], tmp_path: Path
) -> None:
    first, second = nodes
    shore = tmp_path / "shore.jsonl"
    install(first, shore)

    def ready(node: GatewayProcess) -> bool:
        runtime = node.get(f"channel_plugins/{CHANNEL}")["runtime"]
        return bool(runtime) and runtime["state"] == "ready"

    for node in nodes:
        wait_for(lambda node=node: ready(node))
    wait_for(lambda: throw(second, "main", {"id": "0", "from": "p", "say": "0"})[0] == 200)
    taken = 0
    for number in range(1, 40):
        note = {"id": str(number), "from": f"p{number % 4}", "say": str(number)}
        taken += throw(second, "main", note)[0] == 200
    second.kill()

    def settled() -> bool:
        rows = first.get("channels/outbox", limit="200")["items"]
        waits = {"pending", "claimed", "sending", "streaming"}
        answered = [one for one in rows if one["state"] not in waits]
        return len(answered) == taken + 1

    wait_for(settled)
    rows = first.get("channels/outbox", limit="200")["items"]
    sent = {one["text"] for one in washed_ashore(shore)}
    parked = [one for one in rows if one["state"] == "unknown"]
    assert {one["state"] for one in rows} <= {"sent", "unknown"}
    assert len(sent) + len(parked) >= taken + 1, (
        "each was sent, or is parked because it may have been"
    )


# --- the server away ----------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of our own: it is stopped and started."""
    postgres()  # skips where there is none
    found = binaries()
    assert found is not None
    own = PostgresServer(found)
    own.start()
    yield own
    own.remove()


def probe(gateway: GatewayProcess, path: str) -> tuple[int, dict[str, Any]]:
    try:
        with urlopen(gateway.url + path, timeout=10) as response:
            return response.status, json.loads(response.read() or b"{}")
    except HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def post(gateway: GatewayProcess, number: int) -> tuple[int, str]:
    """A webhook; its status and Retry-After."""
    body = json.dumps({"id": str(number), "from": "ann", "say": f"n{number}"}).encode()
    signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    url = f"{gateway.url}/wunder/channel/{CHANNEL}/main/webhook"
    try:
        with urlopen(Request(url, body, {"X-Bottle": signature}), timeout=20) as response:
            return response.status, ""
    except HTTPError as error:
        return error.code, error.headers.get("Retry-After", "")


def test_while_the_server_is_away_webhooks_are_asked_to_come_again_and_it_recovers_by_itself(
    server: PostgresServer, tmp_path: Path
) -> None:
    url = asyncio.run(server.empty_database())
    shore = tmp_path / "shore.jsonl"
    with GatewayProcess(tmp_path / "data", WUNDER_STORE_DATABASE_URL=url, **LEASE) as gateway:
        install(gateway, shore)
        wait_for(lambda: post(gateway, 1)[0] == 200)
        wait_for(lambda: len(washed_ashore(shore)) == 1)
        assert probe(gateway, "/readyz")[0] == 200

        server.stop()
        status, retry_after = post(gateway, 2)
        assert status == 503
        assert retry_after.isdigit()
        assert int(retry_after) > 0
        wait_for(lambda: probe(gateway, "/readyz")[0] == 503)
        assert probe(gateway, "/readyz")[1]["checks"]["store"] == "unavailable"
        assert probe(gateway, "/healthz")[0] == 200, "it is alive, and must not be restarted"
        with pytest.raises(Refused) as refused:
            gateway.get("channels/outbox")
        assert refused.value.status == 503

        server.start()
        wait_for(lambda: probe(gateway, "/readyz")[0] == 200)
        wait_for(lambda: post(gateway, 2)[0] == 200)
        wait_for(lambda: len(washed_ashore(shore)) == 2)
        assert [note["text"] for note in washed_ashore(shore)] == ["n1", "n2"]


def test_a_gateway_that_starts_while_the_server_is_away_says_so_and_ends(tmp_path: Path) -> None:
    gateway = GatewayProcess(
        tmp_path / "data", WUNDER_STORE_DATABASE_URL="postgresql://me:s3cret@127.0.0.1:1/wunder"
    )
    with pytest.raises(AssertionError, match="did not start"):
        gateway.start()
    said = gateway.log.read_text()
    assert "s3cret" not in said
    assert "database" in said
