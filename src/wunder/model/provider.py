"""What the rooms ask of a provider and get back, in our words."""

from typing import Any, Literal

import msgspec

from wunder.model.delivery import ReleaseRef, SendGrant
from wunder.model.ids import AccountUid, At, ChannelId
from wunder.model.intake import NewReceipt
from wunder.model.message import InboundMessage

#: What people are shown besides messages.
Activity = Literal["typing", "read"]


class RawRequest(msgspec.Struct, frozen=True):
    """A webhook request, byte-exact; `received_at` is the only clock a channel may judge by."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    remote_addr: str
    received_at: At

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class WebhookAnswer(msgspec.Struct, frozen=True):
    """An HTTP answer to a platform, already filtered by security rule 1.

    `ticket` names the delivery that travels in it: whoever writes the answer says how that went.
    `is_verified` is False where the request was only kept: nobody has looked at its signature yet.
    """

    status: int
    content_type: str = ""
    body: bytes = b""
    retry_after_s: int | None = None
    ticket: str = ""
    is_verified: bool = True


class InlineWindow(msgspec.Struct, frozen=True):
    """A reply may travel in this response until `answer_by`; in that of a repeat until `until`."""

    answer_by: At
    until: At


class Refusal(msgspec.Struct, frozen=True):
    """A message that a provider returned and the host does not accept, with a bounded excerpt."""

    reason: str
    excerpt: bytes


class Parsed(msgspec.Struct, frozen=True):
    """What a provider made of a request. Messages carry the host's account and channel."""

    messages: tuple[InboundMessage, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    immediate: WebhookAnswer | None = None
    receipts: tuple[NewReceipt, ...] = ()
    ignored: str = ""
    inline: InlineWindow | None = None


class Sent(msgspec.Struct, frozen=True):
    """The platform took one message; `next_state` is set when there is another part to send."""

    provider_message_id: str = ""
    raw_result: dict[str, Any] | None = None
    next_state: dict[str, Any] | None = None


class Fetched(msgspec.Struct, frozen=True):
    """What a channel says it wrote for an attachment."""

    size_bytes: int
    sha256: str
    mime: str = ""
    name: str = ""


class ConfigFault(msgspec.Struct, frozen=True):
    """One thing wrong with an account's configuration; `path` is a JSON pointer into provider_config."""

    path: str
    code: str
    message: str


class ConfigVerdict(msgspec.Struct, frozen=True):
    """What a provider says of an account's configuration."""

    is_ok: bool
    errors: tuple[ConfigFault, ...] = ()
    warnings: tuple[ConfigFault, ...] = ()
    external_id: str = ""
    display_name: str = ""


class ProviderHealth(msgspec.Struct, frozen=True):
    """`failing` means the platform is down: a restart cannot cure it."""

    status: Literal["ok", "degraded", "failing", "stopped"]
    detail: str = ""


class StaticAck(msgspec.Struct, frozen=True):
    """What the platform accepts as "received" when the provider cannot say it."""

    status: int
    content_type: str
    body: bytes


class ProviderFacts(msgspec.Struct, frozen=True):
    """What the core needs to know of a channel: from its manifest, never from its name."""

    channel: ChannelId
    name: str
    source: Literal["builtin", "plugin"]
    release: ReleaseRef
    capabilities: dict[str, bool]
    account_schema: dict[str, Any] | None
    redelivery: Literal["none", "short", "long"] = "long"
    redelivery_days: int = 1
    ack: StaticAck | None = None
    when_unavailable: Literal["503", "drop"] = "503"
    passes_authorization: bool = False
    shares_requests: bool = False  # one webhook request may hold what is for several accounts
    body_bytes: int = 524_288
    reply_window_s: int | None = None
    per_account_qps: float | None = None
    edit_interval_ms: int = 700
    idempotency_window_s: int | None = None
    idempotency_applies_to: Literal["all", "replies"] = "all"
    lookup_header: str = ""
    lookup_config: str = ""
    i18n: dict[str, Any] = {}

    def grant(self, account_uid: AccountUid, limit: int = 1) -> SendGrant:
        """Name the release that will write the frames, and how long its platform folds repeats."""
        window_s, covers = self.idempotency_window_s, self.idempotency_applies_to
        return SendGrant(account_uid, self.release, limit, window_s, covers)
