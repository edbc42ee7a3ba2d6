"""Drive a plugin of any language over its stdin and stdout, as the gateway does, for tests."""

import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from wunder_wire import codec
from wunder_wire.lines import LineSplitter

#: Every wait of a test is bounded by this (house style, rule 39).
ANSWER_S = 5.0

BOOT = Path(__file__).with_name("boot.py")


class PluginProcess:
    """A running plugin; blocking, one call at a time unless you `write` and `read` yourself.

    Example:
        with PluginProcess.python(Path("app")) as plugin:
            plugin.handshake()
            plugin.call("plugin.health", {})
    """

    def __init__(self, command: list[str], **environment: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill()
        self.process = subprocess.Popen(  # noqa: S603 - the test's own plugin
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={"PATH": os.environ.get("PATH", ""), "WUNDER_COOKIE": "test", **environment},
            start_new_session=True,
            bufsize=0,
        )
        self._splitter = LineSplitter(16 * 1_048_576)
        self._lines: list[Any] = []
        self._next_id = 0
        self.notifications: list[codec.Frame] = []

    @classmethod
    def python(cls, app: Path, entry: str = "plugin", **environment: str) -> "PluginProcess":
        """Start the Python plugin in the folder `app` as the gateway starts it."""
        command = [sys.executable, "-I", "-S", "-B", str(BOOT), str(app), entry]
        return cls(command, **environment)

    def __enter__(self) -> "PluginProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What it wrote to stderr so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def handshake(self, **changes: Any) -> Any:
        """Shake hands; `changes` replace members of the parameters. Return the result."""
        params = {
            "protocols": [1],
            "cookie": "test",
            "host": {"name": "test", "version": "0", "instance_id": "0"},
            "plugin": {"plugin_id": "test", "version": "0.0.0"},
            "limits": {"max_frame_bytes": 1_048_576, "max_message_bytes": 524_288},
            "timeouts_ms": {},
            **changes,
        }
        return self.call("plugin.handshake", params)

    def call(self, method: str, params: Any) -> Any:
        """Call a method and return its result as plain JSON.

        Raises:
            PluginError: It answered an error.
            TimeoutError: No answer within 5 s.
            EOFError: It closed its stdout.
        """
        frame_id = self.request(method, params)
        answer = self.answer_to(frame_id)
        if answer.error is not None:
            raise PluginError(answer)
        return answer.result

    def request(self, method: str, params: Any) -> int:
        """Write a request without waiting; return its id."""
        self._next_id += 1
        self.write(codec.request_line(self._next_id, method, params))
        return self._next_id

    def answer_to(self, frame_id: int) -> codec.Frame:
        """Read until the answer to `frame_id`; notifications are kept aside."""
        while True:
            frame = self.read()
            if frame.is_response and frame.id == frame_id:
                return frame
            self.notifications.append(frame)

    def write(self, line: bytes) -> None:
        """Write raw bytes to its stdin."""
        stdin = self.process.stdin
        while line and stdin is not None:
            line = line[stdin.write(line) :]

    def read(self) -> codec.Frame:
        """Return the next frame.

        Raises:
            DecodeError: It wrote something that is none.
        """
        stdout = self.process.stdout
        while not self._lines and stdout is not None:
            ready, _, _ = select.select([stdout], [], [], ANSWER_S)
            if not ready:
                raise TimeoutError(f"no answer within {ANSWER_S} s; its log: {self.log[-2000:]}")
            chunk = stdout.read(65_536)
            if not chunk:
                raise EOFError(f"it closed its stdout; its log: {self.log[-2000:]}")
            self._lines += self._splitter.feed(chunk)
        return codec.plain_decode_frame(self._lines.pop(0))

    def close_stdin(self) -> None:
        """Hang up."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def wait(self) -> int:
        """Return its exit code; it has 5 s."""
        return self.process.wait(ANSWER_S)

    def private_bytes(self) -> int:
        """Return its private memory (USS) in bytes; Linux."""
        rows = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text("ascii").splitlines()
        private = (row.split()[1] for row in rows if row.startswith("Private_"))
        return 1024 * sum(int(size_kib) for size_kib in private)

    def kill(self) -> None:
        """End it in any case."""
        self.process.kill()
        self.process.wait(ANSWER_S)
        for stream in (self.process.stdin, self.process.stdout, self._log):
            if stream is not None:
                stream.close()


class PluginError(Exception):
    """The plugin answered an error; `error` is its error object."""

    def __init__(self, answer: codec.Frame) -> None:
        super().__init__(str(answer.error))
        self.error = answer.error
