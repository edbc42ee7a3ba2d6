"""Pace: a token bucket an account, filled at the rate its platform allows (pure)."""

BURST_S = 1.0  # choice: what one second allows may go out at once


class TokenBucket:
    """`rate_per_s` sends a second, at least one token of burst. Times are monotonic seconds."""

    def __init__(self, rate_per_s: float, now_s: float) -> None:
        self.rate_per_s = rate_per_s
        self._capacity = max(1.0, rate_per_s * BURST_S)
        self._tokens = self._capacity
        self._filled_at_s = now_s

    def available(self, now_s: float) -> int:
        """How many sends may start now."""
        self._fill(now_s)
        return int(self._tokens)

    def spend(self, now_s: float, count: int = 1) -> None:
        """Note sends, or with a negative `count` that they did not happen; a debt is waited off."""
        self._fill(now_s)
        self._tokens = min(self._capacity, self._tokens - count)

    def opens_in_s(self, now_s: float) -> float:
        """Seconds until one send may start; 0.0 when one may now."""
        self._fill(now_s)
        return max(0.0, (1.0 - self._tokens) / self.rate_per_s)

    def _fill(self, now_s: float) -> None:
        gained = max(0.0, now_s - self._filled_at_s) * self.rate_per_s
        self._tokens = min(self._capacity, self._tokens + gained)
        self._filled_at_s = now_s
