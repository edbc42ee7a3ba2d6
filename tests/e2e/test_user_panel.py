"""The user's own part: what an administrator opens appears by itself; what is another's stays out of reach."""

from playwright.sync_api import expect

from tests.e2e.browser import shoot, violations
from tests.e2e.people import Make, signed_in
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess

say = Words("en")


def show(gateway: GatewayProcess, channel: str, is_visible: bool) -> None:
    gateway.call("PATCH", f"channels/providers/{channel}", {"user_visible": is_visible})


def test_a_channel_that_is_opened_appears_without_a_reload(
    gateway: GatewayProcess, watched: Make
) -> None:
    for one in gateway.get("channels/providers")["items"]:
        show(gateway, one["channel"], False)
    page = signed_in(gateway, watched(), "user")
    page.goto(f"{gateway.url}/console/")
    expect(page.get_by_role("heading", name=say("nav.me")).first).to_be_visible()
    assert violations(page) == []
    expect(page.get_by_role("button").filter(has_text="webchat")).to_have_count(0)
    show(gateway, "webchat", True)
    expect(page.get_by_role("button").filter(has_text="webchat")).to_be_visible()
    assert violations(page) == []
    shoot(page, "user-panel")
    page.get_by_role("button").filter(has_text="webchat").click()
    page.get_by_label(say("account.displayName")).fill("My shop")
    page.get_by_role("button", name=say("me.connectDo")).click()
    expect(page.get_by_text(say("todo.waiting"))).to_be_visible()
    assert violations(page) == []
    shoot(page, "user-waiting")
    mine = gateway.get("channels/accounts")["items"]
    assert [(one["channel"], one["display_name"]) for one in mine] == [("webchat", "My shop")]
    assert mine[0]["owner_user_id"]


def test_an_account_of_somebody_else_is_not_there(gateway: GatewayProcess, watched: Make) -> None:
    body = {"channel": "webchat", "account_id": "not-yours"}
    gateway.call("POST", "channels/accounts", body)
    context = watched()
    context.expect("403|404")
    page = signed_in(gateway, context, "user")
    page.goto(f"{gateway.url}/console/me/accounts/webchat/not-yours")
    expect(page.get_by_text(say("me.gone"))).to_be_visible()
    for path in (
        "/wunder/channels/accounts/webchat/not-yours",
        "/wunder/admin/channels/accounts/webchat/not-yours",
        "/wunder/admin/channels/messages",
    ):
        answer = context.context.request.get(gateway.url + path)
        assert answer.status in {403, 404}, path


def test_an_owner_sees_traffic_and_connects_anew_without_a_pause(
    gateway: GatewayProcess, watched: Make
) -> None:
    show(gateway, "webchat", True)
    context = watched()
    page = signed_in(gateway, context, "user")
    page.goto(f"{gateway.url}/console/me/connect/webchat")
    page.get_by_label(say("account.displayName")).fill("My kiosk")
    page.get_by_role("button", name=say("me.connectDo")).click()
    expect(page.get_by_text(say("todo.waiting"))).to_be_visible()
    [mine] = [
        one
        for one in gateway.get("channels/accounts")["items"]
        if one["display_name"] == "My kiosk"
    ]
    with page.expect_popup() as opened:
        page.get_by_role("link", name=say("chat.open")).click()
    visitor = opened.value
    visitor.get_by_role("textbox").fill("Is the kiosk open?")
    visitor.get_by_role("textbox").press("Enter")
    expect(page.get_by_text(say("todo.arrived"))).to_be_visible()
    page.get_by_role("button", name=say("test.reconnect")).click()
    expect(page.get_by_text(say("test.ok"))).to_be_visible()
    expect(page.get_by_text(say("event.account_reconnected"))).to_be_visible()
    after = gateway.get(f"channels/accounts/webchat/{mine['account_id']}")
    assert (after["status"], after["rev"]) == ("enabled", mine["rev"] + 1)
    assert violations(page) == []
    page.goto(f"{gateway.url}/console/me")
    expect(page.get_by_text(say("me.lately", received="1", sent="0"))).to_be_visible()
    assert violations(page) == []
    shoot(page, "user-accounts")
