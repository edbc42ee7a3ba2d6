"""The chat page in a browser: said, answered, shown with its mark, on a phone, in a company's site."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import PHONE, Watched, shoot, violations
from tests.e2e.pen import Pen
from tests.e2e.site import Site
from tests.journeys.gateway_process import GatewayProcess

SECRET = "a secret of the company's site, long enough"
Make = Callable[..., Watched]
OFFLINE = (
    r"ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED"
)


def chat(gateway: GatewayProcess, account_id: str, agent_id: str = "echo", **config: Any) -> str:
    """The address of a new account's page."""
    body = {"channel": "webchat", "account_id": account_id, "provider_config": config}
    made = gateway.call("POST", "channels/accounts", body)
    binding = {"channel": "webchat", "account_id": account_id, "agent_id": agent_id}
    gateway.call("POST", "channels/bindings", binding)
    return f"{gateway.url}/wunder/chat/{made['webhook_key']}"


def send_first(
    gateway: GatewayProcess, account_id: str, peer_id: str, text: str, **more: str
) -> None:
    """Have the operator's own program send something."""
    peer = {"kind": "user", "id": peer_id}
    body = {"channel": "webchat", "account_id": account_id, "peer": peer, "text": text, **more}
    key = {"Idempotency-Key": str(len(text))}
    gateway.call("POST", "channels/messages", body, **key)


