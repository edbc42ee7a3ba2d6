"""deploy/nginx.conf as it stands, in front of real nodes: restarts, limits, who is believed, live events."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


class Nginx(Balancer):
    """The file of deploy/, its names and its port taken from this machine, without TLS."""

    def __init__(self, place: Path, nodes: list[GatewayProcess]) -> None:
        super().__init__()
        where = program("nginx")
        place.mkdir()
        text = file_for("nginx.conf", nodes)
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
        self._process = subprocess.Popen([where, "-c", str(file)], stderr=subprocess.DEVNULL)
        wait_for(lambda: self.ask("GET", PLATFORMS, "/")[0] == 404)

    def stop(self) -> None:
        ended(self._process, signal.SIGQUIT)


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[GatewayProcess]]:
    with three_nodes(tmp_path) as running_nodes:
        yield running_nodes


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Nginx, GatewayProcess]]:
    """One gateway under all three names, for what one can show."""
    with GatewayProcess(tmp_path / "data", **BEHIND) as gateway:
        proxy = Nginx(tmp_path / "nginx", [gateway] * 3)
        yield proxy, gateway
        proxy.stop()


@pytest.fixture
def nginx(tmp_path: Path, nodes: list[GatewayProcess]) -> Iterator[Nginx]:
    proxy = Nginx(tmp_path / "nginx", nodes)
    yield proxy
    proxy.stop()


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
        restarted_in_turn(nodes)
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
    keeps_people_and_platforms_apart(nginx, gateway)
    assert nginx.ask("GET", PEOPLE, "/readyz")[0] == 200


def test_a_webhook_has_a_limit_at_the_door_and_a_package_passes_it(
    alone: tuple[Nginx, GatewayProcess],
) -> None:
    nginx, gateway = alone
    judges_packages_alone(nginx, gateway)


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
