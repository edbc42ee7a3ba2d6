"""Answer for an AI bot: into the stream WeCom polls, else once through the question's response_url."""

from dataclasses import dataclass, replace

from wunder_channels.wechat.api import read
from wunder_channels.wechat.config import WecomConfig
from wunder_channels.wechat.provider_errors import PlatformAnswer, Refusal, error_for, refusal_of
from wunder_channels.wechat.streams import (
    STREAM_BYTES,
    STREAM_MS,
    UNPOLLED_MS,
    Stream,
    Streams,
    short_key,
    shown,
)
from wunder_sdk import (
    Account,
    Attachment,
    Duplicate,
    Edit,
    NextPart,
    OutboundMessage,
    ProviderRejected,
    RecipientUnreachable,
    Send,
    SendResult,
    StateConflict,
    UnsupportedFeature,
)
from wunder_sdk.choices import as_lines, finished_part, take_choices
from wunder_sdk.errors import Quota
from wunder_sdk.loose_json import string
from wunder_sdk.splitting import PLAIN_BYTES, take

#: A response_url can be used once, for an hour (WeCom docs 101138, active replies).
RESPONSE_MS = 3_600_000
#: Refusals that say nothing about the response_url itself.
_PASSING = frozenset({Refusal.SYSTEM, Refusal.RATE, Refusal.CONCURRENCY, Refusal.NO_ANSWER})
_STREAM, _RESPONSE = "stream", "response"


@dataclass(frozen=True, slots=True)
class Question:
    """How the message that is answered may be answered."""

    stream_id: str
    response_url: str
    asked_ms: int
    streams: bool

    @staticmethod
    def of(message: OutboundMessage) -> "Question":
        """Read what `bot_events` put down.

        Raises:
            RecipientUnreachable: The message answers nothing.
        """
        meta, asked_ms = message.meta, message.meta.get("asked_ms")
        if not isinstance(asked_ms, int):
            raise RecipientUnreachable(
                "an AI bot only answers; it cannot write first", scope="message"
            )
        return Question(
            string(meta, "stream_id"),
            string(meta, "response_url"),
            asked_ms,
            meta.get("streams") is True,
        )


