"""kill -9 in the middle of a replay: the job goes on where it was, nothing is lost, doubled or out of order."""

import collections
import hashlib
import hmac
import json
import random
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.journeys import new_channel
from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.test_acceptance_1 import CHANNEL, KEY
from tests.waiting import wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]
COUNT, PEERS, KILLS = 90, 9, 3
OUTBOX = "channels/outbox"
#: Says no to every send while a file stands there: provider_rejected.
OUTAGE = """    path = params["account"]["config"]["shore"]
    if os.path.exists(path + ".down"):
        raise Refusal(-32016, "down")
"""


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GatewayProcess:
    opened = '    path = params["account"]["config"]["shore"]\n'
    monkeypatch.setattr(new_channel, "PROGRAM", new_channel.PROGRAM.replace(opened, OUTAGE))
    settings = {"WUNDER_JOBS_PER_S": "15", "WUNDER_JOBS_ROWS": "5"}
    return GatewayProcess(tmp_path / "data", **settings)


def throw(gateway: GatewayProcess, number: int) -> None:
    body = json.dumps({"id": f"m{number}", "from": f"p{number % PEERS}", "say": str(number)})
    signed = hmac.new(KEY.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Bottle": signed, "Content-Type": "application/json"}
    url = f"{gateway.url}/wunder/channel/{CHANNEL}/main/webhook"
    with urlopen(Request(url, body.encode(), headers)) as answer:
        assert answer.status == 200


def figure(gateway: GatewayProcess, name: str) -> float:
    figures: dict[str, float] = gateway.get("channels/monitor")["figures"]
    return figures.get(name, 0.0)


def arrived(shore: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shore.read_text("utf-8").splitlines()]


def test_a_replay_survives_kills_of_the_gateway(gateway: GatewayProcess, tmp_path: Path) -> None:
    shore = tmp_path / "shore.jsonl"
    down = tmp_path / "shore.jsonl.down"
    down.touch()
    with gateway:
        release = gateway.upload(new_channel.package(CHANNEL))
        approval = {"version": "1.0.0", "sha256": release["package_sha256"]}
        gateway.call("POST", f"channel_plugins/{CHANNEL}/approve", approval)
        gateway.call("POST", f"channel_plugins/{CHANNEL}/enable", {"version": "1.0.0"})
        config = {"shore": str(shore), "key": KEY}
        account = {"channel": CHANNEL, "account_id": "main", "provider_config": config}
        gateway.call("POST", "channels/accounts", account)
        binding = {"channel": CHANNEL, "account_id": "main", "agent_id": "echo"}
        gateway.call("POST", "channels/bindings", binding)
        for number in range(COUNT):
            throw(gateway, number)
        wait_for(lambda: figure(gateway, "channel_outbox_failed") == COUNT)
        down.unlink()
        job = gateway.call("POST", f"{OUTBOX}/replay", {"filter": {"states": ["failed"]}})
        chance = random.Random(7)
        for kill in range(1, KILLS + 1):
            least = kill * COUNT // (2 * KILLS) - chance.randrange(5)
            wait_for(lambda least=least: gateway.get(f"jobs/{job['job_id']}")["done"] >= least)
            gateway.kill()
            gateway.start()
        wait_for(lambda: gateway.get(f"jobs/{job['job_id']}")["state"] == "done")
        wait_for(
            lambda: (
                figure(gateway, "channel_outbox_pending")
                + figure(gateway, "channel_outbox_sending")
                == 0
            )
        )
        done = gateway.get(f"jobs/{job['job_id']}")
        # A send that a kill cut off may have arrived: it is parked, shown, and never repeated blindly.
        parked = int(figure(gateway, "channel_outbox_unknown"))
    assert (done["done"], done["skipped"]) == (COUNT, 0)
    seen = collections.Counter(one["text"] for one in arrived(shore))
    assert COUNT - parked <= len(seen) <= COUNT, "nothing is lost"
    assert max(seen.values()) == 1, "nothing is doubled"
    for peer in range(PEERS):
        mine = [int(one["text"]) for one in arrived(shore) if one["to"] == f"p{peer}"]
        assert mine == sorted(mine), "order holds within a conversation"
