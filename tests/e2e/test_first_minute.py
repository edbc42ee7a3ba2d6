"""The first minute of a newcomer: the link from the terminal, a password, a conversation."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import shoot, violations
from tests.e2e.people import PASSWORD, Make
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess

say = Words("en")
LIMIT_S = 30.0


class Terminal:
    """`wunder serve` as somebody types it: what a person at a terminal sees."""

    def __init__(self, data_dir: Path) -> None:
        self.said = ""
        self._master, slave = pty.openpty()
        environ = {key: value for key, value in os.environ.items() if not key.startswith("WUNDER_")}
        environ |= {
            "WUNDER_DATA_DIR": str(data_dir),
            "WUNDER_SERVER_PORT": "0",
            "WUNDER_LOG_JSON": "false",
            "WUNDER_LOG_LEVEL": "warning",
            "WUNDER_STORE_BALLAST_BYTES": "1048576",
            "LANG": "en_US.UTF-8",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wunder.cli.main", "serve"],
            env=environ,
            stdout=slave,
            stderr=slave,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(slave)

    def link(self) -> str:
        """The one address on the terminal."""
        ends_at = time.monotonic() + LIMIT_S
        while not (found := re.findall(r"https?://\S+", self.said)) or "Ctrl-C" not in self.said:
            assert time.monotonic() < ends_at, f"no link: {self.said}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.said += os.read(self._master, 65_536).decode()
        assert len(found) == 1, self.said
        return found[0]

    def close(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        os.close(self._master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path / "data")
    yield one
    one.close()


def test_from_one_link_to_a_conversation_with_the_agent(terminal: Terminal, watched: Make) -> None:
    context = watched()
    page = context.page()
    page.goto(terminal.link())
    expect(page.get_by_role("heading", name=say("setUp.title"))).to_be_visible()
    assert "setup=" not in page.url, "the token is not left in the address"
    assert violations(page) == []
    shoot(page, "first-set-up")
    page.get_by_label(say("signIn.password"), exact=True).fill(PASSWORD)
    page.get_by_label(say("setUp.again"), exact=True).fill(PASSWORD)
    page.get_by_role("button", name=say("setUp.do")).click()
    expect(page.get_by_text(say("welcome.chat"), exact=True)).to_be_visible()
    assert violations(page) == []
    shoot(page, "welcome")
    with page.expect_popup() as opened:
        page.get_by_role("button", name=re.compile(re.escape(say("welcome.chat")))).click()
    chat = opened.value
    chat.get_by_role("textbox").fill("Is anybody there?")
    chat.get_by_role("textbox").press("Enter")
    expect(chat.locator('li[data-side="they"][data-mark="delivered"]')).to_have_count(1)
    page.goto(page.url.partition("/console")[0] + "/console/sessions")
    page.locator(".talk-list li button").first.click()
    expect(page.get_by_role("log")).to_contain_text("Is anybody there?")


def test_the_link_works_once_and_says_so_afterwards(terminal: Terminal, watched: Make) -> None:
    link = terminal.link()
    first = watched().page()
    first.goto(link)
    first.get_by_label(say("signIn.password"), exact=True).fill(PASSWORD)
    first.get_by_label(say("setUp.again"), exact=True).fill(PASSWORD)
    first.get_by_role("button", name=say("setUp.do")).click()
    expect(first.get_by_text(say("welcome.chat"), exact=True)).to_be_visible()
    other = watched().page()
    other.goto(link)
    expect(other.get_by_text(say("setUp.usedLead"))).to_be_visible()
    expect(other.get_by_label(say("signIn.password"), exact=True)).to_have_count(0)
    assert violations(other) == []
    other.get_by_role("link", name=say("setUp.used")).click()
    expect(other.get_by_role("button", name=say("signIn.do"))).to_be_visible()
    first.goto(link)
    expect(first.get_by_role("heading", name=say("welcome.title", name="admin"))).to_have_count(1)


def test_a_pipe_is_told_the_file_and_not_the_token(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path / "data") as gateway:
        token = (tmp_path / "data/run/setup-token").read_text("utf-8")
        assert "setup-token" in gateway.tail()
        assert token.partition('"token":"')[2][:20] not in gateway.tail(500)
