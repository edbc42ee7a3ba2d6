"""Every method of protocol 1: its name, its parameters and its result."""

from dataclasses import field
from typing import Any, Literal

from wunder_wire.blob import BlobChunk as BlobChunk
from wunder_wire.blob import BlobRead as BlobRead
from wunder_wire.blob import BlobWrite as BlobWrite
from wunder_wire.blob import FetchResult as FetchResult
from wunder_wire.life import Empty as Empty
from wunder_wire.life import HandshakeClock as HandshakeClock
from wunder_wire.life import HandshakeLimits as HandshakeLimits
from wunder_wire.life import HandshakeParams as HandshakeParams
from wunder_wire.life import HandshakeResult as HandshakeResult
from wunder_wire.life import HandshakeTimeouts as HandshakeTimeouts
from wunder_wire.life import HealthCheck as HealthCheck
from wunder_wire.life import HealthResult as HealthResult
from wunder_wire.life import HostIdentity as HostIdentity
from wunder_wire.life import OfferedLimits as OfferedLimits
from wunder_wire.life import PluginIdentity as PluginIdentity
from wunder_wire.life import SdkIdentity as SdkIdentity
from wunder_wire.life import ShutdownParams as ShutdownParams
from wunder_wire.life import ShutdownResult as ShutdownResult
from wunder_wire.message import (
    Attachment,
    ChannelMessage,
    OutboundMessage,
    Peer,
    Receipt,
    Thread,
)
from wunder_wire.record import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One login, as every call carries it: calls are stateless.

    `secrets` holds the fields that the account schema marks `writeOnly`, in the same nesting.
    `rev` changes whenever config or secrets do: caches are keyed by (account_id, rev).
    """

    account_id: str
    rev: int
    config: dict[str, Any]
    secrets: dict[str, Any] = field(default_factory=dict)
    channel: str = ""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A webhook request, byte-exact: signatures are over raw bytes and header order is kept."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body_b64: str
    remote_addr: str
    received_ms: int


@dataclass(frozen=True, slots=True)
class ImmediateResponse:
    """What the platform expects in the webhook's own response (security rule 1 filters it)."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body_b64: str = ""


# --- channel ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ValidateParams:
    """`channel.validate_account_config`; `live` is the console's "test connection"."""

    account: Account
    mode: Literal["static", "live"] = "static"


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One thing wrong with an account's configuration; `path` is a JSON pointer into it."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """Who the account is on the platform."""

    external_id: str
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class ValidateResult:
    """`channel.validate_account_config`."""

    ok: bool
    errors: tuple[ConfigFault, ...] = ()
    warnings: tuple[ConfigFault, ...] = ()
    identity: ExternalIdentity | None = None


@dataclass(frozen=True, slots=True)
class IdentifyParams:
    """`channel.identify_account`."""

    http: HttpRequest


