"""What a user can still fetch by answering "1": late replies, and the rest of long ones.

An account without customer service messages can say one thing within 5 s and nothing later. What
comes too late, or does not fit, is kept here until the user asks for it.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.plain_text import LIMIT_BYTES
from wunder_sdk import Account, Busy, StateConflict
from wunder_sdk.splitting import PLAIN_BYTES, take, utf8_size

#: What a user sends to fetch, and what tells them to.
WORD = "1"
MORE = "\n（未完，回复 1 看后续）"
OTHERS = "\n（还有未读的回复，回复 1 查看）"
WORKING = "还在处理中，请稍后回复 1 获取结果。"
TRUNCATED = "\n…（内容过长，已截断）"
#: Users share these many values of host.state, each far below its 64 KiB, together below 1 MiB.
_SHELVES, _SHELF_BYTES = 16, 56_000
#: A text of line ends and quotes doubles in JSON: even then one user fits on a shelf.
_TEXT_BYTES, _USER_BYTES = 24_000, 50_000
_TRIES = 5
#: As long as WeChat would let an account answer at all.
_KEPT_MS = 48 * 3_600_000
#: A reply that takes longer than this is not waited for any more (choice).
_WORKING_MS = 600_000
#: Repeats of one delivery come within 15 s; the same words go to each.
_SAID_AGAIN_MS = 60_000


@dataclass(slots=True)
class Kept:
    """What one user can fetch: `texts` are [key, text, receipt id], `said` is [message id, words]."""

    at: int
    texts: list[list[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    working: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What to say to a user who asks; `receipt_id` names a delivery that has now arrived whole."""

    text: str
    receipt_id: str = ""


class Leftovers:
    """The shelves of one account."""

    def __init__(self, account: Account[MpConfig], now_ms: int) -> None:
        self._state = account.state
        self._now_ms = now_ms

    async def keep(self, openid: str, key: str, text: str, receipt_id: str = "") -> None:
        """Keep a text until `openid` asks; a second one under the same key replaces the first.

        Raises:
            ChannelError: The gateway's store of this account is full, or very busy.
        """

        def put(kept: Kept) -> None:
            kept.texts = [one for one in kept.texts if one[0] != key]
            kept.texts.append([key, _bounded(text), receipt_id])
            while len(kept.texts) > 1 and _stored_bytes(kept.texts) > _USER_BYTES:
                kept.texts.pop(0)
            kept.working = "" if kept.working == key else kept.working

        await self._change(openid, put)

    async def expect(self, openid: str, key: str) -> None:
        """Note that `openid` was told to ask for the reply to `key`, which is not there yet."""

        def put(kept: Kept) -> None:
            kept.working = key

        await self._change(openid, put)

    async def settle(self, openid: str, key: str) -> bool:
        """Note that the reply to `key` has been given; say whether others are still kept."""
        kept = self._find(await self._state.get(_shelf(openid)), openid)
        if kept is None:
            return False
        others = [one for one in kept.texts if one[0] != key]
        if kept.working == key or len(others) < len(kept.texts):

            def put(kept: Kept) -> None:
                kept.texts = [one for one in kept.texts if one[0] != key]
                kept.working = "" if kept.working == key else kept.working

            await self._change(openid, put)
        return bool(others)

    async def fetch(self, openid: str, asked_by: str) -> Fetched | None:
        """Return the next words for `openid`, None where nothing is kept or expected.

        Args:
            openid: Who asks.
            asked_by: The id of the message that asks: its repeats get the same words.
        """
        found: list[Fetched] = []

        def turn_page(kept: Kept) -> None:
            found.clear()
            if kept.said and kept.said[0] == asked_by:
                found.append(Fetched(kept.said[1]))
            elif kept.texts:
                found.append(_next_page(kept))
                kept.said = [asked_by, found[0].text]
            elif kept.working:
                found.append(Fetched(WORKING))

        kept = self._find(await self._state.get(_shelf(openid)), openid)
        if kept is None or not (kept.texts or kept.working or kept.said[:1] == [asked_by]):
            return None
        await self._change(openid, turn_page)
        return found[0] if found else None

    async def _change(self, openid: str, put: Callable[[Kept], None]) -> None:
        for _ in range(_TRIES):
            found, rev = await self._state.get_with_rev(_shelf(openid))
            shelf = self._fresh(found)
            kept = self._find(shelf, openid) or Kept(self._now_ms)
            kept.at = self._now_ms
            put(kept)
            shelf.pop(openid, None)
            shelf[openid] = _to_json(kept)
            try:
                await self._state.put(_shelf(openid), _fitting(shelf), rev=rev)
            except StateConflict:
                continue
            return
        raise Busy("many write to this user's shelf at once")

    def _find(self, shelf: object, openid: str) -> Kept | None:
        found = shelf.get(openid) if isinstance(shelf, dict) else None
        if not isinstance(found, dict) or not self._is_fresh(found):
            return None
        kept = Kept(found["at"], list(found["texts"]), list(found["said"]), found["working"])
        if self._now_ms - kept.at > _WORKING_MS:
            kept.working = ""
        return kept

    def _fresh(self, shelf: object) -> dict[str, Any]:
        rows = shelf.items() if isinstance(shelf, dict) else ()
        return {name: row for name, row in rows if self._is_fresh(row)}

    def _is_fresh(self, row: dict[str, Any]) -> bool:
        lives_ms = _KEPT_MS if row["texts"] else _WORKING_MS if row["working"] else _SAID_AGAIN_MS
        return bool(self._now_ms - row["at"] <= lives_ms)


def page(text: str, ending: str) -> tuple[str, str]:
    """Return what one message can show of `text`, and the rest; if there is one, `ending` says so."""
    if utf8_size(text) <= LIMIT_BYTES:
        return text, ""
    piece = take(text, 0, LIMIT_BYTES - utf8_size(ending), PLAIN_BYTES)
    return piece.text + ending, text[piece.end :]


def _next_page(kept: Kept) -> Fetched:
    key, text, receipt_id = kept.texts[0]
    if len(kept.texts) > 1 and utf8_size(text + MORE) <= LIMIT_BYTES:
        kept.texts = kept.texts[1:]
        return Fetched(text + MORE, receipt_id)
    shown, rest = page(text, MORE)
    kept.texts = ([[key, rest, receipt_id]] if rest else []) + kept.texts[1:]
    return Fetched(shown, "" if rest else receipt_id)


def _to_json(kept: Kept) -> dict[str, Any]:
    return {"at": kept.at, "texts": kept.texts, "said": kept.said, "working": kept.working}


def _fitting(shelf: dict[str, Any]) -> dict[str, Any]:
    """Make room by forgetting who was served longest ago: a shelf is no archive."""
    sizes = {name: _stored_bytes({name: row}) for name, row in shelf.items()}
    total = sum(sizes.values())
    for name in list(shelf)[:-1]:
        if total <= _SHELF_BYTES:
            break
        total -= sizes[name]
        del shelf[name]
    return shelf


def _bounded(text: str) -> str:
    if utf8_size(text) <= _TEXT_BYTES:
        return text
    return take(text, 0, _TEXT_BYTES - utf8_size(TRUNCATED)).text + TRUNCATED


def _stored_bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _shelf(openid: str) -> str:
    return f"fetch:{hashlib.sha256(openid.encode('utf-8', 'replace')).digest()[0] % _SHELVES}"
