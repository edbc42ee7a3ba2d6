"""Replace what a message shows: how an answer that is still being written appears bit by bit."""

from urllib.parse import quote

from wunder_channels.feishu.api import FeishuApi, FeishuConfig
from wunder_channels.feishu.growing import GrowingCard, card_of
from wunder_channels.feishu.memory import Memory, Recent, Shown
from wunder_channels.feishu.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.feishu.sending import MESSAGES, PartSender, manner_of
from wunder_channels.feishu.wording import Style, Worded, word
from wunder_sdk import Account, Edit, Send
from wunder_sdk.choices import finished_part

#: A message takes 5 edits a second (open.feishu.cn, PATCH im/v1/messages): what comes sooner is
#: left out, since each edit shows the whole text; the last one is not, and finds room. The gateway
#: keeps a longer pause by itself (the manifest's edit_interval_ms).
CARD_EDIT_EVERY_MS = 250
#: Texts and posts may be edited 20 times in all (open.feishu.cn, PUT im/v1/messages): the last
#: ones are kept for the end, and the others are spread over a long answer.
_TEXT_EDITS_MAX = 16
_TEXT_EDIT_GROWTH = 1.3
_STYLES: dict[str, Style] = {"text": "text", "post": "post", "interactive": "card"}


class Editor:
    """Shows the newest text in a message of ours."""

    def __init__(
        self, account: Account[FeishuConfig], edit: Edit, recent: Recent, now_ms: int
    ) -> None:
        self._account = account
        self._edit = edit
        self._recent = recent
        self._now_ms = now_ms
        self._api = FeishuApi(account)
        self._text, self._manner = manner_of(edit.message, account.config)
        if not edit.final:
            self._text = finished_part(self._text)

    async def show(self) -> None:
        """Show the text; the final one wholly, in further messages where one is too small.

        Raises:
            ChannelError: What the refusal means; editing again does no harm.
        """
        shown = await self._known()
        if not self._text or (not self._edit.final and self._is_too_soon(shown)):
            return
        shown.edits += 1
        shown.edited_at_ms = self._now_ms
        style = _STYLES.get(shown.msg_type, "text")
        worded = word(self._text, 0, style, self._manner)
        if not shown.card_id or not await self._grew(shown, worded):
            await self._replace(shown.msg_type, worded.content)
        if self._edit.final:
            await self._send_rest(worded.end)

    async def _grew(self, shown: Shown, worded: Worded) -> bool:
        """Let a card of CardKit grow, or end it; False where it has to be replaced as a whole."""
        card = GrowingCard(self._account, shown, self._edit.seq)
        if self._edit.final:
            is_last = worded.end >= len(self._text)
            has_choices = is_last and bool(self._manner.choices)
            return await card.end(worded, has_choices=has_choices) is None
        if shown.is_closed:
            return True
        refusal = await card.show(worded.said)
        # Whatever is written now is refused: the end begins it again.
        shown.is_closed = refusal is Refusal.NOT_GROWING
        if not shown.is_closed:
            card.require_shown(refusal)
        return True

    def _is_too_soon(self, shown: Shown) -> bool:
        since_ms = self._now_ms - shown.edited_at_ms
        if shown.msg_type == "interactive":
            return since_ms < CARD_EDIT_EVERY_MS
        pause_ms = CARD_EDIT_EVERY_MS * _TEXT_EDIT_GROWTH**shown.edits
        return shown.edits >= _TEXT_EDITS_MAX or since_ms < pause_ms

    async def _known(self) -> Shown:
        """Return what kind of message it is: as this process sent it, else as Feishu says."""
        account_id, message_id = self._account.account_id, self._edit.provider_message_id
        found = self._recent.shown(account_id, message_id)
        if found is not None:
            return found
        document = await self._api.ask(f"{MESSAGES}/{quote(message_id, safe='')}")
        data = document.get("data")
        items = data.get("items") if isinstance(data, dict) else None
        first = items[0] if isinstance(items, list) and items else None
        msg_type = first.get("msg_type") if isinstance(first, dict) else None
        kind = msg_type if isinstance(msg_type, str) else "interactive"
        shown = self._recent.keep_shown(account_id, message_id, kind)
        if kind == "interactive" and self._account.config.typewriter:
            shown.card_id = await card_of(self._account, message_id)
        return shown

    async def _replace(self, msg_type: str, content: str) -> None:
        path = f"{MESSAGES}/{quote(self._edit.provider_message_id, safe='')}"
        if msg_type == "interactive":
            answer = await self._api.call("PATCH", path, {"content": content}, safe=True)
        else:
            body = {"msg_type": msg_type, "content": content}
            answer = await self._api.call("PUT", path, body, safe=True)
        _require_done(answer)

    async def _send_rest(self, at: int) -> None:
        """Send what one message cannot hold, each part under a uuid of its own."""
        part = 1
        state: dict[str, object] | None = {"at": at, "file": 0}
        has_more = at < len(self._text) or bool(self._edit.message.attachments)
        while has_more and state is not None:
            send = Send(
                self._edit.message,
                f"{self._edit.idempotency_key}#rest{part}",
                part=part,
                state=state,
            )
            sender = PartSender(self._account, send, Memory(self._account, self._now_ms))
            result, _ = await sender.send_part()
            state = result.next.state if result.next is not None else None
            part += 1


def _require_done(answer: PlatformAnswer) -> None:
    refusal = refusal_of(answer)
    if refusal is Refusal.NO_ANSWER:
        # The same edit again shows the same text.
        refusal = Refusal.SYSTEM
    if refusal is not None:
        raise error_for(refusal, answer, 1)
