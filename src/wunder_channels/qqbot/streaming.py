"""An answer that grows in a private chat: QQ shows its frames as one message.

Source: QQ bot docs 2026-07, C2C stream messages. Every frame holds the whole text so far and must
begin with what was shown before; all frames of a stream share one msg_seq, their `index` grows.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from urllib.parse import quote

from wunder_channels.qqbot.api import QqApi, QqConfig
from wunder_channels.qqbot.length import LIMITS
from wunder_channels.qqbot.provider_errors import PlatformAnswer, Refusal, error_for, refusal_of
from wunder_channels.qqbot.reply import (
    ordinal_of_stream,
    replies_left,
    scope_of,
    stream_seq,
)
from wunder_channels.qqbot.sending import PartSender
from wunder_channels.qqbot.text import without_links
from wunder_sdk import (
    Account,
    Duplicate,
    Edit,
    NextPart,
    OutboundMessage,
    ProviderRejected,
    ProviderUnavailable,
    Send,
    SendResult,
    UnsupportedFeature,
)
from wunder_sdk.choices import as_lines, finished_part, take_choices
from wunder_sdk.loose_json import string
from wunder_sdk.splitting import take

_GROWING, _ENDED = 1, 10
_WAY = "stream"
#: What a stream shows at most: as much as the longest message.
_SHOWN_MAX = LIMITS[-1]
#: A frame that does not begin with what was shown before.
NOT_A_CONTINUATION = 40007
#: Streams that this process keeps in mind (choice).
_KNOWN_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Frames:
    """One stream: `provider_message_id` is `stream:<msg_seq>:<QQ's id>`."""

    seq: int
    stream_id: str

    @staticmethod
    def of(provider_message_id: str) -> "Frames":
        """Read it back.

        Raises:
            UnsupportedFeature: It is a message like any other.
        """
        way, _, rest = provider_message_id.partition(":")
        seq, _, stream_id = rest.partition(":")
        if way != _WAY or not stream_id or not (seq.isascii() and seq.isdecimal()):
            raise UnsupportedFeature("QQ changes no message but one that is streamed")
        return Frames(int(seq), stream_id)


@dataclass(slots=True)
class Shown:
    """How far a stream has come, as this process knows it."""

    text: str = ""
    index: int = 0
    is_ended: bool = False


class Known:
    """Streams written lately: a cache, without it frames are numbered by time."""

    def __init__(self) -> None:
        self._shown: OrderedDict[str, Shown] = OrderedDict()

    def of(self, stream_id: str) -> Shown:
        """Return what is known of a stream."""
        found = self._shown.setdefault(stream_id, Shown())
        while len(self._shown) > _KNOWN_MAX:
            self._shown.popitem(last=False)
        return found


class Streamer:
    """Writes frames for one account."""

    def __init__(self, account: Account[QqConfig], known: Known, now_ms: int) -> None:
        self._account = account
        self._config = account.config
        self._known = known
        self._now_ms = now_ms
        self._api = QqApi(account)

    async def begin(self, send: Send) -> SendResult:
        """Show the first frame.

        Raises:
            UnsupportedFeature: No private chat, or no reply left: the text will come as a whole.
            ChannelError: What QQ's refusal means.
        """
        msg_id = send.message.meta.get("msg_id")
        left = replies_left(send, typing=self._config.typing)
        if scope_of(send) != "c2c" or not isinstance(msg_id, str) or left <= 0:
            raise UnsupportedFeature("QQ streams replies in private chats only")
        frames, text = Frames(stream_seq(send), ""), self._growing(send.message)
        if not text:
            raise UnsupportedFeature("there is nothing to show yet")
        answer = await self._frame(send.message, frames, text, _GROWING, 0)
        refusal = refusal_of(answer)
        stream_id = string(answer.document, "id")
        if refusal is None and not stream_id:
            refusal = Refusal.NO_ANSWER
        if refusal is not None:
            raise error_for(refusal, answer, send.attempt, passive=True)
        shown = self._known.of(stream_id)
        shown.text, shown.index = text, 0
        return SendResult(f"{_WAY}:{frames.seq}:{stream_id}", {"id": stream_id})

    async def edit(self, edit: Edit) -> None:
        """Show the text so far; the final one ends the stream, and what it cannot hold follows.

        A final text for a message that is no stream was sent as a whole just now.

        Raises:
            ProviderRejected: The final text does not begin with what was shown: the stream is
                ended as it is, and the text has to be a message of its own.
            ChannelError: What QQ's refusal means.
        """
        if edit.final and not edit.provider_message_id.startswith(f"{_WAY}:"):
            return
        frames = Frames.of(edit.provider_message_id)
        shown = self._known.of(frames.stream_id)
        if edit.final:
            await self._end(edit, frames, shown)
            return
        text = self._growing(edit.message)
        if not text or text == shown.text:
            return
        answer = await self._frame(
            edit.message, frames, text, _GROWING, _next_index(shown, edit.seq)
        )
        _require_done(answer)
        shown.text = text

    async def _end(self, edit: Edit, frames: Frames, shown: Shown) -> None:
        text = self._whole(edit.message)
        piece = take(text, 0, _SHOWN_MAX)
        tried_before, shown.is_ended = shown.is_ended, True
        index = _next_index(shown, edit.seq)
        answer = await self._frame(edit.message, frames, piece.text, _ENDED, index)
        if answer.code == NOT_A_CONTINUATION and not tried_before:
            await self._end_as_it_is(edit, frames, shown)
            raise ProviderRejected(
                "the end of the answer is not what was shown before",
                provider_code=answer.code,
                http_status=answer.status,
            )
        is_done = tried_before and refusal_of(answer) in (Refusal.UNKNOWN, Refusal.BAD_REQUEST)
        if not is_done:
            _require_done(answer)
        if piece.end < len(text) or edit.message.attachments:
            await self._send_rest(replace(edit.message, text=text), edit, frames, piece.end)

    async def _end_as_it_is(self, edit: Edit, frames: Frames, shown: Shown) -> None:
        """Let a stream stop growing; how QQ likes that changes nothing."""
        if shown.text:
            index = _next_index(shown, edit.seq)
            await self._frame(edit.message, frames, shown.text, _ENDED, index)

    async def _send_rest(
        self, message: OutboundMessage, edit: Edit, frames: Frames, at: int
    ) -> None:
        """Send what the stream has no room for, under the numbers its delivery has left."""
        state: dict[str, object] | None = {"at": at, "limit": _SHOWN_MAX, "file": 0, "said": 1}
        part = 1
        while state is not None:
            send = Send(
                message,
                f"{edit.idempotency_key}#rest{part}",
                reply_ordinal=ordinal_of_stream(frames.seq),
                part=part,
                state=state,
            )
            more: NextPart | None
            try:
                more = (await PartSender(self._account, send, self._now_ms).send_part()).next
            except Duplicate as done:
                # An earlier try of this end sent it: the number is this stream's own.
                more = done.next
            state = more.state if more is not None else None
            part += 1

    async def _frame(
        self, message: OutboundMessage, frames: Frames, text: str, input_state: int, index: int
    ) -> PlatformAnswer:
        body: dict[str, object] = {
            "input_mode": "replace",
            "input_state": input_state,
            "index": index,
            "content_type": "text" if self._config.markdown == "off" else "markdown",
            "content_raw": text,
            "msg_id": message.meta.get("msg_id"),
            "msg_seq": frames.seq,
        }
        if frames.stream_id:
            body["stream_msg_id"] = frames.stream_id
        path = f"/v2/users/{quote(message.peer.id, safe='')}/stream_messages"
        return await self._api.call("POST", path, body, safe=bool(frames.stream_id))

    def _growing(self, message: OutboundMessage) -> str:
        """Return what may be shown of an unfinished text: nothing that its end may take back."""
        text = finished_part(self._linkless((message.text or "").lstrip()))
        return take(text, 0, _SHOWN_MAX).text.rstrip() if text else ""

    def _whole(self, message: OutboundMessage) -> str:
        text, choices = take_choices(self._linkless((message.text or "").strip()))
        return "\n\n".join(filter(None, (text, as_lines(choices))))

    def _linkless(self, text: str) -> str:
        return without_links(text) if self._config.links == "strip" else text


def _next_index(shown: Shown, seq: int) -> int:
    """Return the number of the next frame: one more, or by time where another process began."""
    shown.index = shown.index + 1 if shown.text else max(seq, 1)
    return shown.index


def _require_done(answer: PlatformAnswer) -> None:
    refusal = refusal_of(answer)
    if refusal is Refusal.NO_ANSWER:
        # The same frame again shows the same text.
        raise ProviderUnavailable("no readable answer to a frame", http_status=answer.status)
    if refusal is not None:
        raise error_for(refusal, answer, 1, passive=True)
