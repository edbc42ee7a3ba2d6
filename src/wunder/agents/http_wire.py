"""The contract with agents over HTTP: what is sent, how it is signed, what may come back.

Source: HTTP API, "Agents over HTTP"; docs/agents.md.
"""

import hmac
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from wunder.agents.history import recent
from wunder.agents.settings import HttpSettings
from wunder.errors import AgentFailed
from wunder.model.ids import TurnId
from wunder.model.message import Attachment, TextFormat
from wunder.model.turn import AgentTurn, Reply

SIGNATURE = "X-Wunder-Signature"
TURN_TOKEN = "X-Wunder-Turn-Token"  # noqa: S105 - the name of a header, not a token
#: Choices: more than any channel delivers in one turn.
MAX_REPLIES = 20
MAX_TEXT_CHARS = 100_000
MAX_ATTACHMENTS = 20


class _ReplyIn(msgspec.Struct, frozen=True):
    text: str = ""
    format: TextFormat = "plain"
    attachments: tuple[Attachment, ...] = ()


class _RepliesIn(msgspec.Struct, frozen=True):
    replies: tuple[_ReplyIn, ...]


class _DeltaIn(msgspec.Struct, frozen=True):
    text: str = ""


class _FinalIn(msgspec.Struct, frozen=True):
    replies: tuple[_ReplyIn, ...] | None = None


def request_body(turn: AgentTurn, settings: HttpSettings) -> bytes:
    """Return the JSON that asks an agent: never `meta`, never a secret."""
    message, content = turn.message, turn.message.content
    asked: dict[str, Any] = {
        "turn_id": turn.turn_id,
        "session_id": turn.session_id,
        "channel": message.channel,
        "account_id": message.account_id,
        "peer": {
            "kind": message.conversation.peer_kind,
            "id": message.conversation.peer_id,
            "name": message.peer_name,
        },
        "sender": message.sender,
        "message": {
            "id": message.platform_message_id,
            "type": content.type,
            "text": content.text,
            "attachments": content.attachments,
            "location": content.location,
            "mentions": content.mentions,
            "mentions_bot": content.mentions_bot,
            "reply_to": content.reply_to,
            "thread_id": message.conversation.thread_id,
            "ts": message.sent_at,
        },
        "history": recent(turn.history, settings.history_messages, settings.history_chars),
    }
    return msgspec.json.encode(asked)


def signature(secret: str, unix_s: int, body: bytes) -> str:
    """Return `t=<unix>,v1=<hex>`: HMAC-SHA256 over "<unix>.<body>"."""
    digest = hmac.digest(secret.encode(), str(unix_s).encode() + b"." + body, "sha256")
    return f"t={unix_s},v1={digest.hex()}"


def turn_token(secret: str, turn_id: TurnId) -> str:
    """Return the token with which the replies to this turn, and no other, come later.

    Derived, so that a turn run again after a crash takes the answer to its first asking.
    """
    return hmac.digest(secret.encode(), b"wunder turn 1 " + turn_id.encode(), "sha256").hex()


def read_replies(body: bytes) -> tuple[Reply, ...]:
    """Read {"replies": [..]}. Raises: AgentFailed, permanent."""
    try:
        return checked(msgspec.json.decode(body, type=_RepliesIn).replies)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unreadable() from error


class EventStream:
    """Reads `delta` and `final` events from the chunks of an event stream.

    A final event with {"replies"} is the answer; without, the deltas' texts are one reply.
    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
    """

    def __init__(self) -> None:
        self._rest = b""
        self._event = ""
        self._data: list[bytes] = []
        self._texts: list[str] = []
        self._replies: tuple[Reply, ...] | None = None

    @property
    def text(self) -> str:
        """What the deltas said so far."""
        return "".join(self._texts)

    @property
    def replies(self) -> tuple[Reply, ...] | None:
        """The answer, None while no final event came."""
        return self._replies

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; True once the final event came. Raises: AgentFailed, permanent."""
        try:
            for name, text in self._events(chunk):
                if self._take(name, text):
                    return True
        except (msgspec.DecodeError, RecursionError) as error:
            raise _unreadable() from error
        return False

    def _events(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        *lines, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            field, _, value = line.rstrip(b"\r").partition(b":")
            value = value.removeprefix(b" ")
            if not line.rstrip(b"\r"):
                if self._data:
                    yield self._event, b"\n".join(self._data)
                self._event, self._data = "", []
            elif field == b"event":
                self._event = value.decode("utf-8", "replace")
            elif field == b"data":
                self._data.append(value)

    def _take(self, name: str, data: bytes) -> bool:
        if name == "delta":
            self._texts.append(msgspec.json.decode(data, type=_DeltaIn).text)
        elif name == "final":
            final = msgspec.json.decode(data, type=_FinalIn)
            whole = (_ReplyIn(self.text),)
            self._replies = checked(whole if final.replies is None else final.replies)
            return True
        return False


def checked(given: Sequence[_ReplyIn | Reply]) -> tuple[Reply, ...]:
    """Return what an agent says, without what says nothing. Raises: AgentFailed for too much."""
    if len(given) > MAX_REPLIES or any(
        len(one.text) > MAX_TEXT_CHARS or len(one.attachments) > MAX_ATTACHMENTS for one in given
    ):
        raise AgentFailed("The agent's answer is larger than any answer may be.", is_permanent=True)
    return tuple(
        Reply(one.text, one.format, one.attachments)
        for one in given
        if one.text.strip() or one.attachments
    )


def _unreadable() -> AgentFailed:
    return AgentFailed("The agent's answer is not what docs/agents.md says.", is_permanent=True)
