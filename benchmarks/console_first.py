"""How soon an administrator sees figures: a cold browser, the overview, its first number.

    python -m benchmarks.console_first [--rounds 9] [--against FOLDER]

A real gateway with accounts and deliveries, Chromium with an empty cache and a session. The clock is the
page's own: from the beginning of the navigation to the first figure, to the whole page, and how much came
over the wire. `--against` names another built console: both take turns, so that what else the machine does
meets both alike, and the ratio travels. Nothing is asked twice of a browser: each round has a new one.
"""

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser

import wunder
from benchmarks.serving import serving
from tests.e2e import browser as browsers
from tests.e2e.people import PASSWORD, REMEMBERED, admit, name_of
from tests.journeys.gateway_process import GatewayProcess

SOURCES = Path(wunder.__file__).parent
#: Notes when the first figure is in the page, by the page's own clock.
WATCH = """
  new MutationObserver((_, it) => {
    if (!document.querySelector('.kpi .value')) return;
    it.disconnect();
    requestAnimationFrame(() => { document.documentElement.dataset.firstFigure = performance.now(); });
  }).observe(document, {subtree: true, childList: true});
"""
READ = """() => {
  const first = Number(document.documentElement.dataset.firstFigure);
  const files = performance.getEntriesByType('resource');
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  const before = files.filter((one) => one.startTime < first);
  return {
    first_figure_ms: first,
    first_paint_ms: paint ? paint.startTime : 0,
    requests: files.length + 1,
    requests_before: before.length + 1,
    kilobytes: files.reduce((sum, one) => sum + one.transferSize, 0) / 1000,
  };
}"""


def overlaid(folder: Path, console: Path) -> Path:
    """Make an import path on which the program has another built console."""
    program = folder / "wunder"
    program.mkdir(parents=True)
    for one in SOURCES.iterdir():
        if one.name != "console_build":
            (program / one.name).symlink_to(one)
    (program / "console_build").symlink_to(console.resolve())
    return folder


def one_visit(browser: Browser, gateway: GatewayProcess) -> dict[str, float]:
    """Open the overview in a browser that has never been there."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    try:
        body = {"name": name_of("admin"), "password": PASSWORD}
        assert context.request.post(f"{gateway.url}/wunder/session", data=body).ok
        context.add_init_script(REMEMBERED + WATCH)
        page = context.new_page()
        page.goto(f"{gateway.url}/console/monitor", wait_until="commit")
        page.wait_for_selector("html[data-first-figure]")
        page.wait_for_selector(".feed, .empty")
        return dict(page.evaluate(READ))
    finally:
        context.close()


def seed(gateway: GatewayProcess) -> None:
    """Let there be something to see."""
    admit(gateway, "admin")
    gateway.call("POST", "channels/accounts", {"channel": "webchat", "account_id": "default"})


def measure(rounds: int, against: Path | None) -> dict[str, Any]:
    """Visit in turns; medians, and how many times as long the other one takes."""
    consoles = {"now": SOURCES / "console_build"} | ({"against": against} if against else {})
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in consoles}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        gateways = {}
        for name, console in consoles.items():
            place = overlaid(Path(folder) / name / "program", console)
            data_dir = Path(folder) / name / "data"
            gateways[name] = opened.enter_context(serving(data_dir, PYTHONPATH=str(place)))
            seed(gateways[name])
        browser = opened.enter_context(browsers.driven())
        for number in range(rounds + 1):
            for name, gateway in gateways.items():
                visit = one_visit(browser, gateway)
                if number:  # the first one fills the gateway's and the system's caches
                    seen[name].append(visit)
    report: dict[str, Any] = {
        name: {key: round(median(one[key] for one in visits), 1) for key in visits[0]}
        | {"first_figure_min_ms": round(min(one["first_figure_ms"] for one in visits), 1)}
        for name, visits in seen.items()
    }
    if against:
        pairs = zip(seen["against"], seen["now"], strict=True)
        ratio = median(old["first_figure_ms"] / new["first_figure_ms"] for old, new in pairs)
        report["against_x_now"] = round(ratio, 2)
    return {"benchmark": "console_first", "rounds": rounds, "figures": report}


def main() -> dict[str, Any]:
    """Measure; the report."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--against", type=Path, default=None)
    given = options.parse_args()
    return measure(given.rounds, given.against)


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
