"""A real gateway in a process of its own, spoken to through its public API only."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

START_LIMIT_S = 30.0


class Refused(Exception):
    """The API refused a request."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem}")
        self.status = status
        self.problem = problem


class GatewayProcess:
    """`wunder serve` on a data directory; may be killed and started again."""

    #: What is run; a test may put something around it.
    program: tuple[str, ...] = (sys.executable, "-m", "wunder.cli.main")
    start_limit_s = START_LIMIT_S

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.settings = settings
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.token = ""

    def start(self) -> "GatewayProcess":
        """Start it and wait until it answers."""
        run_file = self.data_dir / "run" / "cli.json"
        run_file.unlink(missing_ok=True)
        environ = self.environ()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.program, "serve"],
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        ends_at = time.monotonic() + self.start_limit_s
        while not self._is_up(run_file):
            if self._process.poll() is not None or time.monotonic() > ends_at:
                raise AssertionError(f"the gateway did not start:\n{self.tail()}")
            time.sleep(0.01)
        return self

    def environ(self) -> dict[str, str]:
        """What it is started with."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith("WUNDER_")}
        return environ | {
            "WUNDER_DATA_DIR": str(self.data_dir),
            "WUNDER_SERVER_PORT": environ.get("TEST_PORT", "0"),
            "WUNDER_STORE_FREE_FLOOR_BYTES": "1048576",
            "WUNDER_STORE_BALLAST_BYTES": "1048576",
            **self.settings,
        }

    def command(self, *arguments: str) -> str:
        """Run a `wunder` command with its settings; what it said. Raises: AssertionError."""
        ended = subprocess.run(
            [sys.executable, "-m", "wunder.cli.main", *arguments],
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def __enter__(self) -> "GatewayProcess":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is said."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM and wait; its exit code."""
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def tail(self, lines: int = 60) -> str:
        """The last lines it logged."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    # --- the API -------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One JSON call under /wunder/admin, or an absolute path. Raises: Refused."""
        data = None if body is None else json.dumps(body).encode()
        return self._send(method, path, data, {"Content-Type": "application/json", **headers})

    def get(self, path: str, **query: str) -> Any:
        """Read something."""
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def upload(self, package: bytes, **fields: str) -> Any:
        """Upload a plugin package."""
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        parts.append(
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="file"; filename="plugin.zip"\r\nContent-Type: application/zip\r\n\r\n'.encode()
            + package
            + f"\r\n--{boundary}--\r\n".encode()
        )
        kind = f"multipart/form-data; boundary={boundary}"
        return self._send("POST", "channel_plugins/upload", b"".join(parts), {"Content-Type": kind})

    def webhook(
        self, channel: str, account: str, body: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Post to a webhook as a platform does; status and body."""
        url = f"{self.url}/wunder/channel/{channel}/{account}/webhook"
        request = Request(url, body, headers or {}, method="POST")
        try:
            with urlopen(request, timeout=20) as response:
                return response.status, response.read()
        except HTTPError as error:
            return error.code, error.read()

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        url = self.url + (path if path.startswith("/") else f"/wunder/admin/{path}")
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        request = Request(url, data, headers, method=method)
        try:
            with urlopen(request, timeout=60) as response:
                content = response.read()
        except HTTPError as error:
            content = error.read()
            try:
                problem = json.loads(content)
            except ValueError:
                problem = {"detail": content.decode("utf-8", "replace")}
            raise Refused(error.code, problem) from None
        return json.loads(content) if content else None

    def _is_up(self, run_file: Path) -> bool:
        try:
            written = json.loads(run_file.read_text("utf-8"))
            self.url, self.token = written["url"], written["token"]
            with urlopen(f"{self.url}/healthz", timeout=2) as response:
                return bool(response.status == 200)
        except (OSError, ValueError):
            return False
