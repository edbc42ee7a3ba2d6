"""A QQ of our own: the stand-in of tests/standins/qq as a process, one for each bot."""

import json
import sys
import time
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from stage import Miss, Stage, environment, until

_OPENER = build_opener(ProxyHandler({}))
#: The message is gone as soon as QQ has it: what a person sees and how the API calls it.
SCOPES = {"c2c": "private", "group": "group"}


class Qq:
    """One bot on the platform, and the people who write to it."""

    def __init__(self, stage: Stage, name: str, app_id: str, secret: str) -> None:
        self.name, self.app_id, self.secret = name, app_id, secret
        self._stage = stage
        self.url = ""

    def start(self) -> None:
        """Start it; `wait` returns when it serves."""
        secret_file = self._stage.secret_file(f"{self.name}.secret", self.secret)
        command = [
            *(sys.executable, "-m", "tests.standins.qq"),
            *("--app-id", self.app_id, "--secret-file", str(secret_file)),
        ]
        self._log = self._stage.start(self.name, command, environment(PYTHONUNBUFFERED="1"))

    def wait(self) -> None:
        """Wait for its first line, which says where it listens."""

        def first_line() -> str:
            if not self._stage.is_running(self.name):
                raise Miss(f"the QQ stand-in did not start:\n{self._log.read_text()}")
            line, is_whole, _ = self._log.read_text().partition("\n")
            return line if is_whole else ""

        self.url = json.loads(until("the QQ stand-in listens", first_line))["url"]

    def account_config(self) -> dict[str, Any]:
        """What the form of an account of this bot would hold."""
        return {"app_id": self.app_id, "client_secret": self.secret, "api_base": self.url}

    def calls_back_to(self, url: str) -> bool:
        """Register a webhook; the platform checks it with a challenge (op 13). Was it answered right?"""
        self._post("webhook", {"url": url})
        return bool(self._post("check", {})["ok"])

    def say(self, text: str, kind: str = "c2c") -> dict[str, Any]:
        """Let a person write; the platform signs and posts. Returns the webhook's answer and its time.

        Args:
            text: what they write.
            kind: `c2c`, a private message, or `group_at`, a group message that mentions the bot.
        """
        started = time.monotonic()
        sent = self._post("send", {"kind": kind, "text": text})
        answer = sent["answers"][0]
        return {**answer, "id": sent["message_id"], "took_ms": (time.monotonic() - started) * 1000}

    def hold_next_send(self) -> None:
        """Take the next request to send a message, and stay silent: neither yes nor no."""
        self._post("fault", {"kind": "hang", "hang_s": 120})

    def send_requests(self) -> int:
        """How many requests to send a message came in."""
        return int(self._get("sent")["requests"].get("message", 0))

    def received(self, text: str) -> list[dict[str, Any]]:
        """Return the messages with this text that the platform took from the bot."""
        return [one for one in self._get("sent")["messages"] if one["text"] == text]

    def all_texts(self) -> list[str]:
        """Return every text that the platform took from the bot, in order."""
        return [one["text"] for one in self._get("sent")["messages"]]

    def _get(self, path: str) -> Any:
        return self._ask(Request(f"{self.url}/standin/{path}"))

    def _post(self, path: str, body: Any) -> Any:
        return self._ask(Request(f"{self.url}/standin/{path}", json.dumps(body).encode()))

    @staticmethod
    def _ask(request: Request) -> Any:
        if request.data is not None:
            request.add_header("Content-Type", "application/json")
        with _OPENER.open(request, timeout=30) as answer:
            return json.load(answer)
