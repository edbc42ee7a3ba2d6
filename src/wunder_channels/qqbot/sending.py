"""Send one platform message: word it, post it, and word it once more where QQ asks for that."""

from dataclasses import dataclass, replace

from wunder_channels.qqbot.api import QqApi, QqConfig
from wunder_channels.qqbot.keyboard import keyboard
from wunder_channels.qqbot.length import TRUNCATED, choose_limit
from wunder_channels.qqbot.media import GuildImage, Uploader, content_of
from wunder_channels.qqbot.memory import Memory
from wunder_channels.qqbot.provider_errors import (
    ACCEPTED_FOR_REVIEW,
    MARKDOWN_NOT_ALLOWED,
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_channels.qqbot.reply import Route, msg_seq, replies_left, route, scope_of
from wunder_channels.qqbot.text import escape, without_links
from wunder_sdk import (
    Account,
    ChannelError,
    NextPart,
    OutcomeUnknown,
    ProviderRejected,
    Send,
    SendResult,
    UnsupportedFeature,
)
from wunder_sdk.choices import Choice, as_lines, take_choices
from wunder_sdk.splitting import Piece, take, truncate

#: msg_type of C2C and group messages (QQ bot docs 2026-07, sending messages).
_TEXT, _MARKDOWN, _MEDIA = 0, 2, 7
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
        said: Messages sent so far; what uploads a file only is none.
        file_info: What QQ calls the next attachment, once it has it.
    """

    at: int = 0
    limit: int = 0
    file: int = 0
    said: int = 0
    file_info: str = ""

    @staticmethod
    def of(state: dict[str, object]) -> "Progress":
        """Read it back."""
        at, limit, file, said = (
            found if isinstance(found := state.get(key), int) else 0
            for key in ("at", "limit", "file", "said")
        )
        file_info = state.get("file_info")
        return Progress(at, limit, file, said, file_info if isinstance(file_info, str) else "")

    def as_next(self) -> NextPart:
        """Write it down."""
        fields: dict[str, object] = {"at": self.at, "limit": self.limit, "file": self.file}
        fields["said"] = self.said
        return NextPart(fields | ({"file_info": self.file_info} if self.file_info else {}))


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to say a part of a message."""

    route: Route
    piece: Piece
    markdown: bool = False
    linkless: bool = False
    shortenings: int = 0
    media: str | None = None
    image: GuildImage | None = None
    choices: tuple[Choice, ...] = ()

    @property
    def is_file(self) -> bool:
        """Is it an attachment?"""
        return self.media is not None or self.image is not None


class PartSender:
    """Sends the parts of one delivery for one account."""

    def __init__(self, account: Account[QqConfig], send: Send, now_ms: int) -> None:
        self._account = account
        self._config = account.config
        self._send = send
        self._now_ms = now_ms
        self._api = QqApi(account)
        self._memory = Memory(account, now_ms)
        text = send.text.strip()
        self._choices: tuple[Choice, ...] = ()
        if send.message.format == "markdown":
            text, self._choices = take_choices(text)
            if not text:
                text, self._choices = as_lines(self._choices), ()
        self._text = without_links(text) if self._config.links == "strip" else text
        self._files = send.message.attachments

    async def send_part(self) -> SendResult:
        """Send part `send.part` and say whether there is more.

        Raises:
            ChannelError: What QQ's refusal means, see `provider_errors`.
        """
        said = Progress.of(self._send.state or {}).said
        left = replies_left(self._send, said, typing=self._counts_typing)
        allow, now_ms = self._config.allow_active, self._now_ms
        chosen = route(self._send, left, allow_active=allow, now_ms=now_ms)
        progress = self._progress(chosen)
        if progress.at < len(self._text):
            wording = await self._word_text(chosen, progress)
        elif progress.file < len(self._files):
            if not chosen.in_guild and not progress.file_info:
                return await self._upload(chosen, progress)
            wording = await self._word_file(chosen, progress)
        else:
            raise ProviderRejected("there is neither text nor an attachment to send")
        answer, said_so = await self._post(wording, progress)
        return _result(answer, self._next(progress, said_so))

    @property
    def _counts_typing(self) -> bool:
        return self._config.typing and scope_of(self._send) == "c2c"

    def _progress(self, chosen: Route) -> Progress:
        if self._send.state:
            return Progress.of(self._send.state)
        return Progress(limit=choose_limit(self._text, self._text_slots(chosen)))

    def _next(self, progress: Progress, said: Wording) -> NextPart | None:
        """Return what follows once `said` has arrived."""
        after = replace(progress, said=progress.said + 1, file_info="")
        if said.is_file:
            after = replace(after, file=progress.file + 1)
        else:
            limit = max(progress.limit >> said.shortenings, _LEAST_LIMIT)
            after = replace(after, at=said.piece.end, limit=limit)
        if after.at >= len(self._text) and after.file >= len(self._files):
            return None
        return after.as_next()

    def _text_slots(self, chosen: Route) -> int | None:
        """Return how many pieces the rest of the text may take, None for any number."""
        if not chosen.counted or self._config.allow_active:
            return None
        said = Progress.of(self._send.state or {}).said
        left = replies_left(self._send, said, typing=self._counts_typing)
        return max(1, left - len(self._files))

    # --- wording ---------------------------------------------------------------------------------

    async def _word_text(self, chosen: Route, progress: Progress) -> Wording:
        piece = self._piece(chosen, progress.at, progress.limit)
        return Wording(
            route=chosen,
            piece=piece,
            markdown=await self._wants_markdown(chosen),
            choices=self._choices if piece.end >= len(self._text) else (),
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

    async def _upload(self, chosen: Route, progress: Progress) -> SendResult:
        """Give QQ the file only: a repeat of the next part then sends what is there."""
        uploader = Uploader(self._account, chosen.path, self._send.attempt)
        file_info = await uploader.file_info(self._files[progress.file])
        after = replace(progress, file_info=file_info)
        return SendResult(raw_result={"uploaded": True}, next=after.as_next())

    async def _word_file(self, chosen: Route, progress: Progress) -> Wording:
        attachment, none = self._files[progress.file], Piece("", 0)
        if not chosen.in_guild:
            return Wording(chosen, none, media=progress.file_info)
        if attachment.kind != "image":
            raise UnsupportedFeature("guild channels take images only")
        if attachment.url:
            return Wording(chosen, none, media=attachment.url)
        image = GuildImage(await content_of(self._account, attachment))
        return Wording(chosen, none, image=image)

    def _body(self, said: Wording, seq: int) -> dict[str, object]:
        text, body = said.piece.text, dict[str, object](said.route.passive)
        if said.linkless:
            text = without_links(text)
        keys = keyboard(said.choices) if said.markdown and not said.route.in_guild else None
        if said.choices and keys is None:
            text = f"{text}\n\n{as_lines(said.choices)}"
        if said.route.in_guild:
            return {**_guild_content(said, text), **body}
        if body:
            body["msg_seq"] = seq
        if said.media:
            return {"msg_type": _MEDIA, "media": {"file_info": said.media}, "content": " ", **body}
        if said.markdown:
            shown: dict[str, object] = {"markdown": {"content": text}}
            shown |= {"keyboard": keys} if keys is not None else {}
            return {"msg_type": _MARKDOWN, **shown, **body}
        return {"msg_type": _TEXT, "content": text, **body}

    # --- posting -----------------------------------------------------------------------------------

    async def _post(self, said: Wording, progress: Progress) -> tuple[PlatformAnswer, Wording]:
        for _ in range(_MOST_WORDINGS):
            answer = await self._post_once(said, progress.said)
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

    async def _post_once(self, said: Wording, before: int) -> PlatformAnswer:
        guarded = not said.route.folds_duplicates and self._send.reply_ordinal > 0
        if (
            guarded
            and self._send.attempt > 1
            and await self._memory.may_have_arrived(self._send.idempotency_key)
        ):
            raise OutcomeUnknown("an earlier try may have arrived; QQ would show it twice")
        path = said.route.path + "/messages"
        body = self._body(said, msg_seq(self._send, before, said.shortenings))
        try:
            if said.image is not None:
                return await self._api.post_form(path, *said.image.form(body))
            return await self._api.call("POST", path, body)
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
        if refusal is Refusal.TOO_LONG and limit >= _LEAST_LIMIT and not said.is_file:
            return self._shorten(said, progress)
        return None

    def _shorten(self, said: Wording, progress: Progress) -> Wording | None:
        shortenings = said.shortenings + 1
        if shortenings > _SHORTENINGS:
            return None
        piece = self._piece(
            said.route, progress.at, max(progress.limit >> shortenings, _LEAST_LIMIT)
        )
        choices = said.choices if piece.end >= len(self._text) else ()
        return replace(said, piece=piece, shortenings=shortenings, choices=choices)


def _guild_content(said: Wording, text: str) -> dict[str, object]:
    if said.image is not None:
        return {}
    if said.media:
        return {"image": said.media}
    return {"markdown": {"content": text}} if said.markdown else {"content": escape(text)}


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
