"""Send one customer service message: word it, post it, and mind what WeChat allows per user."""

import hashlib
from dataclasses import dataclass, replace

from wunder_channels.wechat_mp.api import MpApi
from wunder_channels.wechat_mp.config import AUTO, MpConfig
from wunder_channels.wechat_mp.documents import clean
from wunder_channels.wechat_mp.leftovers import MORE, TRUNCATED, Leftovers
from wunder_channels.wechat_mp.media import format_of, upload
from wunder_channels.wechat_mp.memory import Allowance, Permission
from wunder_channels.wechat_mp.plain_text import LIMIT_BYTES, to_plain
from wunder_channels.wechat_mp.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_sdk import (
    Account,
    Attachment,
    ChannelError,
    NextPart,
    OutboundMessage,
    OutcomeUnknown,
    ProviderRejected,
    RecipientUnreachable,
    Send,
    SendResult,
)
from wunder_sdk.choices import Choice, as_lines, take_choices
from wunder_sdk.directives import Template, take_template
from wunder_sdk.splitting import PLAIN_BYTES, take, utf8_size

_SEND = "/cgi-bin/message/custom/send"
#: One of a user's messages is left for what comes after this delivery.
_RESERVED = 1
#: A text that WeChat finds too long is halved this often: 2000 -> 500 bytes.
_SHORTENINGS = 2
_LEAST_LIMIT = 256
_TEMPLATE_SEND = "/cgi-bin/message/template/send"
_PICTURE = "图片"
_LINK = (
    '<a href="weixin://bizmsgmenu?msgmenucontent={one.title}&msgmenuid={one.id}">{one.title}</a>'
)
_NOT_IN_A_LINK = frozenset("&#%\"'<>?")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come: what `next.state` carries."""

    at: int = 0
    limit: int = LIMIT_BYTES
    file: int = 0
    template: int = 0


@dataclass(frozen=True, slots=True)
class Wording:
    """One message as WeChat takes it, and how far the delivery is once it arrived."""

    body: dict[str, object]
    after: Progress
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the channel knows beyond one call."""

    permission: Permission
    allowance: Allowance


def worded(message: OutboundMessage) -> str:
    """Return the text of a message as WeChat shows it."""
    text = message.text or ""
    if message.format != "markdown":
        return clean(text).strip()
    text, choices = take_choices(take_template(text)[0])
    return "\n\n".join(filter(None, (clean(to_plain(text)).strip(), _tappable(choices))))


def _tappable(choices: tuple[Choice, ...]) -> str:
    """Return choices as links that send their title when tapped, one a line.

    Source: official account docs 2026-07, customer service messages, menu messages in a text.
    """
    if any(_NOT_IN_A_LINK.intersection(one.title + one.id) for one in choices):
        return clean(as_lines(choices))
    return clean("\n".join(_LINK.format(one=one) for one in choices))


