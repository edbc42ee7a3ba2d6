"""What opens over a page: without a fault that axe finds, reached by keyboard, and the focus goes back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import settled, violations
from tests.e2e.people import Make, signed_in
from tests.e2e.test_plugins import CHANNEL, install
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess

DIALOG = '[role="dialog"]:visible'
#: What has the focus, where that is a dialog or inside of one.
FOCUSED = '[role="dialog"]:focus, [role="dialog"] :focus'
#: Pages with a menu of what one may do: where, whose, and which entries open a dialog.
MENUS = (
    ("plugins/bottle_post", "bottle", ("plugin.disable",)),
    ("accounts/webchat/opened", "Shop", ("do.remove",)),
    ("agents/spare", "spare", ("do.remove",)),
)
#: Pages with a button that opens a dialog or a panel.
BUTTONS = (
    ("users", "user.add"),
    ("tokens", "token.add"),
    ("bindings", "binding.add"),
)
#: Lists whose rows open a panel.
ROWS = ("outbox", "audit")


@pytest.fixture(scope="module")
def furnished(gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    """A gateway with one of each thing that can be opened."""
    install(gateway, CHANNEL)
    account = {"channel": "webchat", "account_id": "opened", "display_name": "Shop"}
    gateway.call("POST", "channels/accounts", account)
    gateway.call("POST", "agents", {"agent_id": "spare", "kind": "echo", "config": {}})
    peer = {"kind": "user", "id": "guest:ann"}
    send = {"channel": "webchat", "account_id": "opened", "peer": peer, "text": "Hello"}
    gateway.call("POST", "channels/messages", send, **{"Idempotency-Key": "one"})
    yield gateway


def checked(page: Page, what: str, opener: Locator) -> list[str]:
    """Look at what is open, close it by Escape, and see the focus where it came from."""
    expect(page.locator(DIALOG).last).to_be_visible()
    expect(page.locator(FOCUSED), f"{what}: the focus is in it").to_have_count(1)
    found = [f"{what}: {one}" for one in violations(page)]
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_have_count(0)
    expect(opener, f"{what}: the focus went back").to_be_focused()
    return found


@pytest.mark.parametrize("look", ["en-light", "zh-dark"])
def test_what_opens_over_a_page_has_no_fault_and_gives_the_focus_back(
    furnished: GatewayProcess, watched: Make, look: str
) -> None:
    language, theme = look.split("-")
    say = Words({"en": "en", "zh": "zh-CN"}[language])
    context = watched(locale={"en": "en-US", "zh": "zh-CN"}[language], color_scheme=theme)
    page = signed_in(furnished, context)
    found: list[str] = []
    for route, name, entries in MENUS:
        page.goto(f"{furnished.url}/console/{route}")
        for entry in entries:
            settled(page)
            opener = page.locator("#main").get_by_role("button", name=re.compile(name, re.I)).last
            opener.press("Enter")
            expect(page.get_by_role("menu")).to_be_visible()
            found += [f"menu of {route}: {one}" for one in violations(page)]
            page.get_by_role("menuitem", name=say(entry)).press("Enter")
            found += checked(page, f"{entry} of {route}", opener)
    for route, button in BUTTONS:
        page.goto(f"{furnished.url}/console/{route}")
        settled(page)
        opener = page.get_by_role("button", name=say(button)).first
        opener.press("Enter")
        found += checked(page, button, opener)
    for route in ROWS:
        page.goto(f"{furnished.url}/console/{route}")
        settled(page)
        opener = page.locator("tbody tr").first
        opener.press("Enter")
        found += checked(page, f"row of {route}", opener)
    assert found == []
