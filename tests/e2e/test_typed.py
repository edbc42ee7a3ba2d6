"""What is typed is not lost: somebody else saves first, the session ends, the gateway is away for a moment."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Watched, shoot, violations
from tests.e2e.people import PASSWORD, Make, signed_in
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess

say = Words("en")


def account(gateway: GatewayProcess, account_id: str) -> str:
    """Make an account; the path that the API knows it by."""
    body = {"channel": "webchat", "account_id": account_id, "display_name": "Shop"}
    gateway.call("POST", "channels/accounts", body)
    return f"channels/accounts/webchat/{account_id}"


def name_field(page: Page) -> Locator:
    return page.get_by_label(say("account.displayName"), exact=True)


def typed_into(gateway: GatewayProcess, context: Watched, account_id: str, name: str) -> Page:
    """The form of an account in which a name was typed and not saved."""
    page = signed_in(gateway, context)
    page.goto(f"{gateway.url}/console/accounts/webchat/{account_id}")
    name_field(page).fill(name)
    return page


def test_two_who_edit_one_account_see_what_differs_and_neither_is_written_over(
    gateway: GatewayProcess, watched: Make
) -> None:
    path = account(gateway, "both")
    page = typed_into(gateway, watched(), "both", "Mine")
    theirs = {"display_name": "Theirs", "access": {"direct": "off"}}
    gateway.call("PATCH", path, theirs)
    page.get_by_role("button", name=say("meanwhile.see")).click()
    note = page.get_by_role("alert").filter(has_text=say("meanwhile.title"))
    expect(note.get_by_role("row").filter(has_text="Theirs")).to_contain_text("Mine")
    expect(note).to_contain_text(say("access.directs.off"))
    assert violations(page) == []
    shoot(page, "two-editors")
    expect(page.get_by_role("button", name=say("do.save"), exact=True)).to_be_disabled()
    page.get_by_role("button", name=say("meanwhile.keepMine")).click()
    page.get_by_role("button", name=say("do.save"), exact=True).click()
    expect(page.get_by_role("heading", name="Mine", exact=True)).to_be_visible()
    kept = gateway.get(path)
    assert (kept["display_name"], kept["access"]["direct"]) == ("Mine", "off")


def test_an_agent_that_somebody_else_saved_keeps_what_is_typed_here(
    gateway: GatewayProcess, watched: Make
) -> None:
    config = {"base_url": "http://127.0.0.1:9/v1", "model": "one", "api_key": "k"}
    body = {"agent_id": "clerk", "kind": "openai", "config": config}
    made = gateway.call("POST", "agents", body)
    page = signed_in(gateway, watched())
    page.goto(f"{gateway.url}/console/agents/clerk")
    prompt = page.get_by_label("System prompt")
    prompt.fill("You are the shop's clerk.")
    changed = body | {"config": config | {"model": "two"}}
    gateway.call("PUT", "agents/clerk", changed, **{"If-Match": str(made["rev"])})
    expect(page.get_by_text(say("meanwhile.beside"))).to_be_visible()
    expect(prompt).to_have_value("You are the shop's clerk.")
    page.get_by_role("button", name=say("meanwhile.takeIn")).click()
    expect(page.get_by_label("Model", exact=False).first).to_have_value("two")
    page.get_by_role("button", name=say("do.save"), exact=True).click()
    expect(page.get_by_text(say("agent.saved"))).to_be_visible()
    kept = gateway.get("agents/clerk")["config"]
    assert (kept["model"], kept["system_prompt"]) == ("two", "You are the shop's clerk.")


def test_a_session_that_ends_asks_for_the_password_and_goes_on_with_what_was_typed(
    gateway: GatewayProcess, watched: Make
) -> None:
    path = account(gateway, "ended")
    context = watched()
    context.expect("401")
    page = typed_into(gateway, context, "ended", "Typed before")
    context.context.clear_cookies()
    page.get_by_role("button", name=say("do.save"), exact=True).click()
    dialog = page.get_by_role("dialog", name=say("endedSession.title"))
    password = dialog.get_by_label(say("signIn.password"))
    expect(password).to_be_focused()
    password.fill("wrong password")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text(say("signIn.wrong"))).to_be_visible()
    password.fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="Typed before", exact=True)).to_be_visible()
    assert gateway.get(path)["display_name"] == "Typed before"
    expect(page.get_by_role("status").filter(has_text=say("live.live"))).to_be_visible()


def test_a_gateway_that_is_away_takes_nothing_from_an_open_page(
    gateway: GatewayProcess, watched: Make
) -> None:
    path = account(gateway, "away")
    context = watched()
    context.expect("ERR_|Failed to load")
    page = typed_into(gateway, context, "away", "Typed before")
    gateway.kill()
    page.get_by_role("button", name=say("do.save"), exact=True).click()
    expect(page.get_by_text(say("problem.unreachable"))).to_be_visible()
    gateway.start()
    expect(name_field(page)).to_have_value("Typed before")
    page.get_by_role("button", name=say("do.save"), exact=True).click()
    expect(page.get_by_role("heading", name="Typed before", exact=True)).to_be_visible()
    assert gateway.get(path)["display_name"] == "Typed before"
