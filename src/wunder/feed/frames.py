"""Events as lines of a stream: by topic, each encoded once however many pages are open (pure)."""

from typing import Literal, get_args

import msgspec

from wunder.feed.minutes import Minute
from wunder.model.trail import Event

Topic = Literal[
    "plugin",
    "provider",
    "account",
    "agent",
    "binding",
    "delivery",
    "webhook",
    "people",
    "gateway",
]
#: What a stream carries besides: `hello` once, `figures` when they changed, `reset` when something was
#: missed, `bye` when the session behind it has ended.
Notice = Literal["hello", "figures", "reset", "bye"]
TOPICS: tuple[str, ...] = get_args(Topic)

_TOPIC_OF = {topic: topic for topic in TOPICS} | {
    "channel": "plugin",
    "pairing": "account",
    "token": "people",
    "user": "people",
    "password": "people",
    "sessions": "people",
}
_encode = msgspec.json.Encoder().encode


class Figures(msgspec.Struct, frozen=True):
    """`event: figures`: the kept counters by name, and this node's last minute."""

    figures: dict[str, float]
    last_minute: Minute


class Frame(msgspec.Struct, frozen=True):
    """One message of a stream, encoded; `event_id` 0 where there is nothing to resume from."""

    content: bytes
    event_id: int = 0


def topic_of(event: Event) -> str:
    """Return what an event is about, from the first word of its name."""
    return _TOPIC_OF.get(event.name.partition("_")[0], "gateway")


def frame_of(event: Event, topic: str) -> Frame:
    """Encode an event."""
    return _frame(topic, _encode(event), event.event_id)


def hello(newest_id: int) -> Frame:
    """Say from where a page that loses the stream can resume."""
    return _frame("hello", b'{"newest_id":%d}' % newest_id, newest_id)


def figures(counted: Figures) -> Frame:
    """Encode figures."""
    return _frame("figures", _encode(counted))


#: Something was missed: lists have to be read again.
RESET = Frame(b"event: reset\ndata: {}\n\n")
#: The session, token or account behind the stream has ended; do not come again.
BYE = Frame(b"event: bye\ndata: {}\n\n")
HEARTBEAT = Frame(b": heartbeat\n\n")


def _frame(kind: str, data: bytes, event_id: int = 0) -> Frame:
    head = b"id: %d\n" % event_id if event_id else b""
    return Frame(head + b"event: %s\ndata: %s\n\n" % (kind.encode(), data), event_id)
