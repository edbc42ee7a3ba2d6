"""Send one message of an app: a piece of text, then the attachments one by one."""

from dataclasses import dataclass, replace

from wunder_channels.wechat import desk_sending
from wunder_channels.wechat.api import WecomApi
from wunder_channels.wechat.choice_card import are_tappable, choice_card
from wunder_channels.wechat.config import WecomConfig
from wunder_channels.wechat.desk_sending import link
from wunder_channels.wechat.fingerprint import MARK_BYTES, marked
from wunder_channels.wechat.media import MOST_BYTES, new_upload
from wunder_channels.wechat.pace import MemberPace
from wunder_channels.wechat.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_sdk import (
    Account,
    Attachment,
    NextPart,
    OutcomeUnknown,
    ProviderRejected,
    RateLimited,
    RecipientUnreachable,
    Send,
    SendResult,
)
from wunder_sdk.choices import Choice, as_lines, take_choices
from wunder_sdk.loose_json import JsonObject, string
from wunder_sdk.recent_keys import RecentKeys
from wunder_sdk.splitting import PLAIN_BYTES, take

#: A text or markdown message; what is longer is cut off silently (WeCom docs 90236).
TEXT_BYTES = 2048
#: Seconds for which WeCom remembers what it has seen; at most four hours.
DUPLICATE_CHECK_S = 14_400
#: The gateway repeats on its own for as long as the manifest's idempotency window.
_UNSURE_MS = 4 * 3_600_000
#: Cards cut these off (WeCom docs 90236).
_TITLE_BYTES, _DESCRIPTION_BYTES = 128, 512
_NO_TITLE = {"image": "图片", "audio": "语音", "video": "视频", "file": "文件"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come: what `next.state` carries.

    Attributes:
        at: Where in the text the next piece begins.
        file: The attachment to send once the text is through.
        media_id: What WeCom calls it, once it is uploaded.
        media_type: As what it was uploaded.
        is_card_sent: The card with the answers to tap has been shown.
    """

    at: int = 0
    file: int = 0
    media_id: str = ""
    media_type: str = ""
    is_card_sent: bool = False

    @staticmethod
    def of(state: dict[str, object] | None) -> "Progress":
        """Read it back."""
        found = state or {}
        at, file = found.get("at"), found.get("file")
        return Progress(
            at if isinstance(at, int) else 0,
            file if isinstance(file, int) else 0,
            string(found, "media_id"),
            string(found, "media_type"),
            found.get("card") is True,
        )

    def as_next(self) -> NextPart:
        """Write it down, without what is empty."""
        fields: dict[str, object] = {"at": self.at, "file": self.file}
        if self.media_id:
            fields |= {"media_id": self.media_id, "media_type": self.media_type}
        if self.is_card_sent:
            fields["card"] = True
        return NextPart(fields)


class PartSender:
    """Sends the parts of one delivery for one app."""

    def __init__(
        self, account: Account[WecomConfig], send: Send, pace: MemberPace, now_ms: int
    ) -> None:
        self._account = account
        self._send = send
        self._pace = pace
        self._now_ms = now_ms
        self._api = WecomApi(account)
        self._text = send.text.strip()
        self._choices: tuple[Choice, ...] = ()
        self._files = send.message.attachments
        self._progress = Progress.of(send.state)
        if send.message.format == "markdown":
            self._word_choices()

    async def send_part(self) -> SendResult:
        """Send part `send.part`, or upload what the next part sends; say whether there is more.

        Raises:
            ChannelError: What WeCom's refusal means, see `provider_errors`.
        """
        _require_one(self._send)
        progress = self._progress
        if progress.at < len(self._text):
            piece = take(self._text, progress.at, TEXT_BYTES - MARK_BYTES, PLAIN_BYTES)
            return await self._post(self._said(piece.text), replace(progress, at=piece.end))
        if self._choices and not progress.is_card_sent:
            return await self._post_card(replace(progress, is_card_sent=True))
        if progress.file >= len(self._files):
            raise ProviderRejected("there is neither text nor an attachment to send")
        attachment = self._files[progress.file]
        if attachment.url:
            shown = link(attachment) if self._is_desk else _card(attachment)
            return await self._post(shown, self._file_done())
        if not progress.media_id:
            return await self._upload(attachment)
        return await self._post(_media(progress.media_type, progress.media_id), self._file_done())

    # --- wording ---------------------------------------------------------------------------------

    def _word_choices(self) -> None:
        """Take answers to tap out of the text, where a card can show them; else they are lines."""
        text, choices = take_choices(self._text)
        if self._is_desk:
            is_tappable = desk_sending.are_tappable(choices)
        else:
            wants_cards = self._account.config.markdown == "auto" and not self._is_group
            is_tappable = wants_cards and are_tappable(choices)
        if is_tappable:
            self._text, self._choices = text, choices
        elif choices:
            self._text = "\n\n".join(filter(None, (text, as_lines(choices))))

    async def _post_card(self, after: Progress) -> SendResult:
        """Show the answers to tap; as lines where WeCom does not take the card."""
        card = choice_card(self._choices, self._send.idempotency_key)
        try:
            shown = desk_sending.menu(self._choices) if self._is_desk else card
            return await self._post(shown, after)
        except ProviderRejected:
            return await self._post(self._said(as_lines(self._choices)), after)

    def _said(self, text: str) -> JsonObject:
        if self._is_desk:
            return {"msgtype": "text", "text": {"content": text}}
        wants_markdown = self._send.message.format == "markdown"
        kind = "markdown" if wants_markdown and self._account.config.markdown == "auto" else "text"
        content = marked(text, self._send.idempotency_key) if not self._is_group else text
        return {"msgtype": kind, kind: {"content": content}}

    def _file_done(self) -> Progress:
        return replace(self._progress, file=self._progress.file + 1, media_id="", media_type="")

    @property
    def _is_group(self) -> bool:
        """Groups that the app made itself (`appchat`): written to, never heard from."""
        return self._send.peer.kind != "user"

    @property
    def _is_desk(self) -> bool:
        """The customer service writes to people outside, through a door of its own."""
        return self._account.config.is_desk

    # --- media -----------------------------------------------------------------------------------

    async def _upload(self, attachment: Attachment) -> SendResult:
        """Upload only: a repeat of the next part then sends the same media_id, which WeCom folds."""
        media_id, kind = await self._media_id(attachment)
        after = replace(self._progress, media_id=media_id, media_type=kind)
        return SendResult(raw_result={"uploaded": kind}, next=after.as_next())

    async def _media_id(self, attachment: Attachment) -> tuple[str, str]:
        """Return what WeCom calls the bytes for three days, and as what it took them."""
        if not attachment.blob_id:
            raise ProviderRejected("the attachment has neither a url nor a blob")
        content = await self._account.blobs.read_all(attachment.blob_id, MOST_BYTES["file"])
        upload = new_upload(attachment.kind, attachment.name, content)
        answer = await self._api.upload(upload.kind, upload.body, upload.content_type)
        refusal = refusal_of(answer)
        if refusal is not None:
            # Uploading sends nothing, so what went wrong may simply be tried again.
            raise error_for(refusal, answer, self._send.attempt, folds=True)
        media_id = answer.document.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise ProviderRejected("WeCom took the file but named no media_id")
        return media_id, upload.kind

    # --- posting -----------------------------------------------------------------------------------

    async def _post(self, said: JsonObject, after: Progress) -> SendResult:
        await self._require_time()
        answer = await self._post_once(said)
        refusal = refusal_of(answer)
        if refusal is Refusal.MEDIA_GONE and self._progress.media_id:
            media_id, kind = await self._media_id(self._files[self._progress.file])
            answer = await self._post_once(_media(kind, media_id))
            refusal = refusal_of(answer)
        if refusal is not None:
            if refusal is Refusal.NO_ANSWER and self._is_group:
                await self._unsure.note(self._send.idempotency_key, self._now_ms)
            raise error_for(refusal, answer, self._send.attempt, folds=not self._is_group)
        self._require_reached(answer)
        self._pace.note(self._account.account_id, self._send.peer.id, self._now_ms)
        is_last = after.at >= len(self._text) and after.file >= len(self._files)
        is_last = is_last and (after.is_card_sent or not self._choices)
        return _result(answer, None if is_last else after.as_next())

    async def _post_once(self, said: JsonObject) -> PlatformAnswer:
        if self._is_group:
            return await self._post_to_group(said)
        if self._is_desk:
            body = desk_sending.envelope(self._send, self._account.config, said)
            return await self._api.post("/cgi-bin/kf/send_msg", body)
        body = {
            "touser": self._send.peer.id,
            "agentid": self._account.config.agent_id,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": DUPLICATE_CHECK_S,
            **said,
        }
        return await self._api.post("/cgi-bin/message/send", body)

    async def _post_to_group(self, said: JsonObject) -> PlatformAnswer:
        """Post where WeCom folds no duplicates: what may have arrived is not sent again."""
        key = self._send.idempotency_key
        if self._send.attempt > 1 and await self._unsure.holds(key, self._now_ms):
            raise OutcomeUnknown("an earlier try may have arrived; WeCom would show it twice")
        try:
            body = {"chatid": self._send.peer.id, **said}
            return await self._api.post("/cgi-bin/appchat/send", body)
        except OutcomeUnknown:
            await self._unsure.note(key, self._now_ms)
            raise

    @property
    def _unsure(self) -> RecentKeys:
        """What may have arrived in a group, where WeCom recognises no repeat."""
        return RecentKeys(self._account.state, "unsure", keep_ms=_UNSURE_MS)

    async def _require_time(self) -> None:
        if self._is_desk:
            # Five messages for each of the customer's, which WeCom counts itself.
            return
        wait_s = self._pace.wait_s(self._account.account_id, self._send.peer.id, self._now_ms)
        if wait_s > 0:
            raise RateLimited(
                "WeCom drops more than 30 messages a minute to one member without a word",
                retry_after=wait_s,
                scope="peer",
            )

    def _require_reached(self, answer: PlatformAnswer) -> None:
        """Refuse to call sent what WeCom took with errcode 0 and gave to nobody."""
        for field in ("invaliduser", "unlicenseduser"):
            missed = string(answer.document, field).lower().split("|")
            if self._send.peer.id.lower() in missed:
                raise RecipientUnreachable(
                    f"WeCom did not deliver: the member is in {field}",
                    provider_code=field,
                    http_status=answer.status,
                )


def _require_one(send: Send) -> None:
    """Refuse ids that would address many: this is one conversation."""
    peer_id = send.peer.id
    if not peer_id or "|" in peer_id or peer_id.lower() == "@all":
        raise RecipientUnreachable("a message goes to one member, not to many")


def _media(kind: str, media_id: str) -> JsonObject:
    return {"msgtype": kind, kind: {"media_id": media_id}}


def _card(attachment: Attachment) -> JsonObject:
    """Show a public URL: a picture as news, which WeCom fetches itself, anything else as a card."""
    title = attachment.name or _NO_TITLE[attachment.kind]
    title = take(title, 0, _TITLE_BYTES, PLAIN_BYTES).text
    if attachment.kind == "image":
        article = {"title": title, "url": attachment.url, "picurl": attachment.url}
        return {"msgtype": "news", "news": {"articles": [article]}}
    described = take(attachment.url or "", 0, _DESCRIPTION_BYTES, PLAIN_BYTES).text
    card = {"title": title, "description": described, "url": attachment.url}
    return {"msgtype": "textcard", "textcard": card}


def _result(answer: PlatformAnswer, more: NextPart | None) -> SendResult:
    msgid = string(answer.document, "msgid")
    kept = ("msgid", "response_code", "invaliduser", "unlicenseduser")
    raw_result: dict[str, object] = {
        key: value for key, value in answer.document.items() if key in kept and value
    }
    return SendResult(msgid or None, raw_result, more)
