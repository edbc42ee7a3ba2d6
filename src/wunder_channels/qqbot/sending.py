"""Send one platform message: word it, post it, and word it once more where QQ asks for that."""

from dataclasses import dataclass, replace

from wunder_channels.qqbot.api import QqApi, QqConfig
from wunder_channels.qqbot.length import TRUNCATED, choose_limit
from wunder_channels.qqbot.memory import Memory
from wunder_channels.qqbot.provider_errors import (
    ACCEPTED_FOR_REVIEW,
    MARKDOWN_NOT_ALLOWED,
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.qqbot.reply import Route, msg_seq, replies_left, route
from wunder_channels.qqbot.text import escape, without_links
from wunder_sdk import (
    Account,
    Attachment,
    ChannelError,
    NextPart,
    OutcomeUnknown,
    ProviderRejected,
    Send,
    SendResult,
    UnsupportedFeature,
)
from wunder_sdk.splitting import Piece, take, truncate

#: msg_type of C2C and group messages (QQ bot docs 2026-07, sending messages).
_TEXT, _MARKDOWN, _MEDIA = 0, 2, 7
_FILE_TYPE = {"image": 1, "video": 2, "audio": 3, "file": 4}
#: How often a text may be halved because QQ finds it too long: 4500 -> 562 characters.
_SHORTENINGS = 3
_LEAST_LIMIT = 64
#: The first wording and one more for each way to reword: links, markdown, active, shortenings.
_MOST_WORDINGS = 4 + _SHORTENINGS


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come: what `next.state` carries.

    Attributes:
        at: Where in the text the next piece begins.
        limit: Characters in a piece.
        file: The attachment to send once the text is through.
    """

    at: int = 0
    limit: int = 0
    file: int = 0


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to say a part of a message."""

    route: Route
    piece: Piece
    markdown: bool = False
    linkless: bool = False
    shortenings: int = 0
    media: str | None = None


class PartSender:
    """Sends the parts of one delivery for one account."""

    def __init__(self, account: Account[QqConfig], send: Send, now_ms: int) -> None:
        self._config = account.config
        self._send = send
        self._now_ms = now_ms
        self._api = QqApi(account)
        self._memory = Memory(account, now_ms)
        text = send.text.strip()
        self._text = without_links(text) if self._config.links == "strip" else text
        self._files = send.message.attachments

    async def send_part(self) -> SendResult:
        """Send part `send.part` and say whether there is more.

        Raises:
            ChannelError: What QQ's refusal means, see `provider_errors`.
        """
        chosen = route(self._send, allow_active=self._config.allow_active, now_ms=self._now_ms)
        progress = self._progress(chosen)
        if progress.at < len(self._text):
            wording = await self._word_text(chosen, progress)
        elif progress.file < len(self._files):
            wording = await self._word_file(chosen, progress.file)
        else:
            raise ProviderRejected("there is neither text nor an attachment to send")
        answer, said = await self._post(wording, progress)
        return _result(answer, self._next(progress, said))

    def _progress(self, chosen: Route) -> Progress:
        state = self._send.state or {}
        if state:
            return Progress(**{key: int(state[key]) for key in ("at", "limit", "file")})
        return Progress(limit=choose_limit(self._text, self._text_slots(chosen)))

    def _next(self, progress: Progress, said: Wording) -> NextPart | None:
        """Return what follows once `said` has arrived."""
        if said.media is not None:
            after = replace(progress, file=progress.file + 1)
        else:
            limit = max(progress.limit >> said.shortenings, _LEAST_LIMIT)
            after = replace(progress, at=said.piece.end, limit=limit)
        if after.at >= len(self._text) and after.file >= len(self._files):
            return None
        return NextPart({"at": after.at, "limit": after.limit, "file": after.file})

    def _text_slots(self, chosen: Route) -> int | None:
        """Return how many pieces the rest of the text may take, None for any number."""
        if not chosen.counted or self._config.allow_active:
            return None
        return max(1, replies_left(self._send) - len(self._files))

    # --- wording ---------------------------------------------------------------------------------

    async def _word_text(self, chosen: Route, progress: Progress) -> Wording:
        return Wording(
            route=chosen,
            piece=self._piece(chosen, progress.at, progress.limit),
            markdown=await self._wants_markdown(chosen),
        )

    def _piece(self, chosen: Route, at: int, limit: int) -> Piece:
        if self._text_slots(chosen) == 1:
            return truncate(self._text, at, limit, mark=TRUNCATED)
        return take(self._text, at, limit)

    async def _wants_markdown(self, chosen: Route) -> bool:
        if self._config.markdown == "on":
            return True
        if self._config.markdown == "off" or self._send.message.format != "markdown":
            return False
        # In guilds markdown is by invitation only: `auto` does not try it.
        return not chosen.in_guild and not await self._memory.markdown_is_refused()

    async def _word_file(self, chosen: Route, index: int) -> Wording:
        attachment = self._files[index]
        if not attachment.url:
            raise UnsupportedFeature("QQ fetches attachments itself: they need a public URL")
        if chosen.in_guild:
            if attachment.kind != "image":
                raise UnsupportedFeature("guild channels take images only")
            return Wording(chosen, Piece("", 0), media=attachment.url)
        return Wording(chosen, Piece("", 0), media=await self._upload(chosen, attachment))

    async def _upload(self, chosen: Route, attachment: Attachment) -> str:
        """Have QQ fetch the attachment; nothing is sent by that (srv_send_msg stays false).

        Source: QQ bot docs 2026-07, rich media.
        """
        asked = {
            "file_type": _FILE_TYPE[attachment.kind],
            "url": attachment.url,
            "srv_send_msg": False,
        }
        answer = await self._api.call("POST", chosen.path + "/files", asked, safe=True)
        refusal = refusal_of(answer)
        if refusal is Refusal.NO_ANSWER:
            # Uploading sends nothing, so what went wrong may simply be tried again.
            refusal = Refusal.SYSTEM
        if refusal is not None:
            raise error_for(refusal, answer, self._send.attempt, passive=bool(chosen.passive))
        file_info = answer.document.get("file_info")
        if not isinstance(file_info, str) or not file_info:
            raise ProviderRejected("QQ took the attachment but named no file_info")
        return file_info

    def _body(self, said: Wording) -> dict[str, object]:
        text, body = said.piece.text, dict[str, object](said.route.passive)
        if said.linkless:
            text = without_links(text)
        if said.route.in_guild:
            if said.media:
                return {"image": said.media, **body}
            if said.markdown:
                return {"markdown": {"content": text}, **body}
            return {"content": escape(text), **body}
        if body:
            body["msg_seq"] = msg_seq(self._send, said.shortenings)
        if said.media:
            return {"msg_type": _MEDIA, "media": {"file_info": said.media}, "content": " ", **body}
        if said.markdown:
            return {"msg_type": _MARKDOWN, "markdown": {"content": text}, **body}
        return {"msg_type": _TEXT, "content": text, **body}

    # --- posting -----------------------------------------------------------------------------------

    async def _post(self, said: Wording, progress: Progress) -> tuple[PlatformAnswer, Wording]:
        for _ in range(_MOST_WORDINGS):
            answer = await self._post_once(said)
            refusal = refusal_of(answer)
            if refusal is None:
                return answer, said
            reworded = self._reword(said, refusal, progress)
            if refusal is Refusal.MARKDOWN and answer.code in MARKDOWN_NOT_ALLOWED:
                await self._memory.remember_markdown_refused()
            if reworded is None:
                failure = await self._failure(said, refusal, answer)
                failure.next = self._next(progress, said)
                raise failure
            said = reworded
        raise ProviderRejected("QQ refused every wording of this message")

    async def _post_once(self, said: Wording) -> PlatformAnswer:
        guarded = not said.route.folds_duplicates and self._send.reply_ordinal > 0
        if (
            guarded
            and self._send.attempt > 1
            and await self._memory.may_have_arrived(self._send.idempotency_key)
        ):
            raise OutcomeUnknown("an earlier try may have arrived; QQ would show it twice")
        try:
            return await self._api.call("POST", said.route.path + "/messages", self._body(said))
        except OutcomeUnknown:
            await self._note_unsure(said)
            raise

    async def _failure(
        self, said: Wording, refusal: Refusal, answer: PlatformAnswer
    ) -> ChannelError:
        if refusal is Refusal.NO_ANSWER:
            await self._note_unsure(said)
        passive = bool(said.route.passive)
        return error_for(refusal, answer, self._send.attempt, passive=passive)

    async def _note_unsure(self, said: Wording) -> None:
        """Guard a reply that may be repeated in a form that QQ does not recognise again."""
        folds = said.route.folds_duplicates and not self._config.allow_active
        if not folds and self._send.reply_ordinal > 0:
            await self._memory.remember_unsure(self._send.idempotency_key)

    def _reword(self, said: Wording, refusal: Refusal, progress: Progress) -> Wording | None:
        """Return another wording that QQ may take, None if there is none."""
        text = said.piece.text
        if refusal is Refusal.MARKDOWN and said.markdown:
            return replace(said, markdown=False)
        if refusal is Refusal.LINK and not said.linkless and without_links(text) != text:
            return replace(said, linkless=True)
        if refusal is Refusal.EXPIRED and said.route.passive and self._config.allow_active:
            return replace(said, route=replace(said.route, passive={}))
        limit = min(progress.limit, len(text)) >> 1
        if refusal is Refusal.TOO_LONG and limit >= _LEAST_LIMIT and said.media is None:
            return self._shorten(said, progress)
        return None

    def _shorten(self, said: Wording, progress: Progress) -> Wording | None:
        shortenings = said.shortenings + 1
        if shortenings > _SHORTENINGS:
            return None
        piece = self._piece(
            said.route, progress.at, max(progress.limit >> shortenings, _LEAST_LIMIT)
        )
        return replace(said, piece=piece, shortenings=shortenings)


def _result(answer: PlatformAnswer, more: NextPart | None) -> SendResult:
    found = answer.document.get("id")
    kept = ("id", "timestamp", "ext_info")
    raw_result: dict[str, object] = {
        key: value for key, value in answer.document.items() if key in kept
    }
    if answer.code in ACCEPTED_FOR_REVIEW:
        audit = _audit_id(answer.document)
        raw_result |= {"pending_review": True, "audit_id": audit}
        found = found or audit
    if answer.trace_id:
        raw_result["trace_id"] = answer.trace_id
    return SendResult(found if isinstance(found, str) and found else None, raw_result, more)


def _audit_id(document: dict[str, object]) -> str | None:
    """Return the id under which QQ reviews a message; its verdict comes as a receipt."""
    found = document.get("data")
    review = found.get("message_audit") if isinstance(found, dict) else None
    audit_id = review.get("audit_id") if isinstance(review, dict) else None
    return audit_id if isinstance(audit_id, str) else None
