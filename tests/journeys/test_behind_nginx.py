"""deploy/nginx.conf as it stands, in front of real nodes: restarts, limits, who is believed, live events."""

import asyncio
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.docs.pages import ROOT
from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.test_many_nodes import CHANNEL, connect, install, running, washed_ashore
from tests.journeys.test_node_life import KEY, share_key
from tests.postgres_server import postgres
from tests.waiting import wait_for

pytestmark = pytest.mark.process
PLATFORMS, PEOPLE = "chat.example.org", "gateway.example.org"


def _program() -> str:
    for path in (None, "/usr/sbin", str(ROOT / ".nginx/usr/sbin")):
        if found := shutil.which("nginx", path=path):
            return found
    words = "no nginx on this machine: run tools/nginx.sh"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


class Nginx:
    """The file of deploy/, its names and its port taken from this machine, without TLS."""

    def __init__(self, place: Path, nodes: list[GatewayProcess]) -> None:
        program = _program()
        place.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        text = (ROOT / "deploy/nginx.conf").read_text("utf-8")
        for number, node in enumerate(nodes, 1):
            text = text.replace(f"node{number}:8080", node.url.removeprefix("http://"))
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{self.port}")
        text = re.sub(r"\n\s+ssl_certificate\S* .*", "", text)
        temporary = " ".join(
            f"{kind}_temp_path {place}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file = place / "nginx.conf"
        file.write_text(
            f"daemon off; worker_processes 1; pid {place}/pid; error_log {place}/log;"
            f" {'user root;' if os.geteuid() == 0 else ''}"
            f" events {{}} http {{ access_log off; {temporary} {text} }}"
        )
        self._process = subprocess.Popen([program, "-c", str(file)], stderr=subprocess.DEVNULL)
        wait_for(lambda: self.ask("GET", PLATFORMS, "/")[0] == 404)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)

    def ask(
        self, method: str, name: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers; 0 where it is not there yet."""
        sent = {"Host": name, **headers}
        request = Request(f"http://127.0.0.1:{self.port}{path}", body, sent, method=method)
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), dict(answer.headers)
        except HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace"), dict(error.headers)
        except OSError:
            return 0, "", {}

    def throw(self, number: int, **headers: str) -> tuple[int, dict[str, str]]:
        """Post a note as the platform does."""
        body = json.dumps({"id": f"m{number}", "from": f"p{number % 8}", "say": f"n{number}"})
        seal = hmac.new(KEY.encode(), body.encode(), hashlib.sha256).hexdigest()
        path = f"/wunder/channel/{CHANNEL}/main/webhook"
        sent = {"X-Bottle": seal, **headers}
        status, _, came = self.ask("POST", PLATFORMS, path, body.encode(), **sent)
        return status, came


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[GatewayProcess]]:
    """Three gateways that keep their ports over a restart, as nodes do."""
    url = asyncio.run(postgres().new_database())
    with ExitStack() as stack:
        running_nodes: list[GatewayProcess] = []
        for number in range(3):
            place = tmp_path / f"node{number}"
            if running_nodes:
                share_key(running_nodes[0].data_dir, place)
            node = GatewayProcess(
                place,
                WUNDER_STORE_DATABASE_URL=url,
                WUNDER_API_TRUSTED_PROXIES="127.0.0.1",
                WUNDER_API_ALLOWED_HOSTS=f"{PEOPLE},127.0.0.1",
                WUNDER_API_ACCESS_LOG="all",
            )
            running_nodes.append(stack.enter_context(node))
            node.settings["WUNDER_SERVER_PORT"] = node.url.rpartition(":")[2]
        yield running_nodes


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Nginx, GatewayProcess]]:
    """One gateway under all three names, for what one can show."""
    settings = {
        "WUNDER_API_TRUSTED_PROXIES": "127.0.0.1",
        "WUNDER_API_ALLOWED_HOSTS": PEOPLE,
        "WUNDER_API_ACCESS_LOG": "all",
    }
    with GatewayProcess(tmp_path / "data", **settings) as gateway:
        proxy = Nginx(tmp_path / "nginx", [gateway] * 3)
        yield proxy, gateway
        proxy.stop()


@pytest.fixture
def nginx(tmp_path: Path, nodes: list[GatewayProcess]) -> Iterator[Nginx]:
    proxy = Nginx(tmp_path / "nginx", nodes)
    yield proxy
    proxy.stop()


def answered(node: GatewayProcess) -> int:
    """How many webhooks it took so far, all its lives together."""
    lines = node.log.read_text("utf-8").splitlines()
    return sum('"path":"/wunder/channel/' in line and '"status":200' in line for line in lines)


def test_a_rolling_restart_is_not_noticed_by_platforms(
    nginx: Nginx, nodes: list[GatewayProcess], tmp_path: Path
) -> None:
    shore = tmp_path / "shore.jsonl"
    install(nodes[0])
    connect(nodes[0], shore)
    for node in nodes:
        wait_for(lambda node=node: running(node) == ("1.0.0", "ready"))
    wait_for(lambda: nginx.throw(0)[0] == 200)
    is_over = False

    def traffic() -> list[int]:
        came, number = [], 1
        while not is_over:
            came.append(nginx.throw(number)[0])
            number += 1
        return came

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(traffic)
        for node in nodes:
            before = answered(node)
            node.stop()
            node.start()
            # As the file says: the next one only when nginx has taken this one back.
            wait_for(lambda node=node, before=before: answered(node) > before)
        is_over = True
        came = sending.result(60)
    assert set(came) == {200}, "another node answered for the one that was away"
    wait_for(lambda: len(washed_ashore(shore)) == len(came) + 1)
    texts = [one["text"] for one in washed_ashore(shore)]
    assert len(set(texts)) == len(texts), "nothing twice"


def test_with_no_node_left_the_platform_is_asked_to_come_again(
    alone: tuple[Nginx, GatewayProcess],
) -> None:
    nginx, gateway = alone
    gateway.stop()
    status, headers = nginx.throw(1)
    assert (status, headers["Retry-After"]) == (503, "5")


def test_platforms_see_their_paths_only_people_theirs_and_neither_speaks_for_the_proxy(
    alone: tuple[Nginx, GatewayProcess],
) -> None:
    nginx, gateway = alone
    for path in ("/", "/console/", "/metrics", "/readyz", "/wunder/admin/nodes"):
        assert nginx.ask("GET", PLATFORMS, path)[0] == 404
    assert nginx.ask("GET", PEOPLE, "/readyz")[0] == 200
    status, body, _ = nginx.ask("GET", PEOPLE, "/wunder/admin/nodes")
    assert (status, json.loads(body)["code"]) == (401, "token_needed")

    nginx.throw(1, **{"X-Forwarded-For": "203.0.113.9"})
    wait_for(lambda: '"path":"/wunder/channel/' in gateway.log.read_text())
    lines = [json.loads(one) for one in gateway.log.read_text().splitlines() if "_addr" in one]
    assert {one["remote_addr"] for one in lines} == {"127.0.0.1"}


def test_a_webhook_has_a_limit_at_the_door_and_a_package_passes_it(
    alone: tuple[Nginx, GatewayProcess],
) -> None:
    nginx, gateway = alone
    big = bytes(5 * 1024 * 1024 + 1)
    assert nginx.ask("POST", PLATFORMS, "/wunder/channel/x/y/webhook", big)[0] in (0, 413)
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    status, said, _ = nginx.ask(
        "POST",
        PEOPLE,
        "/wunder/admin/channel_plugins/upload",
        form + big + b"\r\n--x--\r\n",
        Authorization=f"Bearer {gateway.token}",
        **{"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert (status, json.loads(said)["code"]) == (422, "not_a_zip"), "the gateway itself judged it"


def test_live_events_pass_as_they_happen_and_go_on_at_another_node(
    nginx: Nginx, nodes: list[GatewayProcess]
) -> None:
    scopes = {"name": "page", "scopes": ["admin"]}
    token = nodes[0].call("POST", "tokens", scopes)["token"]
    opened = Request(
        f"http://127.0.0.1:{nginx.port}/wunder/admin/events",
        headers={"Host": PEOPLE, "Authorization": f"Bearer {token}"},
    )

    def follow(number: int, last: str = "") -> str:
        if last:
            opened.add_header("Last-Event-ID", last)
        with urlopen(opened, timeout=10) as stream:
            began = time.monotonic()
            agent = {"agent_id": f"a{number}", "kind": "echo", "config": {}}
            changed = False
            for line in stream:
                if not changed and line.startswith(b"event: hello"):
                    nodes[2].call("POST", "agents", agent)
                    changed = True
                if f'"agent_id":"a{number}"'.encode() in line:
                    return last
                if line.startswith(b"id: "):
                    last = line[4:].decode().strip()
                assert time.monotonic() - began < 10
        raise AssertionError("the stream ended")

    last = follow(1)
    for node in nodes[:2]:
        node.stop()
    follow(2, last)
