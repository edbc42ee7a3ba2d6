"""`self.log` of a channel: an event name or a sentence, plus fields."""

import logging
from typing import Any

from wunder_sdk.host import Host, LogLevel

_early = logging.getLogger("channel")


class Log:
    """Lines of the plugin's log. Never put secrets or message text in them; sizes and ids may."""

    __slots__ = ("_host",)

    def __init__(self, host: Host | None) -> None:
        self._host = host

    def debug(self, message: str, *args: object, **fields: Any) -> None:
        """Log what only a developer wants to know."""
        self._write("debug", message, args, fields)

    def info(self, message: str, *args: object, **fields: Any) -> None:
        """Log that something happened, e.g. `log.info("token_fetched", lives_s=7200)`."""
        self._write("info", message, args, fields)

    def warning(self, message: str, *args: object, **fields: Any) -> None:
        """Log that something is odd but works."""
        self._write("warning", message, args, fields)

    def error(self, message: str, *args: object, **fields: Any) -> None:
        """Log that a human must act."""
        self._write("error", message, args, fields)

    def _write(
        self, level: LogLevel, message: str, args: tuple[object, ...], fields: dict[str, Any]
    ) -> None:
        text = message % args if args else message
        if self._host is None:
            _early.log(logging.getLevelName(level.upper()), "%s %s", text, fields or "")
        else:
            self._host.log(level, text, fields)
