"""What an account remembers between calls, kept by the gateway and not in this process."""

from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_sdk import Account, ChannelError, StateConflict

_UNSURE = "unsure"
_UPLOADS = "uploads"
#: A send without an answer is looked for this long in the statuses before it is sent again
#: (platforms sheet, section 4; statuses follow within seconds).
LOOK_FOR_MS = 30_000
#: Meta delivers statuses for up to 7 days; a replay by hand comes earlier.
_UNSURE_KEPT_MS = 2 * 24 * 3_600_000
#: Uploaded media live 30 days (Cloud API, Media, 2026-07); a day less for clocks.
_UPLOAD_KEPT_MS = 29 * 24 * 3_600_000
_ENTRIES_MAX = 200
_TRIES = 5


class Memory:
    """Small durable facts of one account."""

    def __init__(self, account: Account[WhatsAppConfig], now_ms: int) -> None:
        self._state = account.state
        self._now_ms = now_ms

    async def remember_unsure(self, key: str) -> None:
        """Note that a message under `key` may have arrived: no answer came."""
        await self._change(_UNSURE, {key: (self._now_ms, "")}, _UNSURE_KEPT_MS)

    async def confirm(self, sends: dict[str, str]) -> None:
        """Note which unsure messages have arrived after all, key -> WhatsApp's id."""
        unsure = self._fresh(await self._state.get(_UNSURE), _UNSURE_KEPT_MS)
        found = {key: (unsure[key][0], sends[key]) for key in sends if key in unsure}
        if found:
            await self._change(_UNSURE, found, _UNSURE_KEPT_MS)

    async def unsure_since(self, key: str) -> tuple[int, str] | None:
        """Return when a message was left without an answer, and its id if it has arrived."""
        return self._fresh(await self._state.get(_UNSURE), _UNSURE_KEPT_MS).get(key)

    async def uploaded(self, key: str) -> str:
        """Return the media id under which Meta keeps this stored file, "" if it does not."""
        found = self._fresh(await self._state.get(_UPLOADS), _UPLOAD_KEPT_MS).get(key)
        return found[1] if found else ""

    async def remember_upload(self, key: str, media_id: str) -> None:
        """Spare the upload when the message has to be sent again; a full store is no harm."""
        try:
            await self._change(_UPLOADS, {key: (self._now_ms, media_id)}, _UPLOAD_KEPT_MS)
        except ChannelError:
            return

    async def _change(self, name: str, fresh: dict[str, tuple[int, str]], kept_ms: int) -> None:
        for _ in range(_TRIES):
            found, rev = await self._state.get_with_rev(name)
            known = self._fresh(found, kept_ms)
            merged = {key: value for key, value in known.items() if key not in fresh} | fresh
            latest = {key: list(merged[key]) for key in list(merged)[-_ENTRIES_MAX:]}
            try:
                await self._state.put(name, latest, rev=rev)
            except StateConflict:
                continue
            return

    def _fresh(self, found: object, kept_ms: int) -> dict[str, tuple[int, str]]:
        noted = found if isinstance(found, dict) else {}
        return {
            key: (value[0], value[1])
            for key, value in noted.items()
            if isinstance(value, list)
            and len(value) == 2
            and isinstance(value[0], int)
            and isinstance(value[1], str)
            and self._now_ms - value[0] < kept_ms
        }
