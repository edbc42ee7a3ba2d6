"""The answer of an AI bot while it grows: written by sends and edits, read by WeCom's polls."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from wunder_channels.wechat.config import WecomConfig
from wunder_sdk import Account, StateConflict
from wunder_sdk.loose_json import JsonObject, nested, string
from wunder_sdk.splitting import PLAIN_BYTES, truncate

#: What a stream shows at most (WeCom docs 100719 and 101031); a longer one never ends.
STREAM_BYTES = 20_480
#: What a text ends with if there is no room for its rest.
TRUNCATED = "…（内容过长，已截断）"
#: WeCom polls for six minutes after the question; the rest is a margin (choice).
STREAM_MS = 330_000
#: A text that nobody called final ends its stream when it was not changed for this long (choice):
#: one that was edited may go on after a pause, one that never was is most likely whole.
QUIET_MS = 20_000
QUIET_UNEDITED_MS = 3_000
#: A question answered later than this without a single poll never opened a stream (choice).
UNPOLLED_MS = 15_000
#: A stream is forgotten this long after its question.
_FORGET_MS = 900_000
_TRIES = 8
_JOIN = "\n\n"


@dataclass(frozen=True, slots=True)
class Stream:
    """What one stream shows.

    Attributes:
        texts: The text of each delivery that answers the question, by its short key, in order.
        open_keys: Those that an edit will change again, or that nobody called final.
        changed_ms: When a text was changed last.
        edited: Was one of them changed after it was sent?
        polled: Has WeCom asked for it? Then it was really opened.
        closed: WeCom has been told the end; nothing can be added.
    """

    texts: dict[str, str] = field(default_factory=dict)
    open_keys: tuple[str, ...] = ()
    changed_ms: int = 0
    edited: bool = False
    polled: bool = False
    closed: bool = False

    @property
    def content(self) -> str:
        """The whole text so far, cut to what a stream shows."""
        return shown(_JOIN.join(filter(None, self.texts.values())).strip())

    def is_over(self, now_ms: int) -> bool:
        """Is there an answer, and has it ended?"""
        is_quiet = now_ms - self.changed_ms >= (QUIET_MS if self.edited else QUIET_UNEDITED_MS)
        return self.closed or (bool(self.texts) and (not self.open_keys or is_quiet))

    def with_text(self, key: str, text: str, now_ms: int, *, final: bool) -> "Stream":
        """Return the stream with the text of one delivery added or replaced."""
        others = tuple(one for one in self.open_keys if one != key)
        return replace(
            self,
            texts={**self.texts, key: text},
            open_keys=others if final else (*others, key),
            changed_ms=now_ms,
            edited=self.edited or self.texts.get(key, text) != text,
        )


class Streams:
    """The streams of one account, kept by the gateway: any process may be asked for one."""

    def __init__(self, account: Account[WecomConfig], now_ms: int) -> None:
        self._state = account.state
        self._now_ms = now_ms

    async def find(self, stream_id: str) -> Stream:
        """Return a stream, an empty one if nothing is known of it."""
        return _read(await self._state.get(_key(stream_id)))

    async def change(self, stream_id: str, change: Callable[[Stream], Stream]) -> Stream:
        """Replace a stream by what `change` makes of it; concurrent changes are made in turn.

        Raises:
            StateConflict: Others changed it all the time.
            Quota: The gateway keeps no more for this account.
        """
        for _ in range(_TRIES):
            found, rev = await self._state.get_with_rev(_key(stream_id))
            before = _read(found)
            after = change(before)
            if after == before:
                return after
            if not rev:
                await self._register(stream_id)
            try:
                await self._state.put(_key(stream_id), _written(after), rev=rev)
            except StateConflict:
                continue
            return after
        raise StateConflict("the stream was changed by others all the time")

    async def _register(self, stream_id: str) -> None:
        """Note a new stream, and forget those whose time is over."""
        index_key = f"streams:{stream_id[:1]}"
        for _ in range(_TRIES):
            found, rev = await self._state.get_with_rev(index_key)
            known = found if isinstance(found, dict) else {}
            kept = {one: at for one, at in known.items() if self._is_young(at)}
            try:
                await self._state.put(index_key, {**kept, stream_id: self._now_ms}, rev=rev)
            except StateConflict:
                continue
            for forgotten in known.keys() - kept.keys() - {stream_id}:
                await self._state.delete(_key(forgotten))
            return

    def _is_young(self, at: object) -> bool:
        return isinstance(at, int) and self._now_ms - at < _FORGET_MS


def short_key(idempotency_key: str) -> str:
    """Return what stands for a delivery inside a stream: its parts and attempts share it."""
    delivery = idempotency_key.partition("#")[0]
    return hashlib.sha256(delivery.encode()).hexdigest()[:12]


def shown(text: str) -> str:
    """Return what a stream shows of a text, which says so if something is missing."""
    return truncate(text, 0, STREAM_BYTES, PLAIN_BYTES, mark=TRUNCATED).text


def _key(stream_id: str) -> str:
    return f"stream:{stream_id}"


def _written(stream: Stream) -> JsonObject:
    return {
        "texts": {key: shown(text) for key, text in stream.texts.items()},
        "open": list(stream.open_keys),
        "changed_ms": stream.changed_ms,
        "edited": stream.edited,
        "polled": stream.polled,
        "closed": stream.closed,
    }


def _read(found: object) -> Stream:
    kept: JsonObject = found if isinstance(found, dict) else {}
    texts, changed_ms, opened = nested(kept, "texts"), kept.get("changed_ms"), kept.get("open")
    return Stream(
        texts={key: string(texts, key) for key in texts},
        open_keys=tuple(one for one in opened if isinstance(one, str))
        if isinstance(opened, list)
        else (),
        changed_ms=changed_ms if isinstance(changed_ms, int) else 0,
        edited=kept.get("edited") is True,
        polled=kept.get("polled") is True,
        closed=kept.get("closed") is True,
    )
