"""A dead letter is found, understood and replayed from the console."""

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.browser import shoot, violations
from tests.e2e.people import Make, signed_in
from tests.e2e.test_plugins import CHANNEL, install
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
    panel = page.get_by_role("dialog", name=say("outbox.one"))
    expect(panel.get_by_text("Come home")).to_be_visible()
    shoot(page, "dead-letter")
    shore.parent.mkdir()
    page.get_by_role("button", name=say("outbox.replay"), exact=True).last.click()
    page.get_by_role("dialog").get_by_role(
        "button", name=say("outbox.replayCount", count=1)
    ).click()
    wait_for(shore.exists)
    assert json.loads(shore.read_text("utf-8"))["text"] == "Come home"
    page.goto(f"{gateway.url}/console/outbox?account=bay")
    expect(page.get_by_role("row").filter(has_text="bay")).to_contain_text(
        say("state.delivery.sent")
    )


def test_what_waits_is_cancelled_and_what_arrived_is_sent_once_more(
    gateway: GatewayProcess, watched: Make, tmp_path: Path
) -> None:
    shore = tmp_path / "shore.jsonl"
    config = {"shore": str(shore), "key": "salt"}
    account = {"channel": CHANNEL, "account_id": "cove", "provider_config": config}
    gateway.call("POST", "channels/accounts", account)
    peer = {"kind": "user", "id": "bob"}

    def send(text: str) -> str:
        body = {"channel": CHANNEL, "account_id": "cove", "peer": peer, "text": text}
        headers = {"Idempotency-Key": text}
        return str(gateway.call("POST", "channels/messages", body, **headers)["delivery_id"])

    def state(delivery_id: str) -> str:
        return str(gateway.get(f"channels/outbox/{delivery_id}")["state"])

    arrived = send("Good news")
    wait_for(lambda: state(arrived) == "sent")
    gateway.call("POST", f"channel_plugins/{CHANNEL}/disable")
    waiting = send("Better not")

    page = signed_in(gateway, watched())
    page.goto(f"{gateway.url}/console/outbox?account=cove&delivery={waiting}")
    page.get_by_role("button", name=say("outbox.cancel"), exact=True).click()
    dialog = page.get_by_role("dialog", name=say("outbox.cancelTitle"))
    expect(dialog).to_contain_text(say("outbox.cancelText"))
    assert violations(page) == []
    dialog.get_by_role("button", name=say("outbox.cancelCount", count=1)).click()
    row = page.get_by_role("row").filter(has_text="Better not")
    expect(row).to_contain_text(say("state.delivery.cancelled"))
    assert state(waiting) == "cancelled"

    version = {"version": "1.0.0"}
    gateway.call("POST", f"channel_plugins/{CHANNEL}/enable", version)
    page.get_by_role("row").filter(has_text="Good news").click()
    page.get_by_role("button", name=say("outbox.resend")).click()
    dialog = page.get_by_role("dialog", name=say("outbox.replayTitle"))
    expect(dialog).to_contain_text(say("outbox.twice"))
    assert violations(page) == []
    dialog.get_by_role("button", name=say("outbox.replayCount", count=1)).click()

    def washed() -> list[str]:
        return [json.loads(line)["text"] for line in shore.read_text("utf-8").splitlines()]

    wait_for(lambda: washed() == ["Good news", "Good news"])
    assert gateway.get("audit", action="delivery_cancelled")["items"][0]["subject"] == waiting
    (forced,) = gateway.get("audit", action="replay_forced")["items"]
    assert forced["detail"]["deliveries"] == [arrived]


def test_a_text_that_did_not_arrive_is_corrected_and_sent(
    gateway: GatewayProcess, watched: Make, tmp_path: Path
) -> None:
    shore = tmp_path / "not-there" / "shore.jsonl"
    config = {"shore": str(shore), "key": "salt"}
    account = {"channel": CHANNEL, "account_id": "reef", "provider_config": config}
    gateway.call("POST", "channels/accounts", account)
    peer = {"kind": "user", "id": "kim"}
    send = {"channel": CHANNEL, "account_id": "reef", "peer": peer, "text": "At nine", "ttl_s": 2}
    headers = {"Idempotency-Key": "correct"}
    old_id = gateway.call("POST", "channels/messages", send, **headers)["delivery_id"]
    over = ("failed", "unknown", "expired")
    wait_for(lambda: gateway.get(f"channels/outbox/{old_id}")["state"] in over)
    shore.parent.mkdir()

    page = signed_in(gateway, watched())
    page.goto(f"{gateway.url}/console/outbox?account=reef&delivery={old_id}")
    page.get_by_role("button", name=say("outbox.correct"), exact=True).click()
    dialog = page.get_by_role("dialog", name=say("outbox.correctTitle"))
    expect(dialog.get_by_role("blockquote")).to_have_text("At nine")
    expect(dialog).to_contain_text("reef")
    expect(dialog).to_contain_text("kim")
    expect(dialog).to_contain_text(say("outbox.correctText"))
    go = dialog.get_by_role("button", name=say("outbox.correctSend"))
    expect(go).to_be_disabled()
    dialog.get_by_role("textbox").fill("At ten")
    assert violations(page) == []
    shoot(page, "correct-text")
    go.click()
    wait_for(shore.exists)
    assert json.loads(shore.read_text("utf-8"))["text"] == "At ten"

    row = page.get_by_role("row").filter(has_text="At ten")
    expect(row).to_contain_text(say("state.delivery.sent"))
    expect(page.get_by_text(say("outbox.predecessor"))).to_be_visible()
    page.get_by_role("button", name=old_id).click()
    expect(page.get_by_text(say("outbox.successor"))).to_be_visible()
    expect(page.get_by_role("button", name=say("outbox.replay"), exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name=say("outbox.correct"), exact=True)).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="At nine")).to_contain_text(
        say("outbox.wasCorrected")
    )
    (entry,) = gateway.get("audit", action="delivery_corrected")["items"]
    assert entry["subject"] == old_id
