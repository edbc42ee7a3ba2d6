"""Access tokens of one account: fetched once for everybody who asks, refreshed early."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from wunder_sdk.errors import OutcomeUnknown, ProviderUnavailable

#: Refresh this long before the end, or in the last fifth of a short life. QQ gives the same
#: token until the last 60 s and keeps the old one valid in them (platforms/qqbot, section 2).
EARLY_S = 60.0
EARLY_SHARE = 0.2

FetchToken = Callable[[], Awaitable[tuple[str, float]]]


@dataclass(slots=True)
class _Slot:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: str | None = None
    refresh_at: float = 0.0
    expires_at: float = 0.0
    failures: int = 0
    last_error: Exception | None = None


class TokenCache:
    """Tokens by name; one fetch at a time for each name."""

    __slots__ = ("_clock", "_slots")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots: dict[str, _Slot] = {}

    async def get(self, name: str, fetch: FetchToken) -> str:
        """Return a token that is good for a while, fetching it if needed.

        Callers that wait while one fetches share its result, and its error. A caller that is
        cancelled leaves the work to the next one. Near its end a token is refreshed; if that
        fails while it is still valid, it goes on being used.

        Args:
            name: Which token, e.g. "access".
            fetch: `async () -> (token, seconds it lives)`; called under a lock of this name.

        Raises:
            ChannelError: What `fetch` raised; no answer becomes `ProviderUnavailable`, since
                asking for a token sends no message.
        """
        slot = self._slots.setdefault(name, _Slot())
        if slot.token is not None and self._clock() < slot.refresh_at:
            return slot.token
        failures = slot.failures
        async with slot.lock:
            if slot.token is not None and self._clock() < slot.refresh_at:
                return slot.token
            if slot.failures != failures and slot.last_error is not None:
                raise slot.last_error
            return await self._refresh(slot, fetch)

    def invalidate(self, name: str, token: str) -> None:
        """Drop `token` because the platform refused it; a newer one under `name` stays."""
        slot = self._slots.get(name)
        if slot is not None and slot.token == token:
            slot.token = None

    async def _refresh(self, slot: _Slot, fetch: FetchToken) -> str:
        try:
            token, lives_s = await fetch()
        except Exception as error:
            slot.failures += 1
            if slot.token is not None and self._clock() < slot.expires_at:
                slot.refresh_at = min(self._clock() + 1.0, slot.expires_at)
                return slot.token
            if isinstance(error, OutcomeUnknown):
                error = ProviderUnavailable(
                    f"no token: {error.message}", http_status=error.http_status
                )
            slot.last_error = error
            raise error from None
        now = self._clock()
        lives_s = max(0.0, float(lives_s))
        slot.token, slot.last_error = token, None
        slot.expires_at = now + lives_s
        slot.refresh_at = slot.expires_at - min(EARLY_S, lives_s * EARLY_SHARE)
        return token