class BotSender:
    """Answers one question for one bot."""

    def __init__(self, account: Account[WecomConfig], now_ms: int) -> None:
        self._account = account
        self._now_ms = now_ms
        self._streams = Streams(account, now_ms)

    async def send_part(self, send: Send) -> SendResult:
        """Send an answer; what a stream has no room for follows through the response_url.

        Raises:
            RecipientUnreachable: It answers nothing, or can no longer be answered.
            ChannelError: What WeCom's refusal means.
        """
        question, text = Question.of(send.message), text_of(send.message)
        if send.part == 0 and await self._may_stream(question):
            try:
                return await self._say_in_stream(question, send.idempotency_key, text)
            except (StateConflict, Quota):
                self._require_response(question)
        at = (send.state or {}).get("at")
        rest = text[at if isinstance(at, int) else 0 :]
        await self._respond(question, rest, send.attempt)
        return SendResult(f"{_RESPONSE}:{question.stream_id}", {"way": _RESPONSE})

    async def edit(self, edit: Edit) -> None:
        """Replace what a text in a stream shows; a stream that has ended gets the end once more.

        Raises:
            UnsupportedFeature: It did not go into a stream.
            RecipientUnreachable: The stream has ended and the response_url is used.
        """
        way, _, rest = edit.provider_message_id.partition(":")
        stream_id, _, key = rest.partition(":")
        if way != _STREAM or not key:
            raise UnsupportedFeature("only an answer in a stream can be changed")
        text = text_of(edit.message) if edit.final else finished_part(edit.message.text or "")
        piece = take(text, 0, STREAM_BYTES, PLAIN_BYTES)

        def change(stream: Stream) -> Stream:
            if stream.closed:
                return stream
            return stream.with_text(key, piece.text, self._now_ms, final=edit.final)

        question = Question.of(edit.message)
        is_late = self._now_ms - question.asked_ms > STREAM_MS
        if is_late:
            after = await self._streams.find(stream_id)
        else:
            after = await self._streams.change(stream_id, change)
        if not edit.final:
            return
        # A repeat of this edit finds the response_url used: that is "duplicate", not a failure.
        if after.texts.get(key) != piece.text:
            await self._respond(question, text, attempt=2)
        elif piece.end < len(text):
            await self._respond(question, text[piece.end :], attempt=2)

    # --- the two ways --------------------------------------------------------------------------------

    async def _may_stream(self, question: Question) -> bool:
        if not question.streams or not question.stream_id:
            return False
        age_ms = self._now_ms - question.asked_ms
        if age_ms > STREAM_MS:
            return False
        stream = await self._streams.find(question.stream_id)
        return not stream.closed and (stream.polled or age_ms < UNPOLLED_MS)

    async def _say_in_stream(self, question: Question, key: str, text: str) -> SendResult:
        own = short_key(key)
        piece = take(text, 0, STREAM_BYTES, PLAIN_BYTES)

        def change(stream: Stream) -> Stream:
            if stream.closed:
                return stream
            return stream.with_text(own, piece.text, self._now_ms, final=False)

        after = await self._streams.change(question.stream_id, change)
        if own not in after.texts:
            raise StateConflict("the stream ended meanwhile")
        more = NextPart({"at": piece.end}) if piece.end < len(text) else None
        return SendResult(f"{_STREAM}:{question.stream_id}:{own}", {"way": _STREAM}, more)

    async def _respond(self, question: Question, text: str, attempt: int) -> None:
        """Post to the response_url: no token, no repeat, Markdown of at most 20480 bytes."""
        self._require_response(question)
        if not text:
            raise ProviderRejected("there is nothing to send")
        body = {"msgtype": "markdown", "markdown": {"content": shown(text)}}
        answer = read(await self._account.http.post(question.response_url, json=body))
        refusal = refusal_of(answer)
        if refusal is None:
            return
        if refusal in _PASSING:
            # It can be used once, so a repeat is never shown twice.
            raise error_for(refusal, answer, attempt, folds=True)
        if attempt > 1:
            raise Duplicate(_used(answer), provider_code=answer.code, http_status=answer.status)
        raise RecipientUnreachable(
            _used(answer), provider_code=answer.code, http_status=answer.status, scope="message"
        )

    def _require_response(self, question: Question) -> None:
        if not question.response_url or not self._account.config.owns(question.response_url):
            raise RecipientUnreachable(
                "the question has no response_url of WeCom's", scope="message"
            )
        if self._now_ms - question.asked_ms >= RESPONSE_MS:
            raise RecipientUnreachable(
                "an AI bot can answer for one hour, and it is over", scope="message"
            )


def close(stream: Stream, now_ms: int) -> Stream:
    """Return the stream as WeCom is told it: polled, and closed if it is over."""
    return replace(stream, polled=True, closed=stream.is_over(now_ms))


def receipts_of(stream_id: str, stream: Stream) -> list[str]:
    """Return the ids of the messages that a closed stream has shown."""
    return [f"{_STREAM}:{stream_id}:{key}" for key in stream.texts] if stream.closed else []


def text_of(message: OutboundMessage) -> str:
    """Return the whole answer as Markdown: the text, then a link for each attachment.

    Raises:
        UnsupportedFeature: An attachment without a public URL.
    """
    text, choices = take_choices((message.text or "").strip())
    links = [_link(one) for one in message.attachments]
    return "\n\n".join(filter(None, (text, as_lines(choices), *links)))


def _link(attachment: Attachment) -> str:
    if not attachment.url:
        raise UnsupportedFeature("an AI bot shows attachments by their public URL only")
    name = (attachment.name or attachment.kind).replace("[", "(").replace("]", ")")
    return f"{'!' if attachment.kind == 'image' else ''}[{name}]({attachment.url})"


def _used(answer: PlatformAnswer) -> str:
    said = " ".join(answer.words.split())[:200] or "no words"
    return f"WeCom refused the response_url, which can be used once: {said}"
