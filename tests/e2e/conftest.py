"""What tests in a browser share: one browser, a gateway of their own, pages that may not complain.

Every test here is marked `e2e`; tools/phases.py runs them as a phase of their own. The browser's driver keeps an
event loop that asynchronous tests would trip over: where both kinds run, these come last.
"""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e import browser as browsers
from tests.e2e.browser import Watched
from tests.journeys.gateway_process import GatewayProcess
from tests.ports import own_port

HERE = Path(__file__).parent
#: The contexts of a test, for its report.
WATCHED = pytest.StashKey[list[Watched]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("e2e")
            item.add_marker(pytest.mark.timeout(240))
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browsers.driven() as browser:
        yield browser


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Watched]]:
    """Make contexts, as many as wanted; at the end none of their pages may have complained."""
    made: list[Watched] = []

    def make(**options: Any) -> Watched:
        made.append(Watched(browser, **options))
        return made[-1]

    request.node.stash[WATCHED] = made
    yield make
    for one in made:
        one.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a browser showed when its test failed."""
    report = yield
    if report.when == "call" and report.failed:
        for one in item.stash.get(WATCHED, []):
            report.sections.append(("the browser", one.describe()))
    return report


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A real gateway on a port of its own, the same after a restart."""
    folder = tmp_path_factory.mktemp("gateway")
    settings = {
        "WUNDER_SERVER_PORT": str(own_port()),
        "WUNDER_API_ALLOWED_HOSTS": "localhost,127.0.0.1,gateway.example.com",
        "WUNDER_EGRESS_ALLOW_HOSTS": "127.0.0.1",
        "WUNDER_RETRY_BASE_S": "0.2",
        "WUNDER_RETRY_CAP_S": "0.5",
    }
    with GatewayProcess(folder / "data", **settings) as process:
        yield process


def pytest_report_header() -> str:
    asked = os.environ.get("WUNDER_SCREENSHOTS") == "1"
    return f"pictures: {'written to docs/images' if asked else 'none (WUNDER_SCREENSHOTS=1)'}"
