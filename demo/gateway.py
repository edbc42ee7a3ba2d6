"""The gateway as a process, and the two doors to it that everybody has: the API and the command."""

import json
import shlex
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from screen import Screen
from stage import ROOT, Miss, Stage, environment, until

WUNDER = Path(sys.executable).with_name("wunder")
NAME = "gateway"
ADMIN = "/wunder/admin"
_OPENER = build_opener(ProxyHandler({}))


class Refused(Exception):
    """The API said no, and why: the problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('detail') or problem.get('title')}")
        self.status, self.problem = status, problem


class Gateway:
    """`wunder serve` on a data directory of the stage; may be killed and started again."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage, self._screen = stage, screen
        self.data_dir = stage.folder / "data"
        self.url = ""
        self.token_file = stage.folder / "token"
        self._port = "0"
        self._log = stage.folder / f"{NAME}.log"

    # --- its process ---------------------------------------------------------------------------

    def start(self, allowed_hosts: list[str]) -> None:
        """Start it; `wait` returns when it serves.

        Args:
            allowed_hosts: loopback addresses that the built-in channel may reach.
        """
        self._run_file.unlink(missing_ok=True)
        self._environ = environment(
            WUNDER_DATA_DIR=str(self.data_dir),
            WUNDER_SERVER_PORT=self._port,
            WUNDER_EGRESS_ALLOW_HOSTS=",".join(allowed_hosts),
        )
        self._stage.start(NAME, [str(WUNDER), "serve"], self._environ)

    def wait(self) -> None:
        """Wait until it says where it listens and answers there."""

        def is_up() -> bool:
            if not self._stage.is_running(NAME):
                raise Miss(f"the gateway did not start:\n{self.log_tail()}")
            try:
                self.url = json.loads(self._run_file.read_text())["url"]
                with _OPENER.open(f"{self.url}/readyz", timeout=2) as answer:
                    return bool(answer.status == 200)
            except (OSError, ValueError, URLError):
                return False

        until("the gateway is ready", is_up)
        # After a restart the platform calls the same address.
        self._port = self.url.rpartition(":")[2]

    @property
    def pid(self) -> int:
        return self._stage.running[NAME].pid

    def kill(self) -> int:
        """SIGKILL. Returns the pid it had."""
        return self._stage.kill(NAME)

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines it logged."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-lines:])

    @property
    def _run_file(self) -> Path:
        return self.data_dir / "run" / "cli.json"

    # --- the command ---------------------------------------------------------------------------

    def wunder(self, *words: str, shows: bool = True, may_fail: bool = False) -> str:
        """Run `wunder ..` as an operator does, show it with its output, and return its stdout."""
        shown = [word.replace(f"{self._stage.folder}/", "") for word in words]
        self._screen.command(shlex.join(["wunder", *shown]))
        done = subprocess.run(
            [str(WUNDER), *words],
            cwd=ROOT,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        if shows:
            said = (done.stdout + done.stderr).replace(f"{self._stage.folder}/", "")
            self._screen.output(said)
        if bool(done.returncode) != may_fail:
            wanted = "fail" if may_fail else "succeed"
            raise Miss(f"`wunder {shlex.join(shown)}` should {wanted}: {done.stderr.strip()}")
        return done.stdout

    # --- the API -------------------------------------------------------------------------------

    def get(self, path: str, **query: str) -> Any:
        """Read something below /wunder/admin; not shown, because the audience sees the result."""
        where = f"{ADMIN}/{path}" + (f"?{urlencode(query)}" if query else "")
        return self._send(Request(self.url + where))[1]

    def post(self, path: str, body: Any) -> Any:
        """Change something below /wunder/admin, and show the call. Raises: Refused."""
        request = Request(f"{self.url}{ADMIN}/{path}", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        return self._shown(request)

    def upload(self, package: Path, sha256: str) -> Any:
        """Upload a plugin package, and show the call. Raises: Refused."""
        boundary = uuid.uuid4().hex
        body = (
            (
                f'--{boundary}\r\nContent-Disposition: form-data; name="sha256"\r\n\r\n{sha256}\r\n'
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
                f'filename="{package.name}"\r\nContent-Type: application/zip\r\n\r\n'
            ).encode()
            + package.read_bytes()
            + f"\r\n--{boundary}--\r\n".encode()
        )
        request = Request(f"{self.url}{ADMIN}/channel_plugins/upload", body)
        request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
        return self._shown(request)

    def _shown(self, request: Request) -> Any:
        path = request.full_url.removeprefix(self.url)
        try:
            status, answer = self._send(request)
        except Refused as refused:
            self._screen.call(request.get_method(), path, refused.status)
            raise
        self._screen.call(request.get_method(), path, status)
        return answer

    def _send(self, request: Request) -> tuple[int, Any]:
        request.add_header("Authorization", f"Bearer {self.token_file.read_text().strip()}")
        try:
            with _OPENER.open(request, timeout=60) as answer:
                content = answer.read()
                return answer.status, json.loads(content) if content else None
        except HTTPError as error:
            try:
                problem = json.load(error)
            except ValueError:
                problem = {"title": error.reason}
            raise Refused(error.code, problem) from None
