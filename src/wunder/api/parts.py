"""What the API stands on: the desks and doors it asks, and the limits it keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from wunder.api.sources import KnockPolicy
from wunder.feed.log import ActivityLog, EventFeed
from wunder.model.ids import AccountUid
from wunder.model.provider import RawRequest, WebhookAnswer
from wunder.observe.metrics import Metrics
from wunder.people.tables import AuditLog, VisibilityTable
from wunder.ports import Agents, Clock, EventLog, PluginHost, Providers, Turns
from wunder.upkeep.doors import StoreHealth
from wunder.upkeep.ledger import Ledger, OutboxDesk

if TYPE_CHECKING:  # the desks bring their rooms with them; who builds the parts has them anyway
    from wunder.accounts.agents import AgentDesk
    from wunder.accounts.bindings import BindingDesk
    from wunder.accounts.desk import AccountDesk
    from wunder.accounts.own import OwnDesk
    from wunder.accounts.tokens import TokenDesk
    from wunder.attachments.desk import AttachmentDesk
    from wunder.chat.room import ChatRoom
    from wunder.feed.hub import FeedHub
    from wunder.feed.minutes import Minutes
    from wunder.outbound.queue import SendDesk
    from wunder.people.room import Room
    from wunder.plugins.desk import PluginDesk
    from wunder.upkeep.nodes import Members
    from wunder.upkeep.room import Upkeep


class Webhooks(Protocol):
    """Room 1 as the webhook route sees it."""

    def body_limit(self, channel: str) -> int:
        """Bytes that a body of this provider may have. Raises: RequestRefused 404."""
        ...

    async def receive(
        self, channel: str, path_account: str | None, request: RawRequest
    ) -> WebhookAnswer:
        """Take a request in; status 0 closes the connection unanswered. Raises: RequestRefused."""
        ...

    async def answered(self, ticket: str, *, is_written: bool) -> None:
        """Learn whether the answer with this ticket was handed to the transport."""
        ...


class ApiPolicy(msgspec.Struct, frozen=True):
    """Limits of the HTTP surface. Sources: security rules 4, 5, 16; other numbers are choices.

    `access_log`: `all` writes a line for each request; `quiet` leaves out webhooks and probes that
    were answered with success (trail and metrics have them; a line costs twice the route itself);
    `off` writes none.
    """

    head_timeout_s: float = 10.0
    head_bytes: int = 32_768
    body_timeout_s: float = 10.0
    keep_alive_s: int = 10
    write_stall_s: float = 30.0  # who takes nothing of an answer for so long is left
    backlog: int = 2_048
    connections: int = 4_096  # further ones are closed at once
    stop_grace_s: int = 10
    webhooks_at_once: int = 1_000
    webhook_bytes_at_once: int = 134_217_728  # bodies in memory, shared fairly between accounts
    json_bytes: int = 1_048_576
    package_bytes: int = 67_108_864
    ready_probe_s: float = 2.0
    trusted_proxies: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")  # "*" allows any
    access_log: Literal["all", "quiet", "off"] = "quiet"
    knocks: KnockPolicy = KnockPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """Everything the API asks; built by app.py.

    `data_dir` takes uploads while they are checked. `noticed` is where handlers tell what they
    did, for event log and audit. `is_draining` and `is_key_open` are what readiness depends on besides
    the store. `wake` tells rooms 2 and 3 that rows wait; `owner_of` whose an
    account is, "" where it is gone or an administrator's; `parked` which accounts rest on this node.
    """

    webhooks: Webhooks
    chat: "ChatRoom"
    plugins: "PluginDesk"
    accounts: "AccountDesk"
    bindings: "BindingDesk"
    agents: "AgentDesk"
    tokens: "TokenDesk"
    people: "Room"
    own: "OwnDesk"
    hub: "FeedHub"
    feed: EventFeed
    activity: ActivityLog
    minutes: "Minutes"
    audit: AuditLog
    visibility: VisibilityTable
    noticed: EventLog
    sends: "SendDesk"
    attachments: "AttachmentDesk"
    ledger: Ledger
    outbox: OutboxDesk
    turns: Turns
    events: EventLog
    store: StoreHealth
    providers: Providers
    plugin_host: PluginHost
    answers: Agents
    upkeep: "Upkeep"
    members: "Members"
    clock: Clock
    metrics: Metrics
    data_dir: Path
    version: str
    is_draining: Callable[[], bool]
    is_key_open: Callable[[], bool]
    wake: Callable[[], None]
    owner_of: Callable[[AccountUid], str]
    parked: Callable[[], list[AccountUid]]
    policy: ApiPolicy
