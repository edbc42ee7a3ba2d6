"""A small platform one can change: what it takes in, and how it misbehaves."""

import asyncio
import hashlib
import json
import sys
from collections import deque
from typing import Literal

import msgspec

from tests.fakes.plugin_blobs import FakePluginBlobs
from wunder.errors import Invalid, ProviderFault
from wunder.model.account import Account
from wunder.model.conversation import Conversation
from wunder.model.delivery import ClaimedDelivery, ReleaseRef
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import AccountUid, At, ChannelId, PlatformMessageId
from wunder.model.intake import NewReceipt
from wunder.model.message import Attachment, Content, InboundMessage, OutboundMessage, Sender
from wunder.model.provider import (
    Activity,
    ConfigVerdict,
    Fetched,
    InlineWindow,
    Parsed,
    ProviderFacts,
    ProviderHealth,
    RawRequest,
    Sent,
    StaticAck,
    WebhookAnswer,
)
from wunder.ports import PluginBlobs

CHUNK_BYTES = 262_144


class Arrival(msgspec.Struct, frozen=True):
    """One message as the platform took it."""

    account_id: str
    peer_id: str
    text: str
    key: str
    ordinal: int
    part: int
    files: tuple[bytes, ...] = ()


class Frame(msgspec.Struct, frozen=True):
    """One edit as the platform took it."""

    shown_as: str
    text: str
    is_final: bool
    at: At


def facts(channel: str = "chat", **changes) -> ProviderFacts:
    usual = ProviderFacts(
        channel=ChannelId(channel),
        name="Chat",
        source="builtin",
        release=ReleaseRef(channel, "builtin@test"),
        capabilities={"webhook": True, "outbound": True, "fetch_attachment": True},
        account_schema=None,
        ack=StaticAck(200, "application/json", b'{"ok":true}'),
    )
    return msgspec.structs.replace(usual, **changes)