class PartSender:
    """Sends the parts of one delivery for one account."""

    def __init__(
        self, account: Account[MpConfig], send: Send, remembered: Remembered, now_ms: int
    ) -> None:
        self._account = account
        self._send = send
        self._remembered = remembered
        self._now_ms = now_ms
        self._api = MpApi(account, now_ms)
        self._leftovers = Leftovers(account, now_ms)
        self._text = worded(send.message)
        self._template: Template | None = None
        if send.message.format == "markdown":
            _, self._template = take_template(send.message.text or "")
        self._files = send.message.attachments

    async def send_part(self) -> SendResult:
        """Send part `send.part` and say whether there is more.

        Raises:
            ChannelError: What WeChat's refusal means, see `provider_errors`.
        """
        progress = Progress(**{key: int(value) for key, value in (self._send.state or {}).items()})
        if self._template is not None and not progress.template:
            return await self._send_template(self._template, replace(progress, template=1))
        if await self._remembered.permission.must_be_passive(self._account, self._now_ms):
            return await self._keep_all()
        if progress.at < len(self._text):
            return await self._send_text(progress)
        if progress.file < len(self._files):
            return await self._send_file(progress)
        raise ProviderRejected("there is neither text nor an attachment to send")

    async def _send_template(self, template: Template, after: Progress) -> SendResult:
        """Send a template message (模板消息): it needs no message of the user before it.

        Raises:
            ProviderRejected: What fills it is not `field=text`.
            ChannelError: What WeChat's refusal means.

        Source: official account docs 2026-07, template messages.
        """
        filled = dict(one.partition("=")[::2] for one in template.parameters)
        if not all(filled.values()):
            raise ProviderRejected("a template is filled by field=text, separated by |")
        body: dict[str, object] = {
            "touser": self._send.peer.id,
            "template_id": template.name,
            "data": {name.strip(): {"value": clean(text)} for name, text in filled.items()},
        }
        answer = await self._api.call(_TEMPLATE_SEND, body)
        refusal = refusal_of(answer)
        if refusal is not None:
            raise self._error(refusal, answer)
        return self._sent(answer, Wording(body, after))

    async def _keep_all(self) -> SendResult:
        """Keep a reply that came too late for the webhook's response until the user asks for it.

        Raises:
            RecipientUnreachable: Nobody would ask for it.
        """
        addresses = [one.url for one in self._files if one.url]
        text = "\n".join(filter(None, [self._text, *addresses]))
        reply_to = self._send.message.reply_to
        if not text or not reply_to or not self._account.config.fetch_more:
            raise RecipientUnreachable(
                "this account cannot send customer service messages (not verified, or no App "
                "secret), and no webhook waits for this reply any more",
                scope="message",
            )
        receipt_id = "fetch:" + hashlib.sha256(self._send.idempotency_key.encode()).hexdigest()[:32]
        await self._leftovers.keep(self._send.peer.id, reply_to, text, receipt_id)
        return SendResult(receipt_id, {"kept_until_fetched": True})

    # --- text ----------------------------------------------------------------------------------------

    async def _send_text(self, progress: Progress) -> SendResult:
        for shortening in range(_SHORTENINGS + 1):
            limit = max(progress.limit >> shortening, _LEAST_LIMIT)
            wording = await self._word_text(replace(progress, limit=limit))
            answer = await self._post(wording)
            refusal = refusal_of(answer)
            if refusal is None:
                return self._sent(answer, wording)
            if refusal is Refusal.NOT_ALLOWED and self._account.config.reply_mode == AUTO:
                return await self._learn_to_be_passive(answer)
            if refusal is not Refusal.TOO_LONG or shortening == _SHORTENINGS:
                raise self._error(refusal, answer)
        raise ProviderRejected("WeChat finds every piece of this text too long")

    async def _word_text(self, progress: Progress) -> Wording:
        """Take the next piece; the last one that the user may get says what is missing."""
        piece = take(self._text, progress.at, progress.limit, PLAIN_BYTES)
        end = piece.end
        shown = piece.text
        if end < len(self._text) and self._slots(progress) <= 1:
            ending = await self._keep_rest(progress)
            room = progress.limit - utf8_size(ending)
            shown = take(self._text, progress.at, room, PLAIN_BYTES).text + ending
            end = len(self._text)
        return Wording({"msgtype": "text", "text": {"content": shown}}, replace(progress, at=end))

    def _slots(self, progress: Progress) -> int:
        """Return how many pieces of text may follow, this one included."""
        left = self._remembered.allowance.left(self._account.account_id, self._send)
        return left - (len(self._files) - progress.file) - _RESERVED

    async def _keep_rest(self, progress: Progress) -> str:
        """Keep what cannot be sent now, and return how the user learns of it."""
        if not self._account.config.fetch_more:
            return TRUNCATED
        piece = take(self._text, progress.at, progress.limit - utf8_size(MORE), PLAIN_BYTES)
        key = self._send.message.reply_to or self._send.idempotency_key
        try:
            await self._leftovers.keep(self._send.peer.id, key, self._text[piece.end :])
        except ChannelError:
            # The store of an account is full: a short answer is better than none.
            return TRUNCATED
        return MORE

    async def _learn_to_be_passive(self, answer: PlatformAnswer) -> SendResult:
        await self._remembered.permission.remember_refused(self._account, self._now_ms)
        try:
            return await self._keep_all()
        except RecipientUnreachable:
            raise self._error(Refusal.NOT_ALLOWED, answer) from None

    # --- files ---------------------------------------------------------------------------------------

    async def _send_file(self, progress: Progress) -> SendResult:
        attachment = self._files[progress.file]
        after = replace(progress, file=progress.file + 1)
        wording = Wording(await self._file_body(attachment), after, attachment)
        answer = await self._post(wording)
        refusal = refusal_of(answer)
        if refusal is Refusal.MEDIA and attachment.blob_id:
            wording = replace(wording, body=await self._file_body(attachment))
            answer = await self._post(wording)
            refusal = refusal_of(answer)
        if refusal is not None:
            raise self._error(refusal, answer)
        return self._sent(answer, wording)

    async def _file_body(self, attachment: Attachment) -> dict[str, object]:
        if attachment.url:
            return _linked(attachment, attachment.url)
        kind = format_of(attachment).kind
        media_id = attachment.media_id or await upload(self._account, self._api, attachment)
        content = {"media_id": media_id}
        if kind == "video":
            content |= {"title": attachment.name or "", "description": ""}
        return {"msgtype": kind, kind: content}

    # --- posting -------------------------------------------------------------------------------------

    async def _post(self, wording: Wording) -> PlatformAnswer:
        body = {"touser": self._send.peer.id, **wording.body}
        try:
            answer = await self._api.call(_SEND, body)
        except OutcomeUnknown:
            self._remembered.allowance.count(self._account.account_id, self._send)
            raise
        if refusal_of(answer) in (None, Refusal.NO_ANSWER):
            self._remembered.allowance.count(self._account.account_id, self._send)
        return answer

    def _error(self, refusal: Refusal, answer: PlatformAnswer) -> ChannelError:
        return error_for(refusal, answer, self._send.attempt, self._now_ms)

    def _sent(self, answer: PlatformAnswer, wording: Wording) -> SendResult:
        after = wording.after
        is_all = after.at >= len(self._text) and after.file >= len(self._files)
        state = {"at": after.at, "limit": after.limit, "file": after.file}
        if after.template:
            state["template"] = after.template
        found = answer.document.get("msgid")
        message_id = str(found) if type(found) in (int, str) and found else None
        raw_result = {"errcode": 0, "errmsg": answer.words[:200]}
        return SendResult(message_id, raw_result, None if is_all else NextPart(state))


def _linked(attachment: Attachment, address: str) -> dict[str, object]:
    """Show a file that lies elsewhere: WeChat fetches pictures of articles, and nothing more."""
    if attachment.kind != "image":
        words = f"{attachment.name} {address}" if attachment.name else address
        return {"msgtype": "text", "text": {"content": words}}
    article = {
        "title": attachment.name or _PICTURE,
        "description": "",
        "url": address,
        "picurl": address,
    }
    return {"msgtype": "news", "news": {"articles": [article]}}
