"""Every screen: in both themes and languages without a fault that axe finds, and in each of its states."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browser import PHONE, settled, shoot, violations
from tests.e2e.people import Make, name_of, signed_in
from tests.e2e.test_plugins import CHANNEL, install
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess

say = Words("en")
ADMIN = (
    "welcome",
    "monitor",
    "plugins",
    "plugins/upload",
    "plugins/bottle_post",
    "plugins/bottle_post?tab=versions",
    "plugins/bottle_post?tab=runtime",
    "accounts",
    "accounts/new",
    "accounts/new?channel=webchat",
    "accounts/webchat/looks",
    "outbox",
    "bindings",
    "agents",
    "agents/echo",
    "sessions",
    "trace",
    "audit",
    "users",
    "tokens",
    "settings",
    "profile",
    "me",
    "me/connect/webchat",
)
# The monitor has its own, of a gateway that is older: test_overview.
PICTURES = {"plugins", "accounts", "bindings", "agents", "audit", "users", "settings"}
#: Lists, with what they are read from.
LISTS = {
    "plugins": "/wunder/admin/channel_plugins",
    "accounts": "/wunder/admin/channels/accounts",
    "outbox": "/wunder/admin/channels/outbox",
    "bindings": "/wunder/admin/channels/bindings",
    "agents": "/wunder/admin/agents",
    "sessions": "/wunder/admin/channels/sessions",
    "audit": "/wunder/admin/audit",
    "users": "/wunder/admin/users",
    "tokens": "/wunder/admin/tokens",
}


@pytest.fixture(scope="module")
def furnished(gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    """A gateway in which something has happened."""
    account = {"channel": "webchat", "account_id": "looks", "display_name": "Shop help"}
    made = gateway.call("POST", "channels/accounts", account)
    install(gateway, CHANNEL)
    binding = {"channel": "webchat", "account_id": "looks", "agent_id": "echo"}
    gateway.call("POST", "channels/bindings", binding)
    gateway.call("PATCH", "channels/providers/webchat", {"user_visible": True})
    key = made["webhook_key"]
    visit = gateway.call("POST", f"/wunder/chat/{key}/visits", {})
    bearer = {"Authorization": f"Bearer {visit['token']}"}
    for number, text in enumerate(("Are you open?", "我的订单在哪里？", "Thank you!")):
        said = {"id": f"line-{number:04}", "text": text}
        gateway.call("POST", f"/wunder/chat/{key}/messages", said, **bearer)
    yield gateway


@pytest.mark.parametrize("look", ["en-light", "zh-dark"])
def test_no_screen_has_a_fault_that_axe_finds(
    furnished: GatewayProcess, watched: Make, look: str
) -> None:
    language, theme = look.split("-")
    context = watched(locale={"en": "en-US", "zh": "zh-CN"}[language], color_scheme=theme)
    page = signed_in(furnished, context)
    found: dict[str, list[str]] = {}
    for route in ADMIN:
        page.goto(f"{furnished.url}/console/{route}")
        settled(page)
        found[route] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[route].append("it scrolls sideways")
        if route in PICTURES:
            shoot(page, f"{route.replace('/', '-')}-{look}")
    assert {route: faults for route, faults in found.items() if faults} == {}
    assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[language]


def test_who_asked_for_less_motion_sees_what_changed_at_once(
    furnished: GatewayProcess, watched: Make
) -> None:
    page = signed_in(furnished, watched(reduced_motion="reduce"))
    page.goto(f"{furnished.url}/console/agents")
    settled(page)
    seen = page.evaluate(
        """() => {
          const box = document.body.appendChild(document.createElement('textarea'));
          const now = getComputedStyle(box);
          const before = now.visibility;
          box.setAttribute('style', 'visibility: hidden; height: 0');
          const after = now.visibility;
          box.remove();
          return [before, after];
        }"""
    )
    assert seen == ["visible", "hidden"]


def test_a_tablet_has_room_for_every_screen(furnished: GatewayProcess, watched: Make) -> None:
    page = signed_in(furnished, watched(viewport={"width": 820, "height": 1180}))
    wide = []
    for route in ADMIN:
        page.goto(f"{furnished.url}/console/{route}")
        settled(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(route)
    assert wide == []


def test_on_a_phone_every_button_of_the_top_is_in_reach(
    furnished: GatewayProcess, watched: Make
) -> None:
    page = signed_in(furnished, watched(viewport=PHONE, is_mobile=True, has_touch=True))
    page.goto(f"{furnished.url}/console/welcome")
    settled(page)
    person = page.get_by_role("button", name=say("shell.person", name=name_of("admin")))
    expect(person).to_be_in_viewport(ratio=1)
    assert violations(page) == []


def test_theme_and_language_are_chosen_and_remembered(
    furnished: GatewayProcess, watched: Make
) -> None:
    page = signed_in(furnished, watched())
    page.goto(f"{furnished.url}/console/agents")
    expect(page.get_by_role("heading", name=say("nav.agents"))).to_be_visible()
    page.get_by_role("button", name="中文").click()
    zh = Words("zh-CN")
    expect(page.get_by_role("heading", name=zh("nav.agents"))).to_be_visible()
    page.get_by_role("button", name=zh("theme.title")).click()
    page.get_by_role("menuitemradio", name=zh("theme.dark")).click()
    dark = "rgb(15, 18, 22)"
    expect(page.locator("body")).to_have_css("background-color", dark)
    page.reload()
    expect(page.get_by_role("heading", name=zh("nav.agents"))).to_be_visible()
    expect(page.locator("body")).to_have_css("background-color", dark)


def refused(page: Page, path: str, status: int) -> re.Pattern[str]:
    """Give the browser the gateway's own refusal for one address; everything else is real."""
    pattern = re.compile(re.escape(path) + r"(\?.*)?$")
    problem = {"title": "No", "status": status, "code": "refused", "trace_id": f"trace-{status}"}

    def answer(one: Route) -> None:
        one.fulfill(status=status, json=problem, content_type="application/problem+json")

    page.route(pattern, answer)
    return pattern


