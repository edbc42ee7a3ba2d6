"""deploy/haproxy.cfg as it stands, with TLS, in front of real nodes: restarts, who is believed, cookies, limits."""

import json
import os
import pwd
import signal
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.journeys.balancer import (
    BEHIND,
    PEOPLE,
    PLATFORMS,
    Balancer,
    ended,
    file_for,
    judges_packages_alone,
    keeps_people_and_platforms_apart,
    program,
    restarted_in_turn,
    three_nodes,
)
from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.test_many_nodes import connect, install, running, washed_ashore
from tests.waiting import wait_for

pytestmark = pytest.mark.process
NOTICE = {"WUNDER_SERVER_NOTICE_S": "3"}
PASSWORD = "three small boats"


class Haproxy(Balancer):
    """The file of deploy/, its port and certificate taken from this machine."""

    scheme = "https"

    def __init__(self, place: Path, nodes: list[GatewayProcess]) -> None:
        super().__init__()
        where = program("haproxy")
        certificate = _certificate(place / "certs")
        self.tls = ssl.create_default_context(cafile=str(certificate))
        self.tls.check_hostname = False
        text = file_for("haproxy.cfg", nodes)
        text = text.replace("/etc/haproxy/certs/", f"{place}/certs/")
        text = text.replace("bind :443", f"bind 127.0.0.1:{self.port}")
        text = text.replace("log /dev/log local0", "log stderr format raw local0")
        if os.geteuid() != 0 or not _has_user("haproxy"):
            text = text.replace("    user haproxy\n    group haproxy\n", "")
        file = place / "haproxy.cfg"
        file.write_text(text)
        checked = subprocess.run(
            [where, "-c", "-f", str(file)], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, "WARNING" in checked.stderr) == (0, False), checked.stderr
        self.log = place / "log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen([where, "-db", "-f", str(file)], stderr=log)
        wait_for(lambda: self.ask("GET", PLATFORMS, "/")[0] == 404)

    def stop(self) -> None:
        ended(self._process, signal.SIGTERM)


def _has_user(name: str) -> bool:
    return any(one.pw_name == name for one in pwd.getpwall())


def _certificate(place: Path) -> Path:
    place.mkdir(parents=True)
    path = place / "both.pem"
    made = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=x",
            "-keyout",
            "-",
            "-out",
            "-",
        ],
        capture_output=True,
        check=True,
    )
    path.write_bytes(made.stdout)
    return path


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Haproxy, GatewayProcess]]:
    """One gateway under all three names, for what one can show."""
    program("haproxy")  # before the gateway starts for nothing
    with GatewayProcess(tmp_path / "data", **BEHIND) as gateway:
        proxy = Haproxy(tmp_path / "haproxy", [gateway] * 3)
        wait_for(lambda: proxy.ask("GET", PEOPLE, "/readyz")[0] == 200)
        yield proxy, gateway
        proxy.stop()


def test_no_request_fails_and_nothing_is_lost_while_nodes_are_restarted(tmp_path: Path) -> None:
    program("haproxy")
    shore = tmp_path / "shore.jsonl"
    with three_nodes(tmp_path, **NOTICE) as nodes:
        proxy = Haproxy(tmp_path / "haproxy", nodes)
        install(nodes[0])
        connect(nodes[0], shore)
        for node in nodes:
            wait_for(lambda node=node: running(node) == ("1.0.0", "ready"))
        wait_for(lambda: proxy.throw(0)[0] == 200)
        bearer = f"Bearer {_api_token(nodes[0])}"
        is_over = False

        def traffic() -> list[int]:
            came, number = [], 1
            while not is_over:
                came.append(proxy.throw(number)[0])
                number += 1
            return came

        def changes() -> list[int]:
            came: list[int] = []
            while not is_over:
                agent = {"agent_id": f"a{len(came)}", "kind": "echo", "config": {}}
                path, body = "/wunder/admin/agents", json.dumps(agent).encode()
                sent = {"Authorization": bearer, "Content-Type": "application/json"}
                came.append(proxy.ask("POST", PEOPLE, path, body, **sent)[0])
            return came

        with ThreadPoolExecutor(2) as pool:
            sending, changing = pool.submit(traffic), pool.submit(changes)
            restarted_in_turn(nodes)
            is_over = True
            came, changed = sending.result(60), changing.result(60)
        proxy.stop()
        assert (set(came), set(changed)) == ({200}, {201}), proxy.log.read_text()
        wait_for(lambda: len(washed_ashore(shore)) == len(came) + 1)
        texts = [one["text"] for one in washed_ashore(shore)]
        assert len(set(texts)) == len(texts), "nothing twice"


def _api_token(node: GatewayProcess) -> str:
    token: str = node.call("POST", "tokens", {"name": "page", "scopes": ["admin"]})["token"]
    return token


def test_with_no_node_left_the_platform_is_asked_to_come_again(
    alone: tuple[Haproxy, GatewayProcess],
) -> None:
    proxy, gateway = alone
    gateway.stop()
    for _ in ("refused by the node", "known to be away"):
        status, headers = proxy.throw(1)
        assert (status, headers["Retry-After"]) == (503, "5")
        wait_for(lambda: "no server available" in proxy.log.read_text())


def test_platforms_see_their_paths_only_people_theirs_and_neither_speaks_for_the_proxy(
    alone: tuple[Haproxy, GatewayProcess],
) -> None:
    proxy, gateway = alone
    keeps_people_and_platforms_apart(proxy, gateway)
    assert proxy.ask("GET", "other.example.org", "/console/")[0] == 404


def test_the_cookie_of_a_session_is_for_tls_alone_where_the_balancer_speaks_it(
    alone: tuple[Haproxy, GatewayProcess],
) -> None:
    proxy, gateway = alone
    user = {"name": "alice", "role": "admin", "password": PASSWORD}
    gateway.call("POST", "users", user)
    body = json.dumps({"name": "alice", "password": PASSWORD}).encode()
    kind = {"Content-Type": "application/json", "Origin": f"https://{PEOPLE}"}
    status, said, headers = proxy.ask("POST", PEOPLE, "/wunder/session", body, **kind)
    assert status in (200, 201), said
    cookie = SimpleCookie(headers["Set-Cookie"])["wunder_session"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "strict")


def test_a_webhook_has_a_limit_at_the_door_and_a_package_passes_it(
    alone: tuple[Haproxy, GatewayProcess],
) -> None:
    proxy, gateway = alone
    judges_packages_alone(proxy, gateway)


def test_live_events_pass_as_they_happen(alone: tuple[Haproxy, GatewayProcess]) -> None:
    proxy, gateway = alone
    bearer = f"Bearer {_api_token(gateway)}"
    opened = Request(
        f"{proxy.url}/wunder/admin/events", headers={"Host": PEOPLE, "Authorization": bearer}
    )
    with urlopen(opened, timeout=10, context=proxy.tls) as stream:
        for line in stream:
            if line.startswith(b"event: hello"):
                agent = {"agent_id": "a1", "kind": "echo", "config": {}}
                gateway.call("POST", "agents", agent)
            if b'"agent_id":"a1"' in line:
                return
    raise AssertionError("the stream ended")
