"""Send first: a message that the operator's own program sends, through the same lanes and trail."""

from typing import Literal

import msgspec

from wunder.errors import Conflict, FieldFault, Invalid, NotFound
from wunder.model.ids import (
    MAX_NAMED_BYTES,
    AccountUid,
    At,
    ChannelId,
    DeliveryId,
    MessageId,
    new_id,
    ordered_id,
)
from wunder.model.message import Attachment, TextFormat
from wunder.model.turn import NewSend
from wunder.ports import Accounts, Clock, Media, Outbox, SendSlots

MAX_TTL_S = 7 * 86_400


class SendRequest(msgspec.Struct, frozen=True):
    """What to send, and to whom. `ttl_s` 0 means the account's own."""

    channel: str
    account_id: str
    peer_kind: Literal["user", "group", "channel"]
    peer_id: str
    text: str
    thread_id: str = ""
    format: TextFormat = "plain"
    attachments: tuple[Attachment, ...] = ()
    ttl_s: int = 0


class SendDesk:
    """Queues messages sent first."""

    def __init__(
        self, outbox: Outbox, accounts: Accounts, slots: SendSlots, media: Media, clock: Clock
    ) -> None:
        self._outbox = outbox
        self._media = media
        self._accounts = accounts
        self._slots = slots
        self._clock = clock

    async def send(self, request: SendRequest, idempotency_key: str) -> tuple[DeliveryId, bool]:
        """Queue a message; (id, False) when this key was used before.

        Args:
            request: what to send.
            idempotency_key: the caller's own; "" makes a random one.

        Raises:
            NotFound: no such account.
            Conflict: the account is not enabled.
            Invalid: nothing to send, a peer or thread of more than 1,024 bytes, a TTL above seven days, or
                a stored attachment that is none.
        """
        if not request.text and not request.attachments:
            raise Invalid("There is nothing to send: give text or attachments.")
        for place, named in (("/peer/id", request.peer_id), ("/thread/id", request.thread_id)):
            if len(named.encode("utf-8", "replace")) > MAX_NAMED_BYTES:
                words = f"at most {MAX_NAMED_BYTES} bytes"
                raise Invalid(words, [FieldFault(place, "too_long", words)])
        if not 0 <= request.ttl_s <= MAX_TTL_S:
            raise Invalid(f"ttl_s must be between 0 and {MAX_TTL_S}.")
        account = self._accounts.named(ChannelId(request.channel), request.account_id)
        if account is None:
            raise NotFound("No such account; `wunder account list` shows those there are.")
        if account.row.status != "enabled":
            raise Conflict("The account is not enabled.", reason="account_disabled")
        attachments = await self._media.cleared(account.uid, request.attachments)
        key = f"{account.uid}:{idempotency_key}" if idempotency_key else new_id()
        now = self._clock.now()
        ttl_s = request.ttl_s or account.row.config.delivery.ttl_s
        sent = await self._outbox.enqueue(
            NewSend(
                idempotency_key=key,
                message_id=MessageId(ordered_id(now)),
                channel=account.row.channel,
                account_uid=account.uid,
                account_id=account.row.account_id,
                peer_kind=request.peer_kind,
                peer_id=request.peer_id,
                thread_id=request.thread_id,
                text=request.text,
                format=request.format,
                attachments=attachments,
                at=now,
                expires_at=At(now + ttl_s * 1000),
            )
        )
        self._slots.wake(AccountUid(account.uid))
        return sent
