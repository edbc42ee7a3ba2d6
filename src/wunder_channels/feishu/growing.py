"""Cards that show an answer as if it were typed: CardKit's streaming mode.

Source: open.feishu.cn, CardKit, streaming updates. Each change of a card has a `sequence` that only
grows, over all its changes; a card stops growing ten minutes after it began, or was begun again.
"""

from dataclasses import replace
from urllib.parse import quote

from wunder_channels.feishu.api import FeishuApi, FeishuConfig
from wunder_channels.feishu.memory import Memory, Shown
from wunder_channels.feishu.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.feishu.sending import PartSender, manner_of
from wunder_channels.feishu.wording import ELEMENT_ID, Worded, choose_style, dumps, word
from wunder_sdk import Account, Send, SendResult
from wunder_sdk.choices import finished_part
from wunder_sdk.loose_json import nested, string

_CARDS = "/open-apis/cardkit/v1/cards"
#: How far the number of a change jumps where Feishu knows a larger one.
_LEAP = 1_000_000
#: Refusals that say nothing about this app's cards.
_PASSING = frozenset({Refusal.RATE, Refusal.SYSTEM, Refusal.NO_ANSWER, Refusal.TOKEN})


class GrowingCard:
    """One card that CardKit holds."""

    def __init__(self, account: Account[FeishuConfig], shown: Shown, seq: int) -> None:
        self._api = FeishuApi(account)
        self._shown = shown
        self._least = seq
        self._answer = PlatformAnswer(0, None, "", {})

    async def show(self, text: str) -> Refusal | None:
        """Show the whole text so far; the client types what is new.

        Raises:
            ChannelError: No answer. Refusals are returned.
        """
        path = f"{_CARDS}/{quote(self._shown.card_id, safe='')}/elements/{ELEMENT_ID}/content"
        return await self._change("PUT", path, {"content": text})

    async def let_grow(self, *, grows: bool) -> Refusal | None:
        """Begin to grow again, or end it; raises as `show`."""
        path = f"{_CARDS}/{quote(self._shown.card_id, safe='')}/settings"
        settings = dumps({"config": {"streaming_mode": grows}})
        return await self._change("PATCH", path, {"settings": settings})

    async def replace(self, card: str) -> Refusal | None:
        """Replace the whole card, buttons and all; raises as `show`."""
        path = f"{_CARDS}/{quote(self._shown.card_id, safe='')}"
        body: dict[str, object] = {"card": {"type": "card_json", "data": card}}
        return await self._change("PUT", path, body)

    async def end(self, worded: Worded, *, has_choices: bool) -> Refusal | None:
        """Show the whole text and grow no more; None if the card shows it."""
        if has_choices:
            return await self.replace(worded.content)
        refusal = await self.show(worded.said)
        if refusal is Refusal.NOT_GROWING:
            # Ten minutes are over: once more, for the end.
            await self.let_grow(grows=True)
            refusal = await self.show(worded.said)
        if refusal is None:
            await self.let_grow(grows=False)
        return refusal

    def require_shown(self, refusal: Refusal | None) -> None:
        """Raise what a refusal of the last change means; changing again does no harm."""
        if refusal is Refusal.NO_ANSWER:
            refusal = Refusal.SYSTEM
        if refusal is not None:
            raise error_for(refusal, self._answer, 1)

    async def _change(self, method: str, path: str, body: dict[str, object]) -> Refusal | None:
        shown, refusal = self._shown, None
        for leap in (0, _LEAP):
            shown.sequence = max(shown.sequence + 1, self._least) + leap
            numbered = {**body, "sequence": shown.sequence, "uuid": f"{shown.sequence}"}
            self._answer = await self._api.call(method, path, numbered, safe=True)
            refusal = refusal_of(self._answer)
            if refusal is not Refusal.SEQUENCE:
                break
        return refusal


async def begin(
    account: Account[FeishuConfig], send: Send, memory: Memory
) -> tuple[SendResult, str] | None:
    """Show the first words in a card that grows; None where the answer has to be shown otherwise.

    Returns:
        The result, and what CardKit calls the card.

    Raises:
        ChannelError: What Feishu's refusal of the message means.
    """
    text, manner = manner_of(send.message, account.config)
    text, config = finished_part(text), account.config
    style = choose_style(text, config.reply_style, is_markdown=manner.is_markdown)
    if not text or style != "card" or not config.typewriter or not await memory.may_grow():
        return None
    worded = word(text, 0, style, replace(manner, choices=(), grows=True))
    body = {"type": "card_json", "data": worded.content}
    answer = await FeishuApi(account).call("POST", _CARDS, body, safe=True)
    refusal = refusal_of(answer)
    card_id = string(nested(answer.document, "data"), "card_id")
    if refusal is not None or not card_id:
        if refusal not in _PASSING:
            await memory.remember_not_growing()
        return None
    return await PartSender(account, send, memory).send_entity(card_id), card_id


async def card_of(account: Account[FeishuConfig], message_id: str) -> str:
    """Return what CardKit calls the card of a message, "" if it has none.

    Source: open.feishu.cn, cardkit/v1/cards/id_convert.
    """
    body = {"message_id": message_id}
    answer = await FeishuApi(account).call("POST", f"{_CARDS}/id_convert", body, safe=True)
    if refusal_of(answer) is not None:
        return ""
    return string(nested(answer.document, "data"), "card_id")