def say(page: Page | Any, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Enter")


def lines(page: Page | Any, side: str, mark: str) -> Any:
    return page.locator(f'li[data-side="{side}"][data-mark="{mark}"]')


def test_a_newcomer_talks_to_the_agent_and_sees_what_became_of_each_line(
    gateway: GatewayProcess, watched: Make
) -> None:
    url = chat(gateway, "talk", title="Ask us", greeting="Hello! How can we help?")
    page = watched().page()
    page.goto(url)
    expect(page.get_by_role("heading", name="Ask us")).to_be_visible()
    expect(page.get_by_text("Hello! How can we help?")).to_be_visible()
    say(page, "Is anybody there?")
    expect(lines(page, "you", "done")).to_have_text(re.compile("Is anybody there\\?"))
    expect(lines(page, "they", "delivered")).to_have_text(re.compile("Is anybody there\\?"))
    say(page, "Two lines\nand <b>no</b> markup & no &amp;")
    expect(lines(page, "they", "delivered")).to_have_count(2)
    expect(page.locator("li b")).to_have_count(0)
    page.reload()
    expect(lines(page, "they", "delivered")).to_have_count(2)
    shoot(page, "chat")
    found = gateway.get("channels/messages", channel="webchat", account_id="talk")
    assert [one["direction"] for one in found["items"]] == ["out", "in", "out", "in"]


def test_markdown_of_an_agent_is_shown_without_ever_becoming_html(
    gateway: GatewayProcess, watched: Make
) -> None:
    page = watched().page()
    page.goto(chat(gateway, "markdown"))
    say(page, "hi")
    expect(lines(page, "they", "delivered")).to_have_count(1)
    peer = gateway.get("channels/messages", account_id="markdown")["items"][0]["peer_id"]
    text = (
        "## Steps\n\n1. first **bold** and `code`\n2. second\n\n- a\n- b\n\n> quoted\n\n```\nx < y\n```\n"
        "[site](https://example.com/a) [bad](javascript:alert(1)) <img src=x onerror=alert(1)>"
    )
    send_first(gateway, "markdown", peer, text, format="markdown")
    bubble = page.locator(".bubble.markdown")
    expect(bubble.locator("ol > li")).to_have_count(2)
    expect(bubble.locator("ul > li")).to_have_count(2)
    expect(bubble.locator("pre code")).to_have_text("x < y")
    expect(bubble.locator("strong")).to_have_text("bold")
    expect(bubble.get_by_role("link")).to_have_count(1)
    expect(bubble.get_by_role("link", name="site")).to_have_attribute("rel", re.compile("noopener"))
    expect(bubble.locator("img")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_it_is_at_home_on_a_phone_in_either_language_and_theme_for_everybody(
    gateway: GatewayProcess, watched: Make, locale: str, theme: str
) -> None:
    context = watched(
        viewport=PHONE, locale=locale, color_scheme=theme, has_touch=True, is_mobile=True
    )
    page = context.page()
    url = chat(gateway, f"phone-{locale.lower()}-{theme}", greeting="Hello! 你好！")
    page.goto(url)
    say(page, "https://example.com/" + "a" * 200)
    expect(lines(page, "they", "delivered")).to_have_count(1)
    words = {"en-US": "delivered", "zh-CN": "已送达"}[locale]
    expect(lines(page, "they", "delivered").locator(".mark")).to_have_text(words)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.get_by_role("button").bounding_box()
    assert box is not None and min(box["width"], box["height"]) >= 44
    assert violations(page) == []
    shoot(page, f"chat-phone-{locale[:2]}-{theme}")


def test_it_works_by_keyboard_alone_and_tells_those_who_listen(
    gateway: GatewayProcess, watched: Make
) -> None:
    page = watched().page()
    page.goto(chat(gateway, "keys"))
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox")).to_have_value("")
    expect(lines(page, "they", "delivered")).to_have_count(1)
    expect(page.get_by_role("log")).to_contain_text("Reply: one")
    expect(page.get_by_role("status")).to_have_text("connected")


def test_what_is_written_while_the_gateway_is_gone_arrives_when_it_is_back_and_once(
    gateway: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect(OFFLINE)
    page = context.page()
    page.goto(chat(gateway, "gone"))
    say(page, "before")
    expect(lines(page, "they", "delivered")).to_have_count(1)
    gateway.kill()
    expect(page.get_by_role("status")).to_have_text(re.compile("connection lost"))
    say(page, "while it was gone")
    expect(lines(page, "you", "unsent")).to_have_count(1)
    gateway.start()
    expect(page.get_by_role("status")).to_have_text("connected")
    expect(lines(page, "they", "delivered")).to_have_count(2)
    texts = [one["text"] for one in gateway.get("channels/messages", account_id="gone")["items"]]
    assert sorted(texts) == ["before", "before", "while it was gone", "while it was gone"]


def test_the_stream_may_break_and_nothing_is_missing_or_doubled(
    gateway: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect(OFFLINE)
    page = context.page()
    page.goto(chat(gateway, "offline"))
    say(page, "first")
    expect(lines(page, "they", "delivered")).to_have_count(1)
    peer = gateway.get("channels/messages", account_id="offline")["items"][0]["peer_id"]
    context.context.set_offline(True)
    say(page, "typed offline")
    send_first(gateway, "offline", peer, "sent meanwhile")
    context.context.set_offline(False)
    expect(lines(page, "they", "delivered")).to_have_count(3)
    expect(page.locator("li")).to_have_count(5)


def test_one_who_talks_too_fast_is_told_and_everything_arrives_in_order(
    gateway: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect("429")
    page = context.page()
    page.goto(chat(gateway, "fast", visitor_rate=6))  # three at once, then one in ten seconds
    for number in range(4):
        say(page, f"n{number}")
    expect(page.get_by_role("alert")).to_have_text(re.compile("too fast"))
    expect(lines(page, "they", "delivered")).to_have_count(4)
    expect(page.get_by_role("alert")).to_be_hidden()
    texts = page.locator('li[data-side="they"] .bubble').all_text_contents()
    assert texts == [f"n{number}" for number in range(4)]


def test_two_tabs_show_one_conversation_and_a_reload_at_once_loses_nothing(
    gateway: GatewayProcess, watched: Make
) -> None:
    url = chat(gateway, "tabs")
    context = watched()
    one, other = context.page(), context.page()
    one.goto(url)
    other.goto(url)
    say(one, "From the first tab")
    one.reload()
    for page in (one, other):
        expect(lines(page, "they", "delivered")).to_have_count(1)
        expect(lines(page, "you", "done")).to_have_count(1)
    say(other, "From the second tab")
    for page in (one, other):
        expect(lines(page, "they", "delivered")).to_have_count(2)
        expect(lines(page, "you", "done")).to_have_count(2)
    found = gateway.get("channels/messages", channel="webchat", account_id="tabs", direction="in")
    assert len({message["peer_id"] for message in found["items"]}) == 1


def test_a_reload_in_the_middle_of_an_answer_loses_and_doubles_nothing(
    gateway: GatewayProcess, watched: Make
) -> None:
    with Pen("The shop is open until nine.") as pen:
        config = {"base_url": pen.url, "model": "m", "api_key": "k"}
        agent = {"agent_id": "pen", "kind": "openai", "config": config}
        gateway.call("POST", "agents", agent)
        page = watched().page()
        page.goto(chat(gateway, "reload", "pen"))
        say(page, "Until when are you open?")
        assert pen.has_begun.wait(30)
        page.reload()
        expect(page.locator('li[data-side="you"]')).to_have_text(re.compile("Until when"))
        expect(page.locator("#typing")).to_be_visible()
        pen.go_on.set()
        expect(lines(page, "they", "delivered")).to_have_text(
            re.compile(r"The shop is open until nine\.")
        )
        expect(lines(page, "you", "done")).to_have_count(1)
        expect(page.locator("#typing")).to_be_hidden()
        page.reload()
        expect(page.locator("#lines > li")).to_have_count(2)
        assert pen.asked == 1


def test_the_longest_text_stays_inside_a_phone(gateway: GatewayProcess, watched: Make) -> None:
    page = watched(viewport=PHONE, is_mobile=True, has_touch=True).page()
    page.goto(chat(gateway, "long"))
    say(page, "a" * 7_000 + " https://example.com/" + "b" * 900)
    expect(lines(page, "they", "delivered")).to_have_count(1)
    wide, room = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= room
    expect(page.get_by_role("textbox")).to_be_in_viewport()
    expect(page.get_by_role("button").last).to_be_in_viewport()
    assert violations(page) == []


def test_an_account_that_is_switched_off_says_so(gateway: GatewayProcess, watched: Make) -> None:
    context = watched()
    context.expect("404")
    page = context.page()
    page.goto(chat(gateway, "off"))
    say(page, "hello")
    expect(lines(page, "they", "delivered")).to_have_count(1)
    gateway.call("PATCH", "channels/accounts/webchat/off", {"is_enabled": False})
    expect(page.get_by_role("alert")).to_have_text(re.compile("switched off"))


def test_a_message_that_nobody_answers_is_marked_and_comes_through_when_routed_again(
    gateway: GatewayProcess, watched: Make
) -> None:
    body = {"channel": "webchat", "account_id": "alone"}
    made = gateway.call("POST", "channels/accounts", body)
    page = watched().page()
    page.goto(f"{gateway.url}/wunder/chat/{made['webhook_key']}")
    say(page, "anybody?")
    expect(lines(page, "you", "failed").locator(".mark")).to_have_text("nobody answers here yet")
    gateway.call("POST", "channels/bindings", body | {"agent_id": "echo"})
    message = gateway.get("channels/messages", account_id="alone")["items"][0]["message_id"]
    gateway.call("POST", f"channels/messages/{message}/reroute")
    expect(lines(page, "you", "done")).to_have_count(1)
    expect(lines(page, "they", "delivered")).to_have_count(1)


# --- in a company's site -----------------------------------------------------------------------------


def tag(gateway: GatewayProcess, url: str, more: str = "") -> str:
    src = f"{gateway.url}/wunder/chat/embed.js"
    key = url.rpartition("/")[2]
    return (
        "<!doctype html><html lang=en><head><title>Shop</title><link rel=icon href='data:,'></head>"
        f"<body><h1>Our shop</h1><script src='{src}' data-chat='{key}' {more} async></script></body></html>"
    )


def claim(user: str, name: str) -> str:
    document = {"id": user, "name": name, "exp": int(time.time()) + 600}
    said = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=")
    return f"{said.decode()}.{hmac.new(SECRET.encode(), said, hashlib.sha256).hexdigest()}"


def test_one_script_tag_puts_it_into_a_site_on_the_list(
    gateway: GatewayProcess, watched: Make
) -> None:
    with Site("shop.example.com") as site:
        every = site.origin.replace("shop", "*")
        url = chat(gateway, "shop", title="Shop help", allowed_origins=[every])
        site.html = tag(gateway, url)
        page = watched().page()
        page.goto(site.origin)
        page.get_by_role("button", name="Chat").click()
        frame = page.frame_locator("iframe[title=Chat]")
        expect(frame.get_by_role("heading", name="Shop help")).to_be_visible()
        say(frame, "from the shop")
        expect(lines(frame, "they", "delivered")).to_have_count(1)
        assert violations(page) == []
        shoot(page, "chat-embedded")
        page.reload()
        page.get_by_role("button", name="Chat").click()
        expect(lines(frame, "they", "delivered")).to_have_count(1)
        page.get_by_role("button", name="Chat").click()
        expect(page.locator("iframe")).to_be_hidden()


def test_a_site_that_is_not_on_the_list_cannot_show_it(
    gateway: GatewayProcess, watched: Make
) -> None:
    url = chat(gateway, "private", allowed_origins=["http://shop.example.com"])
    with Site("evil.example.org") as site:
        site.html = tag(gateway, url, "data-open")
        context = watched()
        context.expect("frame-ancestors|Framing")
        page = context.page()
        page.goto(site.origin)
        expect(page.locator("iframe")).to_be_visible()
        expect(page.frame_locator("iframe").get_by_role("textbox")).to_have_count(0)
        assert any("frame-ancestors" in one for one in context.complaints)


def test_a_user_whom_the_site_signs_for_is_the_same_everywhere(
    gateway: GatewayProcess, watched: Make
) -> None:
    with Site("www.example.com") as site:
        url = chat(gateway, "known", allowed_origins=[site.origin], site_secret=SECRET)
        site.html = tag(gateway, url, f"data-open data-claim='{claim('u-17', 'Ann')}'")
        for visit, count in (("at work", 1), ("at home", 2)):
            page = watched().page()
            page.goto(site.origin)
            frame = page.frame_locator("iframe")
            say(frame, visit)
            expect(lines(frame, "they", "delivered")).to_have_count(count)
    found = gateway.get("channels/messages", account_id="known", direction="in")["items"]
    assert {(one["peer_id"], one["sender_name"]) for one in found} == {("site:u-17", "Ann")}
