"""The browser of this machine, driven; and what is wrong with a page that looks right."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs/images"
AXE = ROOT / "console/node_modules/axe-core/axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
MISSING = (
    "No browser for the tests: on Debian `sudo apt install chromium fonts-noto-cjk`, elsewhere Chrome "
    "or Chromium on the PATH, or WUNDER_TEST_BROWSER=/path/to/it."
)
#: A sandbox needs rights that root in a container has not; the others keep it from calling home.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP *.example.org 127.0.0.1",
)
SIZE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
#: WCAG 2.2 A and AA (axe's names).
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: How long anything may take on a busy machine; a condition that holds is seen at once.
LIMIT_MS = 30_000


def path() -> str:
    """Where the browser is. Skips the test without one, and fails it where CI=true."""
    wanted = [os.environ.get("WUNDER_TEST_BROWSER", ""), *NAMES, MAC]
    found = next((place for one in wanted if one and (place := shutil.which(one))), None)
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@contextmanager
def driven() -> Iterator[Browser]:
    """The browser, until the block ends."""
    program = path()
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS])
        yield browser
        browser.close()


class Watched:
    """A context whose pages may not complain: console errors, exceptions, refused files."""

    def __init__(self, browser: Browser, **given: Any) -> None:
        options: dict[str, Any] = {
            "viewport": SIZE,
            "locale": "en-US",
            "timezone_id": "Asia/Shanghai",
            "reduced_motion": "reduce",
            "color_scheme": "light",
        }
        self.context: BrowserContext = browser.new_context(**options | given)
        self.context.set_default_timeout(LIMIT_MS)
        self.complaints: list[str] = []
        self._expected: list[str] = []
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def page(self) -> Page:
        """A new page."""
        return self.context.new_page()

    def expect(self, pattern: str) -> None:
        """Let complaints that match pass: what this test breaks on purpose."""
        self._expected.append(pattern)

    def describe(self) -> str:
        """What its pages show and complained about, for a test that failed."""
        shown = [
            f"{page.url}\n{page.locator('body').aria_snapshot()}" for page in self.context.pages
        ]
        return "\n\n".join([*shown, *self.complaints])

    def close(self) -> None:
        """Close every page. Raises: AssertionError naming what they complained about."""
        self.context.close()
        left = [
            one for one in self.complaints if not any(re.search(p, one) for p in self._expected)
        ]
        assert not left, f"the browser complained: {left}"

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


def settled(page: Page) -> None:
    """Wait until the page shows what it is for: no skeleton, and its heading."""
    expect(page.locator("#main h1, #main h2, main h1, main h2").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA, one line each; [] is what a page should give."""
    if not AXE.exists():
        pytest.fail(
            f"{AXE.relative_to(ROOT)} is missing: run `make console` (or npm ci in console/)"
        )
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
        RULES,
    )
    return [
        f"{one['id']}: {one['help']} at {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]


def shoot(page: Page, name: str) -> None:
    """Write a picture for README and guide, only where WUNDER_SCREENSHOTS=1 asks for it."""
    if os.environ.get("WUNDER_SCREENSHOTS") == "1":
        IMAGES.mkdir(exist_ok=True)
        page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")
