"""The gateway's end of the warden, the small process that outlives it (warden.py)."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

from wunder.observe.logs import get_logger
from wunder.runtime.process import Watched

log = get_logger(__name__)

_COMMAND = (sys.executable, "-I", "-S", "-B", str(Path(__file__).with_name("warden.py")))
_AGAIN_S = 1.0


class Warden:
    """The small process that ends the plugins' groups when the gateway was killed."""

    def __init__(self) -> None:
        self._groups: dict[int, str] = {}
        self._pipe = -1
        self._watched: Watched | None = None
        self._is_closing = False

    def add(self, group: int, cookie: str) -> None:
        """Entrust a group to the warden, which starts with the first. Raises: OSError."""
        self._groups[group] = cookie
        if self._watched is None:
            self._start()
        else:
            self._tell(f"+ {group} {cookie}\n")

    def remove(self, group: int, cookie: str) -> None:
        """Say that a plugin was reaped: whoever it left behind is looked for."""
        if self._groups.pop(group, None) is not None:
            self._tell(f"- {group} {cookie}\n")

    async def close(self, limit_s: float) -> None:
        """End the warden after the last plugin ended; it looks around once more."""
        self._is_closing = True
        if self._watched is None:
            return
        os.close(self._pipe)
        self._pipe = -1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._watched.exited.wait()

    def _start(self) -> None:
        theirs, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            child = subprocess.Popen(  # noqa: S603  # our own file, fixed arguments
                _COMMAND,
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
            self._watched = Watched(child, self._ended)
        except OSError:
            os.close(self._pipe)
            self._pipe = -1
            raise
        finally:
            os.close(theirs)
        for group, cookie in self._groups.items():
            self._tell(f"+ {group} {cookie}\n")

    def _ended(self) -> None:
        self._watched = None
        if not self._is_closing:
            os.close(self._pipe)
            self._pipe = -1
            log.warning("warden_ended", groups=len(self._groups))
            asyncio.get_running_loop().call_later(_AGAIN_S, self._start_again)

    def _start_again(self) -> None:
        if self._groups and self._watched is None and not self._is_closing:
            try:
                self._start()
            except OSError as problem:
                log.warning("warden_not_started", problem=problem.strerror)
                asyncio.get_running_loop().call_later(_AGAIN_S, self._start_again)

    def _tell(self, line: str) -> None:
        # A warden that died is replaced when its exit is noticed; the pipe holds 2,000 lines.
        with contextlib.suppress(OSError):
            os.write(self._pipe, line.encode())
