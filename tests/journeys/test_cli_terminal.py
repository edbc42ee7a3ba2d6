"""With a person at the terminal, commands ask: before they approve, and for an account's fields."""

import json
import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.journeys.new_channel import package

pytestmark = pytest.mark.process
LIMIT_S = 40.0
ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads(Path(ROOT, "src/wunder_channels/qqbot/account.schema.json").read_text("utf-8"))
#: The form's further questions, in its order; advanced fields are not asked for.
TITLES = [
    field["x-i18n"]["zh-CN"]["title"]
    for name in SCHEMA["x-order"]
    if name not in SCHEMA["required"]
    and not (field := SCHEMA["properties"][name]).get("x-advanced")
]


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, data_dir: Path, *line: str) -> None:
        self.shown = ""
        command = [sys.executable, "-m", "wunder.cli.main", "--data-dir", str(data_dir), *line]
        environ = {key: value for key, value in os.environ.items() if not key.startswith("WUNDER_")}
        environ |= {"WUNDER_STORE_BALLAST_BYTES": "0", "COLUMNS": "200"}
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            # Who runs the tests in the background ignores Ctrl-C, and that is inherited.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(sys.executable, command, environ)

    def until(self, words: str) -> None:
        """Read until the command has shown `words`."""
        ends_at = time.monotonic() + LIMIT_S
        while words not in self.shown:
            assert time.monotonic() < ends_at, self.shown
            if not self._read():
                raise AssertionError(f"it ended without {words!r}:\n{self.shown}")

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type a line."""
        self.until(question)
        self.shown = self.shown.partition(question)[2]
        os.write(self._fd, f"{text}\n".encode())

    def ended(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        _, status = os.waitpid(self._pid, 0)
        os.close(self._fd)
        return os.waitstatus_to_exitcode(status)

    def interrupted(self) -> int:
        """Press Ctrl-C; the exit code."""
        os.write(self._fd, b"\x03")
        return self.ended()

    def _read(self) -> bool:
        ready, _, _ = select.select([self._fd], [], [], 1.0)
        if not ready:
            return True
        try:
            chunk = os.read(self._fd, 65_536)
        except OSError:  # Linux says EIO where the other side has closed
            return False
        self.shown += chunk.decode("utf-8", "replace")
        return bool(chunk)


@pytest.fixture
def parrot(tmp_path) -> str:
    path = tmp_path / "bottle.zip"
    path.write_bytes(package("bottle_post", permissions={"network": ["sea.example"]}))
    return str(path)


def test_permissions_are_shown_before_anything_is_installed(tmp_path, parrot):
    terminal = Terminal(tmp_path / "data", "plugin", "install", parrot)
    terminal.until("sea.example")
    terminal.answer("approve these permissions? [y/N]", "no")
    assert terminal.ended() == 1
    assert "nothing was installed" in terminal.shown

    terminal = Terminal(tmp_path / "data", "plugin", "install", parrot)
    terminal.answer("approve these permissions? [y/N]", "y")
    assert terminal.ended() == 0
    assert "is installed and approved" in terminal.shown


def test_an_accounts_fields_are_asked_for_and_its_secret_is_not_shown(tmp_path):
    data_dir = tmp_path / "data"
    terminal = Terminal(data_dir, "--lang", "zh-CN", "account", "add", "qqbot/main")
    terminal.answer("机器人 AppID:", "102000001")
    terminal.answer("机器人密钥 AppSecret:", "kX9fQ2mZ7tLwB4nRcV8yHs")
    for title in TITLES:
        terminal.answer(title, "")
    assert terminal.ended() == 0, terminal.shown
    assert "is made" in terminal.shown
    assert "kX9fQ2mZ7tLwB4nRcV8yHs" not in terminal.shown


def test_ctrl_c_stops_a_command_without_a_traceback(tmp_path):
    terminal = Terminal(tmp_path / "data", "account", "add", "qqbot/main")
    terminal.until("AppID:")
    assert terminal.interrupted() == 128 + signal.SIGINT
    assert "Traceback" not in terminal.shown
