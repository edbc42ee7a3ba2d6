"""Between our words and the wire's: the only place where both are known (pure).

The host, not the provider, sets channel and account on what comes in; a field that differs is a
security event (delivery semantics, Identity).
"""

import base64
from typing import Any

import msgspec

from wunder.model.account import Account
from wunder.model.conversation import Conversation
from wunder.model.delivery import ClaimedDelivery
from wunder.model.ids import (
    MAX_NAMED_BYTES,
    MAX_PLATFORM_ID_BYTES,
    MAX_PROVIDER_MESSAGE_ID,
    At,
    MessageId,
    PlatformMessageId,
)
from wunder.model.intake import NewReceipt
from wunder.model.message import (
    Attachment,
    Content,
    InboundMessage,
    Location,
    Mention,
    OutboundMessage,
    Sender,
)
from wunder.model.provider import (
    Activity,
    InlineWindow,
    Parsed,
    RawRequest,
    Refusal,
    WebhookAnswer,
)
from wunder_wire import message as wire
from wunder_wire import methods

EXCERPT_BYTES = 16_384
#: Of one request; WhatsApp batches up to 1,000 updates.
MAX_MESSAGES = 1_000
#: Security rule 1: what a plugin may answer in our name.
ANSWER_STATUSES = frozenset({200, 204, 400, 401, 403})
ANSWER_TYPES = frozenset({"text/plain", "application/json", "application/xml", "text/xml"})
ANSWER_BYTES = 65_536
MAX_INLINE_MS = 10_000
MAX_INLINE_TOTAL_MS = 60_000
_INT64 = 2**63 - 1
_JSON = msgspec.json.Encoder()


def to_wire_account(account: Account) -> methods.Account:
    """Split an opened account as every call carries it."""
    row = account.row
    return methods.Account(
        account_id=row.account_id,
        rev=row.rev,
        config=row.config.provider_config,
        secrets=account.secrets,
        channel=row.channel,
    )


def to_wire_request(request: RawRequest, *, as_bytes: bool = False) -> methods.HttpRequest:
    """Carry a webhook request byte-exact; `as_bytes` where it never becomes text on a wire."""
    body = request.body if as_bytes else base64.b64encode(request.body).decode("ascii")
    return methods.HttpRequest(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        body_b64=body,  # type: ignore[arg-type]  # the wire's own decoder hands over bytes as well
        remote_addr=request.remote_addr,
        received_ms=request.received_at,
    )


def to_wire_send(account: Account, delivery: ClaimedDelivery) -> methods.SendParams:
    """One call sends one platform message."""
    return methods.SendParams(
        account=to_wire_account(account),
        message=to_wire_message(delivery.message),
        idempotency_key=delivery.idempotency_key,
        attempt=delivery.attempt_no,
        reply_ordinal=delivery.reply_ordinal,
        part=delivery.part,
        state=delivery.part_state if delivery.part else None,
    )


