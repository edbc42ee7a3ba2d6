"""A node that is told to stop says so before it closes its door: nobody who asks first meets a closed one."""

import json
import os
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.test_acceptance_1 import install, throw, washed_ashore
from tests.waiting import wait_for

pytestmark = pytest.mark.process


def readyz(gateway: GatewayProcess) -> tuple[int, dict[str, Any]]:
    try:
        with urlopen(f"{gateway.url}/readyz", timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_node_under_notice_is_not_ready_and_takes_what_still_comes(tmp_path: Path) -> None:
    shore = tmp_path / "shore.jsonl"
    with GatewayProcess(tmp_path / "data", WUNDER_SERVER_NOTICE_S="5") as gateway:
        install(gateway, shore)
        wait_for(lambda: throw(gateway, "main", {"id": "1", "from": "p", "say": "1"})[0] == 200)
        os.kill(gateway.pid, signal.SIGTERM)
        wait_for(lambda: readyz(gateway)[0] == 503)
        assert readyz(gateway)[1]["checks"] == {"store": "ok", "key": "ok", "stop": "draining"}
        assert throw(gateway, "main", {"id": "2", "from": "p", "say": "2"})[0] == 200
        wait_for(lambda: len(washed_ashore(shore)) == 2)
        assert gateway.stop() == 0


def test_without_notice_the_door_is_closed_at_once(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path / "data") as gateway:
        assert readyz(gateway)[0] == 200
        assert gateway.stop() == 0
        with pytest.raises(OSError, match="refused"):
            urlopen(f"{gateway.url}/readyz", timeout=5)
