"""What a channel is asked to do on its platform: send, edit, show activity."""

from typing import Any, Literal

from wunder_wire.message import OutboundMessage, Peer, Thread
from wunder_wire.record import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """One platform message to send.

    Attributes:
        message: The whole outbound message; cutting it into parts is the channel's job.
        idempotency_key: The same for every attempt of this part; give it to the platform.
        attempt: From 1.
        reply_ordinal: The n-th delivery to the inbound message, from 1; 0 if it answers none.
        part: From 0; part n + 1 is asked for after part n returned `next`.
        state: The `next.state` that the part before returned.
    """

    message: OutboundMessage
    idempotency_key: str
    attempt: int = 1
    reply_ordinal: int = 0
    part: int = 0
    state: dict[str, Any] | None = None

    @property
    def peer(self) -> Peer:
        """To whom."""
        return self.message.peer

    @property
    def text(self) -> str:
        """The whole text, "" if there is none."""
        return self.message.text or ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what `provider_message_id` shows; `seq` counts up, `final` marks the last one."""

    provider_message_id: str
    message: OutboundMessage
    final: bool
    seq: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Show "typing" to a peer, or mark its messages read."""

    peer: Peer
    kind: Literal["typing", "read"]
    thread: Thread | None = None
    reply_to: str | None = None
    reply_ordinal: int | None = None
