"""An account whose platform hangs: it waits, and while it waits nobody works for it."""

import re
from collections import Counter
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.ferry import SDK_ECHO, package
from benchmarks.serving import add_account, figures, install, note
from tests.journeys.gateway_process import GatewayProcess
from tests.waiting import wait_for

CHANNEL = "sleepy"
SLEEPS = SDK_ECHO.replace(
    "        return SendResult(",
    "        if account.account_id == 'hung':\n"
    "            await __import__('asyncio').sleep(3600)\n"
    "        return SendResult(",
)
SETTINGS = {
    "WUNDER_RUNTIME_CALLS_SEND_S": "0.1",
    "WUNDER_RUNTIME_BREAKER_OPEN_S": "0.5",
    "WUNDER_RUNTIME_BREAKER_OPEN_CAP_S": "0.5",
}
#: So many time-outs open a breaker; then so many probes, while so many wait.
IN_ROW, PROBES, WAITING = 5, 3, 40


def say(gateway: GatewayProcess, path: str, number: int) -> None:
    """One message of a conversation of its own."""
    with urlopen(
        Request(gateway.url + path, note(f"m{number}", f"p{number}")), timeout=20
    ) as taken:
        assert taken.status == 200


def attempts(gateway: GatewayProcess) -> Counter[str]:
    """How many attempts ended with which kind of fault, since it started."""
    bearer = {"Authorization": f"Bearer {gateway.token}"}
    with urlopen(Request(f"{gateway.url}/metrics", headers=bearer), timeout=20) as answer:
        page = answer.read().decode()
    lines = re.findall(r'^wunder_attempts_total{.*kind="(\w+)".*} (\S+)$', page, re.MULTILINE)
    ended: Counter[str] = Counter()
    for kind, count in lines:
        ended[kind] += int(float(count))
    return ended


def openings(gateway: GatewayProcess) -> int:
    """How often a breaker opened."""
    events = gateway.get("channels/events", limit="200")["items"]
    return sum(event["name"] == "breaker_open" for event in events)


def test_while_its_breaker_is_open_nothing_of_an_account_is_tried_but_the_probe(
    tmp_path: Path,
) -> None:
    with GatewayProcess(tmp_path / "data", **SETTINGS) as gateway:
        install(gateway, package(CHANNEL, SLEEPS))
        hung = add_account(gateway, CHANNEL, "hung", {})
        healthy = add_account(gateway, CHANNEL, "healthy", {})
        for number in range(IN_ROW):
            say(gateway, hung, number)
        wait_for(lambda: openings(gateway) == 1)
        for number in range(IN_ROW, WAITING):
            say(gateway, hung, number)
        wait_for(lambda: openings(gateway) > PROBES)
        say(gateway, healthy, WAITING)
        wait_for(lambda: figures(gateway).get("channel_outbox_sent") == 1)
        ended = attempts(gateway)
        assert ended["timeout"] >= IN_ROW + PROBES
        assert ended["breaker_open"] <= PROBES, "of those that were on their way as it opened"
        assert figures(gateway)["channel_outbox_pending"] > 0, "the others of it wait"