class FakeChannelProvider:
    """Its webhook body is JSON `[{"id","peer","text",...}]`; a `bad` header is a bad signature.

    `{"receipt":"delivered","of":"p1"}` says what became of a message.
    """

    def __init__(self, channel: str = "chat", **changes) -> None:
        self.facts = facts(channel, **changes)
        self.arrivals: list[Arrival] = []
        self.parse_faults: deque[Fault] = deque()
        self.send_faults: deque[Fault] = deque()
        self.part_chars: int | None = None
        self.owner_of: dict[str, str] = {}
        self.inline_s: tuple[float, float] | None = None
        self.hang = asyncio.Event()
        self.hang.set()
        self._lose_answers = 0
        self.rooms: dict[AccountUid, int] = {}  # of accounts whose breaker is not closed
        self.screen: dict[str, str] = {}  # what each message shows now, by the platform's id
        self.edits: list[Frame] = []
        self.edit_faults: deque[Fault] = deque()
        self.activities: list[tuple[str, str]] = []  # platform message id, kind
        self.activity_faults: deque[Fault] = deque()
        self.activity_gate = asyncio.Event()
        self.activity_gate.set()
        self.blobs: PluginBlobs = FakePluginBlobs()
        self.media: dict[str, bytes] = {}  # by media_id
        self.fetches: list[str] = []
        self.fetch_faults: deque[Fault] = deque()
        self.media_gate = asyncio.Event()
        self.media_gate.set()
        self.claims_mime = ""

    # --- how a test changes the world --------------------------------------------------------

    def throttle(self, seconds: float, scope: Literal["peer", "account"] = "account") -> None:
        self.send_faults.append(
            Fault(FaultKind.RATE_LIMITED, "slow down", retry_after_s=seconds, scope=scope)
        )

    def fail(self, kind: FaultKind, outcome: Literal["not_sent", "unknown"] = "not_sent") -> None:
        self.send_faults.append(Fault(kind, "no", outcome))

    def fail_parse(self, kind: FaultKind) -> None:
        self.parse_faults.append(Fault(kind, "no"))

    def lose_next_answer(self) -> None:
        """Take the next message, and never say so."""
        self._lose_answers += 1

    def texts(self, peer_id: str | None = None) -> list[str]:
        return [a.text for a in self.arrivals if peer_id is None or a.peer_id == peer_id]

    # --- port ChannelProvider ----------------------------------------------------------------

    async def parse_inbound(self, account: Account, request: RawRequest) -> Parsed:
        if self.parse_faults:
            raise ProviderFault(self.parse_faults.popleft())
        if request.header("bad"):
            raise ProviderFault(Fault(FaultKind.SIGNATURE_INVALID, "bad signature"))
        try:
            items = json.loads(request.body)
        except ValueError as error:
            raise ProviderFault(Fault(FaultKind.MALFORMED_EVENT, "not JSON")) from error
        own = account.row.account_id
        receipts = tuple(
            NewReceipt(item["of"], item["receipt"], request.received_at, item.get("detail", ""))
            for item in items
            if "receipt" in item
        )
        items = [item for item in items if "receipt" not in item]
        items = [item for item in items if self.owner_of.get(item["peer"], own) == own]
        messages = tuple(_message(item, account, request) for item in items)
        window = self.inline_window(request)
        if window is not None:
            return Parsed(messages=messages, inline=window)
        ok = WebhookAnswer(200, "text/plain", b"ok")
        return Parsed(messages=messages, receipts=receipts, immediate=ok)

    def inline_window(self, request: RawRequest) -> InlineWindow | None:
        if self.inline_s is None:
            return None
        answer_s, total_s = self.inline_s
        start = request.received_at
        return InlineWindow(start + int(answer_s * 1000), start + int(total_s * 1000))

    async def render_inline_reply(
        self, account: Account, request: RawRequest, message: OutboundMessage
    ) -> WebhookAnswer:
        return WebhookAnswer(200, "text/plain", f"reply:{message.text}".encode())

    async def identify_account(self, request: RawRequest) -> tuple[str, str] | None:
        return None

    async def send_outbound(self, account: Account, delivery: ClaimedDelivery) -> Sent:
        await self.hang.wait()
        if self.send_faults:
            raise ProviderFault(self.send_faults.popleft())
        text, next_state = self._part(delivery)
        key = f"{delivery.message.reply_to}/{delivery.reply_ordinal}/{delivery.part}"
        if delivery.message.reply_to and key in {a.key for a in self.arrivals}:
            seen = Fault(FaultKind.DUPLICATE, "seen before", next_state=next_state)
            raise ProviderFault(seen)
        files = await self._files(account, delivery.message)
        self.arrivals.append(
            Arrival(
                account.row.account_id,
                delivery.message.conversation.peer_id,
                text,
                key,
                delivery.reply_ordinal,
                delivery.part,
                files,
            )
        )
        self.screen[f"p{len(self.arrivals)}"] = text
        if self._lose_answers:
            self._lose_answers -= 1
            raise ProviderFault(Fault(FaultKind.OUTCOME_UNKNOWN, "no answer", "unknown"))
        return Sent(f"p{len(self.arrivals)}", {"ok": True}, next_state)

    def send_room(self, account_uid: AccountUid) -> int:
        return self.rooms.get(account_uid, sys.maxsize)

    async def edit_outbound(
        self, account: Account, delivery: ClaimedDelivery, at: At, is_final: bool
    ) -> None:
        await self.hang.wait()
        if self.edit_faults:
            raise ProviderFault(self.edit_faults.popleft())
        shown = delivery.shown_as or ""
        if shown not in self.screen:
            raise ProviderFault(Fault(FaultKind.PROVIDER_REJECTED, "no such message"))
        self.screen[shown] = delivery.message.text
        self.edits.append(Frame(shown, delivery.message.text, is_final, at))

    async def send_activity(
        self, account: Account, message: InboundMessage, kind: Activity
    ) -> None:
        await self.activity_gate.wait()
        if self.activity_faults:
            raise ProviderFault(self.activity_faults.popleft())
        self.activities.append((message.platform_message_id, kind))

    async def fetch_attachment(
        self, account: Account, attachment: Attachment, transfer_id: str
    ) -> Fetched:
        self.fetches.append(attachment.media_id or attachment.url or "")
        await self.media_gate.wait()
        if self.fetch_faults:
            raise ProviderFault(self.fetch_faults.popleft())
        content = self.media.get(attachment.media_id or "")
        if content is None:
            raise ProviderFault(Fault(FaultKind.PROVIDER_REJECTED, "no such media"))
        try:
            for at in range(0, max(1, len(content)), CHUNK_BYTES):
                chunk = content[at : at + CHUNK_BYTES]
                is_last = at + CHUNK_BYTES >= len(content)
                await self.blobs.write(self.facts.channel, transfer_id, at, chunk, is_last)
        except Invalid as error:
            raise ProviderFault(Fault(FaultKind.TOO_LARGE, error.detail)) from error
        digest = hashlib.sha256(content).hexdigest()
        return Fetched(len(content), digest, self.claims_mime, attachment.name or "")

    async def _files(self, account: Account, message: OutboundMessage) -> tuple[bytes, ...]:
        """Read what the message carries, as an adapter lets a channel do."""
        files = []
        with self.blobs.lend(self.facts.channel, account.uid, message.attachments):
            for one in message.attachments:
                content, is_last = b"", not one.blob_id
                while not is_last:
                    chunk, is_last = await self.blobs.read(
                        self.facts.channel, one.blob_id, len(content), CHUNK_BYTES
                    )
                    content += chunk
                files.append(content)
        return tuple(files)

    async def validate_account_config(
        self, account: Account, mode: Literal["static", "live"]
    ) -> ConfigVerdict:
        return ConfigVerdict(is_ok=True)

    async def health(self) -> ProviderHealth:
        return ProviderHealth("ok")

    async def close(self) -> None:
        """Nothing is open."""

    def _part(self, delivery: ClaimedDelivery) -> tuple[str, dict[str, int] | None]:
        text = delivery.message.text
        if self.part_chars is None:
            return text, None
        start = (delivery.part_state or {"at": 0})["at"]
        end = start + self.part_chars
        return text[start:end], {"at": end} if end < len(text) else None


def _message(item: dict, account: Account, request: RawRequest) -> InboundMessage:
    return InboundMessage(
        message_id="",
        conversation=Conversation(
            account.uid, item.get("kind", "user"), item["peer"], item.get("thread", "")
        ),
        channel=account.row.channel,
        account_id=account.row.account_id,
        platform_message_id=PlatformMessageId(item["id"]),
        sender=Sender(item.get("sender", item["peer"]), is_bot=item.get("is_bot", False)),
        content=Content(
            type=item.get("type", "text"),
            text=item.get("text", ""),
            mentions_bot=item.get("mentions_bot"),
            attachments=tuple(Attachment(**one) for one in item.get("attachments", ())),
        ),
        sent_at=request.received_at,
        received_at=request.received_at,
        meta={"secret_of": item["id"]},
    )