@dataclass(frozen=True, slots=True)
class AccountLookup:
    """A config field and the value it must have: a hint, never trusted."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class IdentifyResult:
    """`channel.identify_account`."""

    lookup: AccountLookup | None = None


@dataclass(frozen=True, slots=True)
class ParseParams:
    """`channel.parse_inbound`."""

    account: Account
    http: HttpRequest


@dataclass(frozen=True, slots=True)
class InlineReply:
    """The platform reads a reply from this response for `deadline_ms` after `received_ms`.

    `total_ms`, where the platform delivers again what was not answered: until when, after the first
    delivery, one of its repeats may still carry the reply.
    """

    deadline_ms: int
    total_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ParseResult:
    """`channel.parse_inbound`; `ignored` says why an authentic request holds nothing for us."""

    messages: tuple[ChannelMessage, ...] = ()
    immediate_response: ImmediateResponse | None = None
    receipts: tuple[Receipt, ...] = ()
    inline_reply: InlineReply | None = None
    ignored: str | None = None


@dataclass(frozen=True, slots=True)
class RenderParams:
    """`channel.render_inline_reply`."""

    account: Account
    http: HttpRequest
    message: OutboundMessage


@dataclass(frozen=True, slots=True)
class RenderResult:
    """`channel.render_inline_reply`."""

    immediate_response: ImmediateResponse


@dataclass(frozen=True, slots=True)
class SendParams:
    """`channel.send_outbound`: one call sends one platform message.

    `attempt` counts from 1; `reply_ordinal` is the n-th delivery to this inbound message, from 1
    (0 for a message that answers none); `part` counts from 0; `state` is the `next.state` of the
    part before.
    """

    account: Account
    message: OutboundMessage
    idempotency_key: str
    attempt: int = 1
    reply_ordinal: int = 0
    part: int = 0
    state: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NextPart:
    """There is more to send: call again with this state."""

    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendResult:
    """`channel.send_outbound`."""

    provider_message_id: str | None = None
    raw_result: dict[str, Any] | None = None
    next: NextPart | None = None


@dataclass(frozen=True, slots=True)
class EditParams:
    """`channel.edit_outbound`: replace what `provider_message_id` shows."""

    account: Account
    provider_message_id: str
    message: OutboundMessage
    final: bool
    seq: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class ActivityParams:
    """`channel.send_activity`."""

    account: Account
    peer: Peer
    kind: Literal["typing", "read"]
    thread: Thread | None = None
    reply_to: str | None = None
    reply_ordinal: int | None = None


@dataclass(frozen=True, slots=True)
class FetchParams:
    """`channel.fetch_attachment`: the bytes go through `host.blob.write` of `transfer_id`."""

    account: Account
    attachment: Attachment
    transfer_id: str


@dataclass(frozen=True, slots=True)
class CancelParams:
    """`$/cancel`: nobody waits for call `id` any more."""

    id: int


# --- plugin to host -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StateKey:
    """A key of `host.state`: of the plugin, or of one of its accounts."""

    key: str
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class StatePut:
    """`host.state.put`: `rev` is the revision last read, 0 to create, absent to overwrite."""

    key: str
    value: Any
    account_id: str | None = None
    rev: int | None = None


@dataclass(frozen=True, slots=True)
class StateValue:
    """`host.state.get`: `value` is null and `rev` 0 where nothing is stored."""

    value: Any = None
    rev: int = 0


@dataclass(frozen=True, slots=True)
class StateRev:
    """`host.state.put`: the new revision."""

    rev: int


@dataclass(frozen=True, slots=True)
class LogParams:
    """`log`, plugin to host: one line for the plugin's log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    message: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """`channel.account_status`, plugin to host."""

    account_id: str
    state: str
    detail: str | None = None


#: Methods the host calls: name -> (parameters, result).
HOST_TO_PLUGIN: dict[str, tuple[type, type]] = {
    "plugin.handshake": (HandshakeParams, HandshakeResult),
    "plugin.health": (Empty, HealthResult),
    "plugin.shutdown": (ShutdownParams, ShutdownResult),
    "channel.validate_account_config": (ValidateParams, ValidateResult),
    "channel.identify_account": (IdentifyParams, IdentifyResult),
    "channel.parse_inbound": (ParseParams, ParseResult),
    "channel.render_inline_reply": (RenderParams, RenderResult),
    "channel.send_outbound": (SendParams, SendResult),
    "channel.edit_outbound": (EditParams, Empty),
    "channel.send_activity": (ActivityParams, Empty),
    "channel.fetch_attachment": (FetchParams, FetchResult),
}
#: Methods a plugin calls: name -> (parameters, result).
PLUGIN_TO_HOST: dict[str, tuple[type, type]] = {
    "host.state.get": (StateKey, StateValue),
    "host.state.put": (StatePut, StateRev),
    "host.state.delete": (StateKey, Empty),
    "host.blob.write": (BlobWrite, Empty),
    "host.blob.read": (BlobRead, BlobChunk),
}
#: Notifications, either way: name -> parameters.
NOTIFICATIONS: dict[str, type] = {
    "$/cancel": CancelParams,
    "log": LogParams,
    "channel.account_status": AccountStatus,
}
