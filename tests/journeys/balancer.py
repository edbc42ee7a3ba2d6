"""A load balancer in front of real nodes, by the very file of deploy/ that operators copy."""

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.docs.pages import ROOT
from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.test_many_nodes import CHANNEL
from tests.journeys.test_node_life import KEY, share_key
from tests.ports import own_port
from tests.postgres_server import postgres
from tests.waiting import wait_for

PLATFORMS, PEOPLE = "chat.example.org", "gateway.example.org"


class Balancer:
    """What is asked of one, whichever it is; `scheme` is that of its door."""

    scheme = "http"
    tls: ssl.SSLContext | None = None

    def __init__(self) -> None:
        self.port = own_port()
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def ask(
        self, method: str, name: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, str, Message]:
        """Status, body and headers; 0 where it is not there yet."""
        sent = {"Host": name, **headers}
        request = Request(f"{self.url}{path}", body, sent, method=method)
        try:
            with urlopen(request, timeout=30, context=self.tls) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace"), error.headers
        except OSError:
            return 0, "", Message()

    def throw(self, number: int, **headers: str) -> tuple[int, Message]:
        """Post a note as the platform does."""
        body = json.dumps({"id": f"m{number}", "from": f"p{number % 8}", "say": f"n{number}"})
        seal = hmac.new(KEY.encode(), body.encode(), hashlib.sha256).hexdigest()
        path = f"/wunder/channel/{CHANNEL}/main/webhook"
        sent = {"X-Bottle": seal, **headers}
        status, _, came = self.ask("POST", PLATFORMS, path, body.encode(), **sent)
        return status, came


@contextmanager
def three_nodes(tmp_path: Path, **settings: str) -> Iterator[list[GatewayProcess]]:
    """Three gateways that keep their ports over a restart, as nodes do."""
    url = asyncio.run(postgres().new_database())
    with ExitStack() as stack:
        nodes: list[GatewayProcess] = []
        for number in range(3):
            place = tmp_path / f"node{number}"
            if nodes:
                share_key(nodes[0].data_dir, place)
            node = GatewayProcess(place, WUNDER_STORE_DATABASE_URL=url, **BEHIND, **settings)
            node.settings["WUNDER_SERVER_PORT"] = str(own_port())
            nodes.append(stack.enter_context(node))
        yield nodes


#: What a gateway behind a balancer is told.
BEHIND = {
    "WUNDER_API_TRUSTED_PROXIES": "127.0.0.1",
    "WUNDER_API_ALLOWED_HOSTS": f"{PEOPLE},127.0.0.1",
    "WUNDER_API_ACCESS_LOG": "all",
}


def file_for(name: str, nodes: list[GatewayProcess]) -> str:
    """A file of deploy/ with the addresses of these nodes."""
    text = (ROOT / "deploy" / name).read_text("utf-8")
    for number, node in enumerate(nodes, 1):
        text = text.replace(f"node{number}:8080", node.url.removeprefix("http://"))
    return text


def answered(node: GatewayProcess) -> int:
    """How many webhooks it took so far, all its lives together."""
    lines = node.log.read_text("utf-8").splitlines()
    return sum('"path":"/wunder/channel/' in line and '"status":200' in line for line in lines)


def senders(node: GatewayProcess) -> set[str]:
    """From where its requests came, as it believes."""
    lines = [json.loads(one) for one in node.log.read_text().splitlines() if "_addr" in one]
    return {one["remote_addr"] for one in lines}


def program(name: str) -> str:
    """Where it is. Skips the test without it, and fails it where CI=true."""
    for path in (None, "/usr/sbin", "/usr/local/sbin", str(ROOT / ".balancers")):
        if found := shutil.which(name, path=path):
            return found
    words = f"no {name} on this machine: run tools/balancers.sh"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


def ended(process: "subprocess.Popen[bytes]", with_signal: int) -> None:
    """Stop it, and wait."""
    process.send_signal(with_signal)
    process.wait(20)


def restarted_in_turn(nodes: list[GatewayProcess]) -> None:
    """As deploy/ says: the next one only when the balancer has taken this one back."""
    for node in nodes:
        before = answered(node)
        node.stop()
        node.start()
        wait_for(lambda node=node, before=before: answered(node) > before)


def judges_packages_alone(proxy: Balancer, gateway: GatewayProcess) -> None:
    """A webhook has a limit at the door; a package passes it, for the gateway to judge."""
    big = bytes(5 * 1024 * 1024 + 1)
    assert proxy.ask("POST", PLATFORMS, "/wunder/channel/x/y/webhook", big)[0] in (0, 413)
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    status, said, _ = proxy.ask(
        "POST",
        PEOPLE,
        "/wunder/admin/channel_plugins/upload",
        form + big + b"\r\n--x--\r\n",
        Authorization=f"Bearer {gateway.token}",
        **{"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert (status, json.loads(said)["code"]) == (422, "not_a_zip"), "the gateway itself judged it"


def keeps_people_and_platforms_apart(proxy: Balancer, gateway: GatewayProcess) -> None:
    """Each name has its own paths, and no sender speaks for the balancer."""
    for path in ("/", "/console/", "/metrics", "/readyz", "/wunder/admin/nodes"):
        assert proxy.ask("GET", PLATFORMS, path)[0] == 404
    status, body, _ = proxy.ask("GET", PEOPLE, "/wunder/admin/nodes")
    assert (status, json.loads(body)["code"]) == (401, "token_needed")
    proxy.throw(1, **{"X-Forwarded-For": "203.0.113.9"})
    wait_for(lambda: '"path":"/wunder/channel/' in gateway.log.read_text())
    assert senders(gateway) == {"127.0.0.1"}
