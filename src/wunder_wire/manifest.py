"""plugin.json: what a package says about itself (spec: plugin package, plugin.json)."""

from dataclasses import field
from typing import Any, Literal

from wunder_wire.frame import MAX_FRAME_BYTES
from wunder_wire.json_text import DecodeError
from wunder_wire.record import dataclass
from wunder_wire.shapes import from_json

Redelivery = Literal["none", "short", "long"]


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a plugin asks for: exact `host`, `host:port` or `*.suffix`; `none` or `data`; run files."""

    network: tuple[str, ...] = ()
    filesystem: Literal["none", "data"] = "none"
    command: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the platform and the plugin can take; absent means the gateway's default."""

    text_max: int | None = None
    per_account_qps: float | None = None
    reply_window_s: int | None = None
    frame_bytes: int = MAX_FRAME_BYTES
    body_bytes: int | None = None
    parse_inflight: int | None = None
    send_inflight: int | None = None
    edit_interval_ms: int = 700  # between two edits of one message (a choice; platforms differ)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """For how long, from the first `sending`, the platform folds repeats of one key, and of which deliveries."""

    window_s: int
    applies_to: Literal["all", "replies"] = "all"


@dataclass(frozen=True, slots=True)
class StaticAck:
    """What a platform accepts as "received" when the plugin cannot say it."""

    status: int = 200
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """How patient the platform is with its webhook.

    `several_accounts`: one request may hold what is for several accounts; each parses it and keeps
    only its own.
    """

    redelivery: Redelivery = "long"
    ack: StaticAck = StaticAck()
    unavailable: Literal["503", "drop"] = "503"
    redelivery_days: int = 1
    authorization: bool = False
    several_accounts: bool = False


@dataclass(frozen=True, slots=True)
class AccountLookupRule:
    """Header of a provider-wide webhook whose value equals a config field of the account."""

    header: str
    config: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A validated plugin.json. Unknown top-level fields are kept in the stored document, not here."""

    plugin_id: str
    name: str
    version: str
    api_version: int = 1
    entry: dict[str, str] = field(default_factory=dict)
    runtime: str | None = None
    capabilities: dict[str, bool] = field(default_factory=dict)
    permissions: Permissions = Permissions()
    limits: Limits = Limits()
    idempotency: Idempotency | None = None
    webhook: Webhook = Webhook()
    account_lookup: AccountLookupRule | None = None
    serves: tuple[str, ...] = ()
    i18n: dict[str, Any] = field(default_factory=dict)


def stored_manifest(document: dict[str, Any], plugin_id: str, version: str) -> tuple[Manifest, str]:
    """Return a manifest that some gateway accepted, and why this one cannot read it, or "".

    A newer gateway on the same database may have accepted words that this one does not know. Of
    such a manifest only whose it is can be said: it has no entry, so it starts nowhere here.
    """
    try:
        return from_json(Manifest, document), ""
    except DecodeError as unread:
        return Manifest(plugin_id, plugin_id, version), str(unread)
