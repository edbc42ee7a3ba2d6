"""The QQ stand-in as a process of its own, driven over its HTTP."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

APP_ID = "102000001"
SECRET = "kX9fQ2mZ7tLwB4nRcV8yHs"


class QqProcess:
    """Start it, tell it where the webhook is, have it send, see what arrived."""

    def __init__(self, folder: Path) -> None:
        secret_file = folder / "qq-secret.txt"
        secret_file.write_text(SECRET)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.standins.qq",
                "--port",
                "0",
                "--app-id",
                APP_ID,
                "--secret-file",
                str(secret_file),
            ],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]

    def __enter__(self) -> "QqProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def tell(self, what: str, **body: Any) -> Any:
        """POST /standin/<what>."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/standin/{what}", data, headers)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def send(self, text: str, kind: str = "c2c", **more: Any) -> dict[str, Any]:
        """Have QQ deliver a message; what its webhook answered is in `answers`."""
        return self.tell("send", kind=kind, text=text, **more)

    def sent(self) -> list[dict[str, Any]]:
        """What the bot has sent, oldest first."""
        with urlopen(f"{self.url}/standin/sent", timeout=30) as answer:
            return json.loads(answer.read())["messages"]

    def texts(self, peer: str | None = None) -> list[str]:
        """The texts the bot has sent, in all or to one peer."""
        return [one["text"] for one in self.sent() if peer in (None, one["peer"])]
