"""What is typed outlives tabs, languages, filters, a network that fails, and signing out; the page outlives them too."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import PASSWORD, Make, name_of, signed_in
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess, Refused

say, sag = Words("en"), Words("zh-CN")
TYPED = "Typed and not saved"


def shop(gateway: GatewayProcess) -> str:
    """Make the account of these tests, once; the address of its page."""
    body = {"channel": "webchat", "account_id": "kept", "display_name": "Shop"}
    try:
        gateway.call("POST", "channels/accounts", body)
        gateway.call("PATCH", "channels/providers/webchat", {"user_visible": True})
    except Refused as refused:
        assert refused.status == 409, refused
    return f"{gateway.url}/console/accounts/webchat/kept"


def name_field(page: Page, words: Words = say) -> Locator:
    return page.get_by_label(words("account.displayName"), exact=True)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name=say("shell.person", name=name_of("admin"))).click()
    page.get_by_role("menuitem", name=say("shell.signOut")).click()


def test_a_form_keeps_what_is_typed_behind_another_tab_and_in_another_language(
    gateway: GatewayProcess, watched: Make
) -> None:
    page = signed_in(gateway, watched())
    page.goto(shop(gateway))
    name_field(page).fill(TYPED)
    page.get_by_role("tab", name=say("account.tab.events")).click()
    expect(name_field(page)).to_be_hidden()
    page.get_by_role("tab", name=say("account.tab.config")).click()
    expect(name_field(page)).to_have_value(TYPED)

    page = signed_in(gateway, watched(), "user")
    page.goto(f"{gateway.url}/console/me/connect/webchat")
    name_field(page).fill(TYPED)
    with page.expect_response(re.compile("/wunder/channels/providers")):
        page.get_by_role("button", name="中文").click()
    expect(name_field(page, sag)).to_have_value(TYPED)


def test_a_part_that_does_not_come_costs_neither_the_page_nor_what_is_typed(
    gateway: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect("ERR_FAILED|HTTP 0")
    page = signed_in(gateway, context)
    page.goto(shop(gateway))
    name_field(page).fill(TYPED)
    page.evaluate("document.documentElement.dataset.same = 'page'")
    context.context.route("**/console/assets/**", lambda route: route.abort())
    users = page.get_by_role("link", name=say("nav.users"), exact=True)
    with page.expect_event("requestfailed"):
        users.hover()
    users.click()
    page.get_by_role("button", name=say("leave.stay")).click()
    expect(name_field(page)).to_have_value(TYPED)
    users.click()
    page.get_by_role("button", name=say("leave.discard")).click()
    expect(page.get_by_text(say("problem.unreachable"))).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.same") == "page"
    # A browser that remembers what failed gets it with a new page, one that asks again with this one.
    context.context.unroute("**/console/assets/**")
    page.get_by_role("button", name=say("do.retry")).click()
    expect(page.get_by_role("heading", name=say("nav.users"), exact=True)).to_be_visible()


def test_signing_out_asks_about_what_is_typed_here_and_keeps_it_in_another_tab(
    gateway: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect("401")
    page = signed_in(gateway, context)
    page.goto(shop(gateway))
    name_field(page).fill(TYPED)
    sign_out(page)
    page.get_by_role("button", name=say("leave.stay")).click()
    expect(name_field(page)).to_have_value(TYPED)

    other = context.page()
    other.goto(f"{gateway.url}/console/settings")
    sign_out(other)
    expect(other).to_have_url(re.compile("/sign-in"))
    dialog = page.get_by_role("dialog", name=say("endedSession.title"))
    dialog.get_by_label(say("signIn.password")).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(name_field(page)).to_have_value(TYPED)
    # The other tab is signed in again with this one.
    expect(other.get_by_role("navigation", name=say("shell.nav"))).to_be_visible()

    sign_out(page)
    page.get_by_role("button", name=say("leave.discard")).click()
    expect(page.get_by_role("button", name=say("signIn.do"), exact=True)).to_be_visible()