def to_wire_edit(
    account: Account, delivery: ClaimedDelivery, at: At, is_final: bool
) -> methods.EditParams:
    """One edit; `seq` grows with time, over restarts too, and fits 32 bits."""
    seq = max(1, (at - delivery.first_sending_at) // 10)
    return methods.EditParams(
        account=to_wire_account(account),
        provider_message_id=delivery.shown_as or "",
        message=to_wire_message(delivery.message),
        final=is_final,
        seq=seq,
        idempotency_key=f"{delivery.delivery_id}@{seq}",
    )


def to_wire_activity(
    account: Account, message: InboundMessage, kind: Activity
) -> methods.ActivityParams:
    """Name who wrote, and what is answered; no ordinal: the channel knows what it costs."""
    where = message.conversation
    peer = wire.Peer(where.peer_kind, where.peer_id)  # type: ignore[arg-type]  # stored from a checked peer kind
    thread = wire.Thread(where.thread_id) if where.thread_id else None
    about = message.platform_message_id
    return methods.ActivityParams(to_wire_account(account), peer, kind, thread, about)


def to_wire_message(message: OutboundMessage) -> wire.OutboundMessage:
    """Carry a message to send."""
    conversation = message.conversation
    thread_id = conversation.thread_id
    return wire.OutboundMessage(
        channel=message.channel,
        account_id=message.account_id,
        peer=wire.Peer(conversation.peer_kind, conversation.peer_id, message.peer_name or None),  # type: ignore[arg-type]  # stored from a checked peer kind
        thread=wire.Thread(thread_id, message.thread_topic or None) if thread_id else None,
        text=message.text,
        format=message.format,
        attachments=tuple(map(to_wire_attachment, message.attachments)),
        reply_to=message.reply_to,
        meta=message.meta,
    )


def to_wire_attachment(a: Attachment) -> wire.Attachment:
    """Carry a reference to media."""
    return wire.Attachment(a.kind, a.url, a.media_id, a.blob_id, a.mime, a.size, a.name)


def from_wire_parse(
    result: methods.ParseResult, account: Account, request: RawRequest, max_message_bytes: int
) -> Parsed:
    """Accept what a provider parsed; each message that cannot be accepted becomes a refusal."""
    messages: list[InboundMessage] = []
    refusals: list[Refusal] = []
    for position, message in enumerate(result.messages):
        reason = _fault_of(message, account, max_message_bytes)
        if not reason and position >= MAX_MESSAGES:
            reason = "too_many_messages"
        if reason:
            refusals.append(Refusal(reason, _JSON.encode(message)[:EXCERPT_BYTES]))
        else:
            messages.append(_from_wire_message(message, account, request.received_at))
    receipts = tuple(
        NewReceipt(
            r.provider_message_id[:MAX_PROVIDER_MESSAGE_ID],
            r.status,
            At(_int64(r.ts)),
            (r.detail or "")[:1000],
        )
        for r in result.receipts[:MAX_MESSAGES]
    )
    return Parsed(
        messages=tuple(messages),
        refusals=tuple(refusals),
        immediate=answer_from_wire(result.immediate_response),
        receipts=receipts,
        ignored=(result.ignored or "")[:200],
        inline=_inline_window(result.inline_reply, request.received_at),
    )


def _inline_window(inline: methods.InlineReply | None, received_at: At) -> InlineWindow | None:
    """Bound what a channel says: a webhook is held for 10 s at most, a reply kept for 60 s."""
    if inline is None:
        return None
    deadline_ms = max(0, min(inline.deadline_ms, MAX_INLINE_MS))
    total_ms = max(deadline_ms, min(inline.total_ms or 0, MAX_INLINE_TOTAL_MS))
    return InlineWindow(At(received_at + deadline_ms), At(received_at + total_ms))


def names_a_stranger(result: methods.ParseResult, account: Account) -> bool:
    """True when a message claims another channel or account than the call's own."""
    own = (account.row.channel, account.row.account_id)
    return any((m.channel, m.account_id) != own for m in result.messages)


def answer_from_wire(response: methods.ImmediateResponse | None) -> WebhookAnswer | None:
    """Filter an answer by security rule 1; what breaks the rule becomes a bare 200."""
    if response is None:
        return None
    content_type = _content_type(response.headers)
    try:
        body = base64.b64decode(response.body_b64, validate=True)
    except ValueError:
        return None
    if response.status not in ANSWER_STATUSES or len(body) > ANSWER_BYTES or content_type is None:
        return None
    if response.status == 204:
        return WebhookAnswer(204)
    return WebhookAnswer(response.status, content_type, body)


def _content_type(headers: tuple[tuple[str, str], ...]) -> str | None:
    """The one header that passes; None when it is not one of the four types."""
    given = next((value for key, value in headers if key.lower() == "content-type"), "text/plain")
    media_type = given.partition(";")[0].strip().lower()
    if media_type not in ANSWER_TYPES or not given.isprintable():
        return None
    return given


def _fault_of(message: wire.ChannelMessage, account: Account, max_message_bytes: int) -> str:
    if not 1 <= _size(message.message_id) <= MAX_PLATFORM_ID_BYTES:
        return "message_id_length"
    if not message.peer.id or not message.sender.id:
        return "peer_or_sender_missing"
    named = (message.peer.id, message.sender.id, message.thread.id if message.thread else "")
    if max(map(_size, named)) > MAX_NAMED_BYTES:
        return "conversation_id_length"
    if len(_JSON.encode(message)) > max_message_bytes:
        return "too_large"
    return ""


def _from_wire_message(
    message: wire.ChannelMessage, account: Account, received_at: At
) -> InboundMessage:
    row = account.row
    thread = message.thread
    return InboundMessage(
        message_id=MessageId(""),
        conversation=Conversation(
            row.account_uid, message.peer.kind, message.peer.id, thread.id if thread else ""
        ),
        channel=row.channel,
        account_id=row.account_id,
        platform_message_id=PlatformMessageId(message.message_id),
        sender=Sender(message.sender.id, message.sender.name or "", bool(message.sender.is_bot)),
        content=_content(message),
        sent_at=At(_int64(message.ts)),
        received_at=received_at,
        peer_name=message.peer.name or "",
        thread_topic=(thread.topic or "") if thread else "",
        meta=_dict(message.meta),
    )


def _content(message: wire.ChannelMessage) -> Content:
    location = message.location
    return Content(
        type=message.type,
        text=message.text or "",
        attachments=tuple(
            # Which stored bytes a message has is the host's to say, never the channel's.
            Attachment(a.kind, a.url, a.media_id, None, a.mime, a.size, a.name)
            for a in message.attachments
        ),
        location=Location(location.lat, location.lng, location.address or "") if location else None,
        mentions=tuple(Mention(m.id, m.name, m.is_self) for m in message.mentions),
        mentions_bot=message.mentions_bot,
        reply_to=message.reply_to or "",
    )


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _int64(value: int) -> int:
    return max(-_INT64, min(_INT64, value))


def _dict(value: dict[str, Any] | None) -> dict[str, Any]:
    return value or {}
