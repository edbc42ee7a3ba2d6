"""A dead letter is found, understood and replayed from the console."""

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.browser import shoot, violations
from tests.e2e.people import Make, signed_in
from tests.e2e.test_plugins import CHANNEL, confirm_password, install
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess
from tests.waiting import wait_for

say = Words("en")


def test_a_dead_letter_is_replayed_and_arrives(
    gateway: GatewayProcess, watched: Make, tmp_path: Path
) -> None:
    shore = tmp_path / "not-there" / "shore.jsonl"
    install(gateway, CHANNEL)
    config = {"shore": str(shore), "key": "salt"}
    account = {"channel": CHANNEL, "account_id": "bay", "provider_config": config}
    gateway.call("POST", "channels/accounts", account)
    peer = {"kind": "user", "id": "ann"}
    send = {"channel": CHANNEL, "account_id": "bay", "peer": peer, "text": "Come home", "ttl_s": 2}
    gateway.call("POST", "channels/messages", send, **{"Idempotency-Key": "one"})
    states = ("failed", "unknown", "expired")
    wait_for(lambda: gateway.get("channels/outbox")["items"][0]["state"] in states)

    page = signed_in(gateway, watched())
    page.goto(f"{gateway.url}/console/outbox?group=dead")
    row = page.get_by_role("row").filter(has_text="bay")
    expect(row).to_be_visible()
    assert violations(page) == []
    row.click()
    expect(page.get_by_text("Come home")).to_be_visible()
    shoot(page, "dead-letter")
    shore.parent.mkdir()
    page.get_by_role("button", name=say("outbox.replay"), exact=True).last.click()
    page.get_by_role("dialog").get_by_role(
        "button", name=say("outbox.replayCount", count=1)
    ).click()
    confirm_password(page)
    wait_for(shore.exists)
    assert json.loads(shore.read_text("utf-8"))["text"] == "Come home"
    page.goto(f"{gateway.url}/console/outbox?account=bay")
    expect(page.get_by_role("row").filter(has_text="bay")).to_contain_text(
        say("state.delivery.sent")
    )
