"""Where a message goes, whether it answers another one, and under which number."""

from dataclasses import dataclass
from urllib.parse import quote

from wunder_channels.qqbot.events import RULES
from wunder_sdk import ProviderRejected, RecipientUnreachable, Send

#: Replies per message in C2C and group; the docs of 2025 and 2026 say 4 and 5: the smaller holds.
REPLIES_PER_MESSAGE = 4
#: A reply that leaves this close to the end of its window would arrive too late (choice).
_WINDOW_MARGIN_MS = 10_000
#: msg_seq = 100 per delivery + 25 per shortening + message: all distinct, the first of all is 1.
#: The hundredth of a delivery is its stream's; "typing" has one beyond all deliveries.
_SEQ_PER_DELIVERY = 100
_SEQ_PER_SHORTENING = 25
TYPING_SEQ = 60_000
_PATHS = {
    "c2c": "/v2/users/{}", "group": "/v2/groups/{}", "channel": "/channels/{}", "guild_dm": "/dms/{}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one platform message.

    Attributes:
        scope: c2c, group, channel or guild_dm.
        path: The peer's path below the API base.
        passive: `msg_id` or `event_id` of what is answered; empty for an active message.
    """

    scope: str
    path: str
    passive: dict[str, str]

    @property
    def in_guild(self) -> bool:
        """Guild messages have other bodies, no msg_seq and no count of replies."""
        return self.scope in ("channel", "guild_dm")

    @property
    def folds_duplicates(self) -> bool:
        """Does QQ recognise a repeated message? Only replies in C2C and group carry a number."""
        return bool(self.passive) and not self.in_guild

    @property
    def counted(self) -> bool:
        """Is the number of replies limited?"""
        return self.folds_duplicates


def route(send: Send, left: int, *, allow_active: bool, now_ms: int) -> Route:
    """Choose how to send: as a reply while one is left, else actively where that is allowed.

    Args:
        send: The part.
        left: From `replies_left`.
        allow_active: The account's setting.
        now_ms: Unix milliseconds.

    Raises:
        RecipientUnreachable: No reply is left to this message and active ones are off.
        ProviderRejected: It answers nothing and active messages are off.

    Source: QQ bot docs 2026-07, sending messages, passive and active.
    """
    scope = scope_of(send)
    path = _PATHS[scope].format(quote(send.peer.id, safe=""))
    passive = _passive(send)
    if not passive:
        if not allow_active:
            raise ProviderRejected("this answers no message, and active messages are switched off")
        return Route(scope, path, {})
    found = Route(scope, path, passive)
    if allow_active and _is_late(send, scope, now_ms):
        return Route(scope, path, {})
    if found.counted and left <= 0:
        if not allow_active:
            raise RecipientUnreachable(
                f"QQ takes {REPLIES_PER_MESSAGE} replies to a message and they are used up",
                scope="message",
            )
        return Route(scope, path, {})
    return found


def scope_of(send: Send) -> str:
    """Return where the message goes: as its inbound message said, else by the peer."""
    said = send.message.meta.get("scope")
    if isinstance(said, str) and said in RULES:
        return said
    if send.peer.kind == "user":
        # openids are letters and digits, guild ids digits alone.
        return "guild_dm" if send.peer.id.isdecimal() else "c2c"
    return send.peer.kind


def replies_left(send: Send, said: int = 0, *, typing: bool = False) -> int:
    """Return how many replies this part may still count on, itself included.

    Every delivery before this one took at least one; QQ itself refuses what is beyond.

    Args:
        send: The part.
        said: Messages that this delivery has sent already.
        typing: "Typing" was shown, which counts as a reply.
    """
    return REPLIES_PER_MESSAGE - (max(send.reply_ordinal, 1) - 1) - said - typing


def msg_seq(send: Send, said: int = 0, shortenings: int = 0) -> int:
    """Return QQ's idempotency number: a pure function, so every attempt sends the same.

    Source: QQ bot docs 2026-07, sending messages, msg_seq.
    """
    first = (max(send.reply_ordinal, 1) - 1) * _SEQ_PER_DELIVERY + 1
    return first + shortenings * _SEQ_PER_SHORTENING + said


def stream_seq(send: Send) -> int:
    """Return the one number of all frames of a delivery's stream: none of its messages has it."""
    return max(send.reply_ordinal, 1) * _SEQ_PER_DELIVERY


def ordinal_of_stream(seq: int) -> int:
    """Return the reply ordinal of the delivery whose stream has this number."""
    return max(seq // _SEQ_PER_DELIVERY, 1)


def _passive(send: Send) -> dict[str, str]:
    meta = send.message.meta
    msg_id, event_id = meta.get("msg_id"), meta.get("event_id")
    if isinstance(msg_id, str) and msg_id:
        return {"msg_id": msg_id}
    if isinstance(event_id, str) and event_id and meta.get("answerable") is True:
        return {"event_id": event_id}
    return {}


def _is_late(send: Send, scope: str, now_ms: int) -> bool:
    """Say whether the window looks closed; only a hint, the platform's own clock decides."""
    sent_ms, window_s = send.message.meta.get("sent_ms"), RULES[scope]["window_s"]
    if not isinstance(sent_ms, int) or not isinstance(window_s, int) or sent_ms <= 0:
        return False
    return now_ms - sent_ms > window_s * 1000 - _WINDOW_MARGIN_MS
