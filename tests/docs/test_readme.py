"""The README's tour works word by word: a reader's terminals, a real gateway, a QQ stand-in, no network."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.docs.pages import ROOT, lines_of, shell_blocks
from tests.ports import own_port

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]
#: What a clone has that the tour touches.
CLONE = ("docs", "plugins", "src", "tests", ".venv")
#: Lines that do not end: a reader gives each a terminal of its own.
STAYS = re.compile(r"(wunder serve|python -m tests\.standins)")
LIMIT_S = 120


class Reader:
    """Types what the page says into a clone; ports are replaced, for others may use those now."""

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.ports = {"8080": own_port(), "8900": own_port()}
        self.said = ""
        self._terminals: list[subprocess.Popen[bytes]] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WUNDER_")}
        self.environ = {
            **kept,
            # As after `. .venv/bin/activate`, which holds for the rest of a terminal.
            "PATH": f"{clone}/.venv/bin:{kept['PATH']}",
            "WUNDER_SERVER_PORT": str(self.ports["8080"]),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def read(self, block: str) -> None:
        """Type a block. Lines that stay get a terminal; make builds what this test runs in anyway."""
        for port, free in self.ports.items():
            block = block.replace(f":{port}", f":{free}").replace(
                f"--port {port}", f"--port {free}"
            )
        lines = block.splitlines()
        typed = [line for line in lines if not STAYS.search(line) and not line.startswith("make ")]
        self._type("\n".join(map(_patient, typed)))
        for line in filter(STAYS.search, lines):
            self._stay(line)

    def sent(self) -> list[str]:
        """The texts that QQ got from the bot."""
        with urlopen(f"http://127.0.0.1:{self.ports['8900']}/standin/sent", timeout=10) as answer:
            return [one["text"] for one in json.load(answer)["messages"]]

    def close(self) -> None:
        for terminal in self._terminals:
            terminal.terminate()
            with suppress(subprocess.TimeoutExpired):
                terminal.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(terminal.pid, signal.SIGKILL)
            terminal.wait()

    def _type(self, script: str) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.clone,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LIMIT_S,
        )
        self.said += done.stdout
        assert done.returncode == 0, f"{script}\n{done.stdout}"

    def _stay(self, line: str) -> None:
        port = self.ports["8080" if "serve" in line else "8900"]
        with (self.clone / "terminal.log").open("ab") as log:
            command = ["bash", "-c", line if "=" in line.split()[0] else f"exec {line}"]
            self._terminals.append(
                subprocess.Popen(
                    command,
                    cwd=self.clone,
                    env=self.environ,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        ends_at = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            assert self._terminals[-1].poll() is None, (self.clone / "terminal.log").read_text()
            assert time.monotonic() < ends_at, f"nothing listens on {port}"
            time.sleep(0.02)


def _patient(line: str) -> str:
    """A person needs a second between sending and asking; a test asks until the answer is whole."""
    if not line.startswith("wunder trace"):
        return line
    return (
        f'for _ in {{1..40}}; do said="$({line})" && grep -q " sent " <<<"$said" && break; done; '
        'echo "$said"; grep -q " sent " <<<"$said"'
    )


@contextmanager
def reader_of(folder: Path) -> Iterator[Reader]:
    for name in CLONE:
        (folder / name).symlink_to(ROOT / name)
    reader = Reader(folder)
    try:
        yield reader
    finally:
        reader.close()


@pytest.mark.skipif(not shutil.which("curl"), reason="the tour is typed with curl")
def test_the_tour_of_the_readme_works_word_by_word(tmp_path: Path) -> None:
    with reader_of(tmp_path) as reader:
        for block in shell_blocks(ROOT / "README.md"):
            reader.read(block)
        assert "demo.echo 0.1.0 is enabled." in reader.said
        assert "qq/shop works: bot" in reader.said
        assert reader.sent() == ["Is the shop open?"]
        assert "is served by: builtin." in reader.said
        assert "clerk" in reader.said
    assert (tmp_path / "data").is_dir()
    assert "a-secret-of-my-own" not in reader.said + (tmp_path / "terminal.log").read_text()


def test_every_block_of_the_readme_is_typed_or_a_make_target() -> None:
    typed = [lines_of(block) for block in shell_blocks(ROOT / "README.md")]
    assert len(typed) >= 10
    for first in ("make demo", "make setup"):
        assert any(block[0].startswith(first) for block in typed)
