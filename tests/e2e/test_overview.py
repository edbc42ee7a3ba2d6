"""The overview: hours beside each other, causes of failed tries, and what changed meanwhile."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browser import shoot, violations
from tests.e2e.people import Make, signed_in
from tests.e2e.test_plugins import CHANNEL, install
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess

say = Words("en")
MONITOR = "**/wunder/admin/channels/monitor"
MINUTE_MS = 60_000
DEAF = """
const add = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (kind, ...heard) {
  if (kind !== 'figures') add.call(this, kind, ...heard);
};
"""


@pytest.fixture(scope="module")
def furnished(gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    """A gateway with an account, and a plugin that was switched on."""
    install(gateway, CHANNEL)
    account = {"channel": "webchat", "account_id": "looks", "display_name": "Shop help"}
    gateway.call("POST", "channels/accounts", account)
    yield gateway


def two_hours(at: int) -> list[dict[str, Any]]:
    """Minutes as a gateway keeps them: a wave of traffic, and a platform that throttled for a while."""
    return [
        {
            "at": at - (119 - n) * MINUTE_MS,
            "taken_in": 24 + n % 9 * 3,
            "answered": 24 + n % 9 * 3,
            "sent": 24 + n % 7 * 4,
            "failed": 1 if 70 <= n < 82 and n % 3 == 0 else 0,
            "delivery_p50_ms": 240 + n % 5 * 12,
            "delivery_p95_ms": 610 + n % 11 * 25 + (900 if 70 <= n < 82 else 0),
            "faults": {"rate_limited": 3 + n % 4, "timeout": 2, "provider_unavailable": n % 2}
            if 70 <= n < 82
            else {},
            "waiting": 4 + n % 3 + (30 if 70 <= n < 84 else 0),
            "dead": 2 if n < 70 else 6,
        }
        for n in range(120)
    ]


def older(page: Page, gateway: GatewayProcess) -> None:
    """Show the monitor of a gateway that is two hours old: its own answer, with hours it cannot have yet."""

    def answer(route: Route) -> None:
        told = route.fetch()
        monitor = told.json()
        # The plugin was switched on within the time that is shown.
        at = int(time.time() * 1000) + 5 * MINUTE_MS
        minutes = two_hours(at)
        hour = minutes[-1] | {"sent": 2_160, "failed": 4, "taken_in": 2_200, "delivery_p95_ms": 700}
        before = minutes[59] | {"sent": 1_800, "failed": 0, "taken_in": 2_200}
        day = before | {"at": at - 1_440 * MINUTE_MS, "sent": 4_320, "waiting": 2, "dead": 6}
        figures = monitor["figures"] | {"channel_outbox_pending": 12, "channel_outbox_failed": 6}
        route.fulfill(
            response=told,
            json=monitor
            | {"minutes": minutes, "last_minute": minutes[-1], "figures": figures}
            | {"last_hour": hour, "hour_before": before, "due_since": at - 185_000}
            | {"day_before": day, "kept_since": at - 1_501 * MINUTE_MS},
        )

    page.route(MONITOR, answer)
    # What the stream says is of the young gateway.
    page.add_init_script(DEAF)
    page.goto(f"{gateway.url}/console/monitor")


def tile(page: Page, words: str) -> Any:
    return page.locator("a.kpi", has_text=re.compile(re.escape(words)))


def test_a_tile_says_what_changed_and_leads_to_its_list(
    furnished: GatewayProcess, watched: Make
) -> None:
    page = signed_in(furnished, watched())
    older(page, furnished)
    success = tile(page, say("monitor.success"))
    expect(success).to_contain_text("99.8 %")
    expect(success).to_contain_text(say("monitor.ofEnded", what="2,164"))
    expect(success).to_contain_text(say("monitor.against.hour", change="↓ 0.2 pts"))
    expect(tile(page, say("monitor.out"))).to_contain_text(
        say("monitor.against.hour", change="↑ 20 %")
    )
    expect(tile(page, say("monitor.in"))).to_contain_text(say("monitor.same.hour"))
    waiting = tile(page, say("monitor.open"))
    expect(waiting).to_contain_text(say("monitor.oldest", age="3 m 05 s"))
    success.click()
    expect(page).to_have_url(re.compile(r"/outbox\?.*group=dead"))
    expect(page).to_have_url(re.compile(r"time=1h"))
    page.go_back()
    waiting.click()
    expect(page).to_have_url(re.compile(r"/outbox\?group=open"))


def test_tiles_are_compared_with_the_same_hour_of_the_day_before_where_that_is_kept(
    furnished: GatewayProcess, watched: Make
) -> None:
    page = signed_in(furnished, watched())
    page.goto(f"{furnished.url}/console/monitor?against=day")
    words = say("monitor.comparedFrom", at="|").partition("|")[0]
    told = page.get_by_role("status").filter(has_text=words)
    expect(told).to_be_visible()
    older(page, furnished)
    choice = page.get_by_role("radiogroup", name=say("monitor.compare"))
    choice.get_by_text(say("monitor.compare.day")).click()
    expect(page).to_have_url(re.compile(r"against=day"))
    ago = "monitor.against.day"
    expect(tile(page, say("monitor.out"))).to_contain_text(say(ago, change="↓ 50 %"))
    expect(tile(page, say("monitor.open"))).to_contain_text(say(ago, change="↑ 10"))
    expect(tile(page, say("monitor.dead"))).to_contain_text(say("monitor.same.day"))
    expect(told).to_have_count(0)
    assert violations(page) == []
    choice.get_by_text(say("monitor.compare.hour")).click()
    expect(page).not_to_have_url(re.compile(r"against="))
    hour = say("monitor.against.hour", change="↑ 20 %")
    expect(tile(page, say("monitor.out"))).to_contain_text(hour)


def test_charts_mark_when_a_version_changed_and_tell_causes_apart(
    furnished: GatewayProcess, watched: Make
) -> None:
    page = signed_in(furnished, watched())
    older(page, furnished)
    charts = page.locator(".thirds .chart")
    expect(charts).to_have_count(3)
    for chart in charts.all():
        expect(chart.locator(".u-over .mark.version")).to_have_count(1)
        expect(chart.locator(".u-over .mark")).to_have_attribute(
            "title", re.compile(rf"bottle_post .*: {say('event.plugin_enabled')}")
        )
    causes = charts.nth(2)
    expect(causes.locator(".u-legend")).to_contain_text(say("fault.rate_limited"))
    causes.get_by_role("button", name=say("chart.asTable")).click()
    expect(causes.get_by_role("columnheader", name=say("chart.marks"))).to_be_visible()
    expect(causes.get_by_text(re.compile(say("event.plugin_enabled")))).to_have_count(1)


@pytest.mark.parametrize("width", [1440, 1024])
@pytest.mark.parametrize("look", ["en-light", "zh-dark"])
def test_it_fits_and_is_sound_in_both_looks(
    furnished: GatewayProcess, watched: Make, look: str, width: int
) -> None:
    language, theme = look.split("-")
    locale = {"en": "en-US", "zh": "zh-CN"}[language]
    size = {"width": width, "height": 900}
    page = signed_in(furnished, watched(locale=locale, color_scheme=theme, viewport=size))
    older(page, furnished)
    expect(page.locator(".u-over .mark")).to_have_count(3)
    expect(page.locator(".skeleton")).to_have_count(0)
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    clipped = page.evaluate(
        "[...document.querySelectorAll('.kpi')].filter(one => one.scrollWidth > one.clientWidth).length"
    )
    assert clipped == 0
    if width == 1440:
        shoot(page, f"monitor-{look}")
