"""Lists that administrators live in: figures, columns, order, causes, and finding one thing among many."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import shoot, violations
from tests.e2e.people import Make, signed_in
from tests.e2e.test_plugins import CHANNEL, install
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess
from tests.waiting import wait_for

say = Words("en")
SAID = ("Are you open?", "我的订单在哪里？", "Thank you!")


@pytest.fixture(scope="module")
def busy(gateway: GatewayProcess, tmp_path_factory: pytest.TempPathFactory) -> GatewayProcess:
    """A gateway where one account talks, one is silent, and one has a shore that is not there."""
    install(gateway, CHANNEL)
    talks = {"channel": "webchat", "account_id": "talks", "display_name": "Shop help"}
    key = gateway.call("POST", "channels/accounts", talks)["webhook_key"]
    gateway.call("POST", "channels/accounts", {"channel": "webchat", "account_id": "silent"})
    shore = tmp_path_factory.mktemp("sea") / "not-there" / "shore.jsonl"
    config = {"shore": str(shore), "key": "salt"}
    bay = {"channel": CHANNEL, "account_id": "bay", "provider_config": config}
    gateway.call("POST", "channels/accounts", bay)
    for agent_id, priority in (("echo", 0), ("second", 0), ("third", 0)):
        if agent_id != "echo":
            gateway.call("POST", "agents", {"agent_id": agent_id, "kind": "echo"})
        binding = {"channel": "webchat", "account_id": "talks", "agent_id": agent_id}
        gateway.call("POST", "channels/bindings", {**binding, "priority": priority})
    visit = gateway.call("POST", f"/wunder/chat/{key}/visits", {})
    bearer = {"Authorization": f"Bearer {visit['token']}"}
    for number, text in enumerate(SAID):
        said = {"id": f"line-{number:04}", "text": text}
        gateway.call("POST", f"/wunder/chat/{key}/messages", said, **bearer)
    return gateway


@pytest.fixture
def page(busy: GatewayProcess, watched: Make) -> Iterator[Page]:
    yield signed_in(busy, watched())


def test_accounts_say_what_goes_through_them(busy: GatewayProcess, page: Page) -> None:
    wait_for(lambda: [one["sent"] for one in busy.get("channels/tallies")["items"] if one["sent"]])
    page.goto(f"{busy.url}/console/accounts?sort=-sent")
    talks = page.get_by_role("row").filter(has_text="talks")
    # What came in, what went out, what failed and how much arrived; in the order of the columns.
    expect(talks.locator("td.num")).to_have_text(["3", "3", "0", "100 %"])
    expect(page.get_by_role("row").nth(1)).to_contain_text("talks")
    page.get_by_role("button", name=re.compile(f"^{say('account.sent24h')}")).click()
    expect(page).to_have_url(re.compile(r"sort=sent"))
    expect(page.get_by_role("row").last).to_contain_text("talks")
    expect(
        page.get_by_role("columnheader", name=re.compile(say("account.sent24h")))
    ).to_have_attribute("aria-sort", "ascending")
    assert violations(page) == []


def test_a_filter_stands_in_the_address_and_the_way_back_takes_it_off(
    busy: GatewayProcess, page: Page
) -> None:
    page.goto(f"{busy.url}/console/accounts")
    silent = page.get_by_role("row").filter(has_text="silent")
    expect(silent).to_be_visible()
    choice = page.get_by_role("combobox", name=say("account.active"))
    choice.press("Enter")
    # The second is a day; the first stands out at once.
    choice.press("ArrowDown")
    choice.press("Enter")
    expect(page).to_have_url(re.compile(r"active=24h"))
    expect(silent).to_have_count(0)
    page.reload()
    expect(page.get_by_role("row").filter(has_text="talks")).to_be_visible()
    expect(silent).to_have_count(0)
    page.go_back()
    expect(page).to_have_url(f"{busy.url}/console/accounts")
    expect(silent).to_be_visible()


def test_columns_are_chosen_for_oneself_and_stay_chosen(
    busy: GatewayProcess, page: Page, watched: Make
) -> None:
    page.goto(f"{busy.url}/console/accounts")
    column = page.get_by_role("columnheader", name=say("account.id"), exact=True)
    expect(column).to_be_visible()
    page.get_by_role("button", name=say("list.columns")).press("Enter")
    item = page.get_by_role("menuitemcheckbox", name=say("account.id"), exact=True)
    expect(item).to_be_checked()
    assert violations(page) == []
    item.press("Enter")
    expect(column).to_have_count(0)
    page.get_by_role("menuitemcheckbox", name=say("account.owner")).press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=say("list.columns"))).to_be_focused()
    page.reload()
    expect(page.get_by_role("columnheader", name=say("account.owner"))).to_be_visible()
    expect(column).to_have_count(0)
    page.get_by_role("button", name=say("list.columns")).click()
    page.get_by_role("menuitem", name=say("list.columnsReset")).click()
    expect(column).to_be_visible()


@pytest.mark.parametrize(
    ("path", "shown", "hidden"),
    [
        ("trace", "message.direction", "outbox.platformId"),
        ("audit", "audit.from", ""),
        ("plugins", "plugin.signature", "plugin.memory"),
    ],
)
def test_every_long_list_lets_one_choose_its_columns(
    busy: GatewayProcess, page: Page, path: str, shown: str, hidden: str
) -> None:
    page.goto(f"{busy.url}/console/{path}")
    heading = page.get_by_role("columnheader", name=say(shown), exact=True)
    expect(heading).to_be_visible()
    page.get_by_role("button", name=say("list.columns")).press("Enter")
    page.get_by_role("menuitemcheckbox", name=say(shown), exact=True).press("Enter")
    expect(heading).to_have_count(0)
    if hidden:
        page.get_by_role("menuitemcheckbox", name=say(hidden), exact=True).press("Enter")
    page.keyboard.press("Escape")
    assert violations(page) == []
    page.reload()
    if hidden:
        expect(page.get_by_role("columnheader", name=say(hidden), exact=True)).to_be_visible()
    else:
        expect(page.get_by_role("columnheader").first).to_be_visible()
    expect(heading).to_have_count(0)


def agents_in_order(page: Page) -> list[str]:
    return page.locator("tbody tr td:nth-child(4)").all_inner_texts()


def test_equally_exact_bindings_change_places_by_hand_and_by_keyboard(
    busy: GatewayProcess, page: Page
) -> None:
    page.goto(f"{busy.url}/console/bindings")
    grips = page.locator("button.grip")
    expect(grips).to_have_count(3)
    assert agents_in_order(page) == ["echo", "second", "third"]

    start, end = grips.nth(2).bounding_box(), grips.nth(0).bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, start["y"] - 20, steps=5)
    page.mouse.move(end["x"] + 8, end["y"] + 2, steps=10)
    page.mouse.up()
    expect(page.locator("tbody tr").first).to_contain_text("third")
    expect(page.get_by_text(say("binding.moved")).first).to_be_visible()

    grips.nth(0).focus()
    page.keyboard.press("Space")
    expect(page.get_by_text(say("binding.over", place=1, of=3))).to_be_attached()
    # dnd-kit listens for the arrows from a timer on, and a browser lets keys pass timers.
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text(say("binding.over", place=2, of=3))).to_be_attached()
    page.keyboard.press("Space")
    expect(page.locator("tbody tr").first).to_contain_text("echo")

    def asked_in_order() -> list[str]:
        found = busy.get("channels/bindings")["items"]
        return [
            one["agent_id"]
            for one in sorted(found, key=lambda one: (-one["priority"], one["created_at"]))
        ]

    wait_for(lambda: asked_in_order() == ["echo", "third", "second"])
    page.reload()
    expect(grips).to_have_count(3)
    assert agents_in_order(page) == ["echo", "third", "second"]
    assert violations(page) == []
    shoot(page, "bindings-order")


def test_one_thing_is_found_by_whatever_names_it(busy: GatewayProcess, page: Page) -> None:
    session = busy.get("channels/sessions")["items"][0]
    delivery = busy.get("channels/outbox", account_id="talks")["items"][0]
    page.goto(f"{busy.url}/console/agents")
    leads = {
        "bay": f"/accounts/{CHANNEL}/bay",
        "Shop help": "/accounts/webchat/talks",
        CHANNEL: f"/plugins/{CHANNEL}",
        session["session_id"]: f"/sessions?session={session['session_id']}",
        delivery["delivery_id"]: f"/trace/{delivery['root_message_id']}",
        delivery["message_id"]: f"/trace/{delivery['message_id']}",
        "我的订单": "/trace?text=",
    }
    search = page.get_by_role("searchbox", name=say("shell.search"))
    expect(page.get_by_role("heading", name=say("nav.agents"))).to_be_visible()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    for word, place in leads.items():
        search.fill(word)
        search.press("Enter")
        expect(page).to_have_url(re.compile(re.escape(f"/console{place}")))
    expect(page.get_by_text("我的订单在哪里？").first).to_be_visible()


def test_conversations_are_found_by_who_talks(busy: GatewayProcess, page: Page) -> None:
    peer = busy.get("channels/sessions")["items"][0]["conversation"]["peer_id"]
    page.goto(f"{busy.url}/console/sessions")
    talks = page.get_by_role("listitem").filter(has_text="Web chat")
    expect(talks).to_have_count(1)
    who = page.get_by_role("textbox", name=say("session.search"))
    who.fill("nobody of this name")
    expect(page.get_by_text(say("list.noMatch"))).to_be_visible()
    who.fill(peer[-6:])
    expect(talks).to_have_count(1)
    expect(page).to_have_url(re.compile(f"who={peer[-6:]}"))


def test_dead_letters_are_counted_by_cause_and_one_cause_is_replayed(
    busy: GatewayProcess, page: Page
) -> None:
    peer = {"kind": "user", "id": "ann"}
    send = {"channel": CHANNEL, "account_id": "bay", "peer": peer, "ttl_s": 2}

    def sent_first(text: str) -> None:
        headers = {"Idempotency-Key": text}
        busy.call("POST", "channels/messages", {**send, "text": text}, **headers)

    def dead() -> list[dict[str, str]]:
        found: list[dict[str, str]] = busy.get("channels/outbox", group="dead")["items"]
        return found

    sent_first("breaks it")
    wait_for(lambda: len(dead()) == 1)
    busy.call("POST", f"channel_plugins/{CHANNEL}/disable")
    sent_first("comes too late")
    wait_for(lambda: len(dead()) == 2)
    causes = {one["excerpt"]: one["error_kind"] for one in dead()}
    assert causes["breaks it"] == "plugin_crashed" != causes["comes too late"]

    page.goto(f"{busy.url}/console/monitor")
    page.get_by_role("link", name=re.compile(say("monitor.dead"))).click()
    expect(page).to_have_url(re.compile("group=dead"))
    table = page.get_by_role("region", name=say("outbox.causes"))
    expect(table.get_by_role("row")).to_have_count(3)
    deliveries = page.get_by_role("region", name=say("tabs.outbox"))
    expect(deliveries.get_by_role("row")).to_have_count(3)
    assert violations(page) == []
    shoot(page, "dead-letters-by-cause")
    table.get_by_role("row").filter(has_text=say("fault.plugin_crashed")).click()
    expect(page).to_have_url(re.compile("cause=plugin_crashed"))
    expect(deliveries.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name=say("outbox.replayMatching")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(say("fault.plugin_crashed"))
    assert violations(page) == []
    dialog.get_by_role("button", name=say("outbox.replayCount", count=1)).click()
    wait_for(lambda: [one["excerpt"] for one in dead()] == ["comes too late"] or len(dead()) == 2)
    replays = {
        one["excerpt"]: one["replays"]
        for one in busy.get("channels/outbox", account_id="bay")["items"]
    }
    assert replays["comes too late"] == 0
    wait_for(
        lambda: any(
            one["replays"] for one in busy.get("channels/outbox", account_id="bay")["items"]
        )
    )


def test_a_reader_may_look_at_the_order_and_not_change_it(
    busy: GatewayProcess, watched: Make
) -> None:
    page = signed_in(busy, watched(), "viewer")
    page.goto(f"{busy.url}/console/bindings")
    expect(page.get_by_role("row").filter(has_text="second")).to_be_visible()
    expect(page.locator("button.grip")).to_have_count(0)
