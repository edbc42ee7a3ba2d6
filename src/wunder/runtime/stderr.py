"""The last lines a plugin wrote to stderr: bounded in every direction."""

from collections import deque

from wunder.runtime.policy import WirePolicy

_CUT = " [cut]"


class StderrRing:
    """Keeps the newest lines; more than so many a second are counted, not kept."""

    def __init__(self, policy: WirePolicy) -> None:
        self._policy = policy
        self._lines: deque[str] = deque()
        self._kept_bytes = 0
        self._part = bytearray()
        self._second = 0
        self._in_second = 0
        self.dropped = 0

    def feed(self, received: bytes, now: float) -> None:
        """Take in what was read; `now` is monotonic seconds."""
        *ended, rest = received.split(b"\n")
        for piece in ended:
            self._keep(piece)
            self._end(now)
        if rest:
            self._keep(rest)

    def note(self, line: str, now: float) -> None:
        """Add a line of the host's, or one that came another way; cut and counted alike."""
        if int(now) != self._second:
            if missed := self._in_second - self._policy.stderr_lines_per_s:
                self.dropped += max(0, missed)
                if missed > 0:
                    self._add(f"[{missed} lines dropped]")
            self._second, self._in_second = int(now), 0
        self._in_second += 1
        if self._in_second <= self._policy.stderr_lines_per_s:
            self._add(line[: self._policy.stderr_line_bytes + len(_CUT)])

    def close(self, now: float) -> None:
        """End the last line, which may lack its LF."""
        if self._part:
            self._end(now)

    def tail(self, lines: int | None = None) -> list[str]:
        """Return the newest `lines` (all by default), oldest first."""
        found = list(self._lines)
        return found if lines is None else found[-lines:]

    def _keep(self, piece: bytes) -> None:
        # One byte too many tells a cut line from one that just fits.
        self._part += piece[: max(0, self._policy.stderr_line_bytes + 1 - len(self._part))]

    def _end(self, now: float) -> None:
        limit = self._policy.stderr_line_bytes
        text = self._part[:limit].decode("utf-8", "replace").rstrip("\r")
        self.note(text + _CUT if len(self._part) > limit else text, now)
        self._part.clear()

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._kept_bytes += len(line) + 1
        while self._kept_bytes > self._policy.stderr_kept_bytes:
            self._kept_bytes -= len(self._lines.popleft()) + 1
