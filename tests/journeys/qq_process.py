"""The QQ stand-in as a process of its own, driven over its HTTP."""

from pathlib import Path
from typing import Any

from tests.standins.process import StandinProcess

APP_ID = "102000001"
SECRET = "kX9fQ2mZ7tLwB4nRcV8yHs"


class QqProcess(StandinProcess):
    """QQ, and one bot of it."""

    def __init__(self, folder: Path) -> None:
        secret_file = folder / "qq-secret.txt"
        secret_file.write_text(SECRET)
        bot = ("--app-id", APP_ID, "--secret-file", str(secret_file))
        super().__init__("tests.standins.qq", "--port", "0", *bot)

    def send(self, text: str, kind: str = "c2c", **more: Any) -> dict[str, Any]:
        """Have QQ deliver a message; what its webhook answered is in `answers`."""
        return self.tell("send", kind=kind, text=text, **more)