def test_a_list_that_cannot_be_read_says_so_with_its_request_and_a_way_on(
    furnished: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect("500|Failed to load")
    page = signed_in(furnished, context)
    for route, path in LISTS.items():
        pattern = refused(page, path, 500)
        page.goto(f"{furnished.url}/console/{route}")
        expect(page.get_by_text("trace-500").first).to_be_visible()
        assert violations(page) == [], route
        page.unroute(pattern)
        page.get_by_role("button", name=say("do.retry")).first.click()
        expect(page.get_by_text("trace-500")).to_have_count(0)
        settled(page)


def test_a_list_that_one_may_not_see_says_which_role_it_needs(
    furnished: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect("403|Failed to load")
    page = signed_in(furnished, context, "viewer")
    for route in ("users", "tokens", "audit"):
        page.goto(f"{furnished.url}/console/{route}")
        expect(page.get_by_text(say("forbidden.needs", role=say("role.admin")))).to_be_visible()
        assert violations(page) == [], route


def test_an_empty_list_says_what_to_do_next(gateway: GatewayProcess, watched: Make) -> None:
    page = signed_in(gateway, watched())
    for route, text in (("tokens", "token.none"), ("outbox?peer=nobody", "list.noMatch")):
        page.goto(f"{gateway.url}/console/{route}")
        expect(page.get_by_text(say(text)).first).to_be_visible()
        assert violations(page) == [], route


def test_live_updates_that_are_lost_say_so_and_come_back(
    gateway: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect("ERR_|Failed to load")
    page = signed_in(gateway, context)
    page.goto(f"{gateway.url}/console/accounts")
    expect(page.get_by_role("status").filter(has_text=say("live.live"))).to_be_visible()
    gateway.kill()
    expect(page.locator(".live-banner")).to_be_visible()
    shoot(page, "live-lost")
    gateway.start()
    expect(page.locator(".live-banner")).to_have_count(0)
    body = {"channel": "webchat", "account_id": "made-meanwhile"}
    gateway.call("POST", "channels/accounts", body)
    expect(page.get_by_text("made-meanwhile").first).to_be_visible()


def test_a_row_is_opened_and_closed_by_keyboard_alone(
    furnished: GatewayProcess, watched: Make
) -> None:
    page = signed_in(furnished, watched())
    page.goto(f"{furnished.url}/console/outbox")
    row = page.locator("tbody tr").first
    expect(row).to_be_visible()
    row.focus()
    page.keyboard.press("Enter")
    tries = page.get_by_role("heading", name=say("outbox.tries"))
    expect(tries).to_be_visible()
    page.keyboard.press("Escape")
    expect(tries).to_have_count(0)


SEEN_MOVING = """
() => {
  window.moving = [];
  new MutationObserver(() => {
    for (const one of document.querySelectorAll('.ant-modal, .ant-modal-mask'))
      if (/-(appear|enter)-(start|active)/.test(one.className)) window.moving.push(one.className);
  }).observe(document.body, { attributes: true, childList: true, subtree: true });
}
"""


def test_a_dialog_opens_where_it_stays_for_who_asked_for_less_motion(
    furnished: GatewayProcess, watched: Make
) -> None:
    moved = {}
    for wish in ("reduce", "no-preference"):
        page = signed_in(furnished, watched(reduced_motion=wish))
        page.goto(f"{furnished.url}/console/plugins/{CHANNEL}")
        page.evaluate(SEEN_MOVING)
        page.get_by_role("button", name=re.compile("Bottle", re.IGNORECASE)).first.click()
        page.get_by_role("menuitem", name=say("plugin.disable")).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        moved[wish] = page.evaluate("window.moving.length > 0")
    assert moved == {"reduce": False, "no-preference": True}
