"""Every door of the gateway on one page: what the rooms need and do not build themselves.

Rooms meet in tables, so most doors are tables. `app.py` decides who stands behind each.
All async methods of table doors may raise StoreUnavailable (safe to call again) and StoreBroken.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import msgspec

from wunder.model.account import Account, AccountRow
from wunder.model.binding import AgentRow, Binding
from wunder.model.conversation import HistoryLine, Session
from wunder.model.delivery import (
    ClaimedDelivery,
    DeliveryState,
    Evidence,
    SendGrant,
    Settlement,
    StoredAttempt,
    StoredDelivery,
)
from wunder.model.ids import (
    AccountUid,
    AgentId,
    At,
    ChannelId,
    DeliveryId,
    MessageId,
    PluginId,
    SessionId,
    TokenId,
    TurnId,
)
from wunder.model.intake import IntakeUnit, SpooledRequest, SpoolVerdict, TakenIn
from wunder.model.message import StoredMessage
from wunder.model.plugin import Approval, PluginCounters, PluginRow, Release
from wunder.model.provider import ConfigVerdict, Parsed, ProviderFacts, ProviderHealth, RawRequest, Sent
from wunder.model.runtime import PluginSpec, RuntimeReport
from wunder.model.token import ApiToken
from wunder.model.trail import Event, Step
from wunder.model.turn import AgentTurn, ClaimedTurn, NewSend, Reply, TurnCommit, TurnCommitted

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")
Row = TypeVar("Row")
Work = TypeVar("Work", contravariant=True)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `next_cursor` is "" at the end."""

    items: tuple[T, ...]
    next_cursor: str = ""


# --- time ---------------------------------------------------------------------------------


class Clock(Protocol):
    """Wall time for rows, monotonic time for durations; tests advance it by hand."""

    def now(self) -> At: ...
    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class Sealer(Protocol):
    """Authenticated encryption under the data dir's key; `context` is bound to the ciphertext."""

    def seal(self, plain: bytes, context: str) -> bytes: ...
    def open(self, sealed: bytes, context: str) -> bytes:
        """Raises: StoreBroken when the ciphertext or its context was changed."""
        ...


# --- hand-over between rooms: a committed row plus a wake-up ------------------------------------


class Hands(Protocol[Work]):
    """Free hands of the next room: lets a row be born already claimed, saving a commit.

    `reserve` grants up to `wanted` slots; what is not given back by `release` or used by `give` is
    lost. `wake` says that rows wait. All are synchronous and never block.
    """

    def reserve(self, wanted: int) -> int: ...
    def release(self, count: int) -> None: ...
    def give(self, work: Work) -> None: ...
    def wake(self) -> None: ...


class SendSlots(Protocol):
    """Room 3's free hands: a slot names the release that will write the frame."""

    def reserve(self, account_uid: AccountUid) -> SendGrant | None: ...
    def release(self, grant: SendGrant) -> None: ...
    def give(self, delivery: ClaimedDelivery) -> None: ...
    def wake(self, account_uid: AccountUid | None = None) -> None: ...


# --- tables: room 1 -------------------------------------------------------------------------


class Intake(Protocol):
    """T1, the spool and the quarantine."""

    async def take_in(self, unit: IntakeUnit, claim_up_to: int = 0) -> TakenIn:
        """Commit one request: keys, messages, receipts, trail, spool removal. All or nothing.

        Messages of lanes that are free are claimed at once, at most `claim_up_to`.
        Raises: StoreFull below the free-space limit or when the disk is full; StoreUnavailable.
        """
        ...

    async def spool(self, request: SpooledRequest) -> bool:
        """Keep a raw request; False when its account's spool is full (1,000 or 16 MiB)."""
        ...

    async def due_spooled(self, now: At, limit: int) -> list[SpooledRequest]:
        """The due requests, oldest first, at most one an account."""
        ...

    async def settle_spooled(
        self, request: SpooledRequest, verdict: SpoolVerdict, at: At, reason: str
    ) -> None:
        """End or postpone a spooled request that gave no messages; LATER: due again at `at`."""
        ...


# --- tables: room 2 -------------------------------------------------------------------------


class Turns(Protocol):
    """Claims on the turn lanes, and T2."""

    async def claim(self, limit: int, now: At) -> list[ClaimedTurn]:
        """Claim heads of turn lanes in `received`, longest ready first, never a suspect."""
        ...

    async def claim_suspect(self, now: At) -> ClaimedTurn | None:
        """Claim one message with 2 unfinished claims; the caller runs it alone on this node."""
        ...

    async def commit(self, turn: TurnCommit, grant: SendGrant | None = None) -> TurnCommitted:
        """Commit what a turn ended with (T2), and claim the next head for nobody.

        With `grant`, the first reply is born `sending` where its lane is empty.
        Raises: FenceLost.
        """
        ...

    async def give_back(self, turns: Sequence[ClaimedTurn]) -> None:
        """Return claims at a graceful stop: they do not count as unfinished."""
        ...

    async def history(self, session_id: SessionId, limit: int) -> list[HistoryLine]:
        """The last `limit` lines of a session before the running turn, oldest first."""
        ...

    async def reroute(self, message_ids: Sequence[MessageId], now: At) -> int:
        """Put `unrouted` and `failed` messages back at the tail of their lanes; how many moved."""
        ...


# --- tables: room 3 -------------------------------------------------------------------------


class ReadyAccounts(msgspec.Struct, frozen=True):
    """Accounts with a head that is due, and when the next head of any other becomes due."""

    accounts: tuple[AccountUid, ...]
    next_at: At | None


class Outbox(Protocol):
    """Claims on the delivery lanes, T3, T4 and evidence."""

    async def ready(self, now: At) -> ReadyAccounts:
        """Which accounts have deliveries to claim now, and when to look again."""
        ...

    async def claim(self, grants: Sequence[SendGrant], now: At) -> list[ClaimedDelivery]:
        """Mark due heads `sending` with their attempt rows, at most `grant.limit` an account (T3).

        Heads past `expires_at` become `expired` on the way and release their lanes.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> list[ClaimedDelivery]:
        """Record outcomes (T4); returns next parts and, where asked, next heads, marked.

        A settlement whose attempt lost its fence still counts as evidence when it is `sent`.
        """
        ...

    async def confirm(self, evidence: Evidence) -> bool:
        """Settle to `sent` by a late success; False when the attempt is not known."""
        ...

    async def enqueue(self, send: NewSend) -> tuple[DeliveryId, bool]:
        """Queue a message sent first; (id, False) when the idempotency key was used before."""
        ...


class OutboxDesk(Protocol):
    """What operators do to deliveries by hand."""

    async def replay(self, delivery_ids: Sequence[DeliveryId], now: At, by: str) -> list[DeliveryId]:
        """Append finished deliveries at the tail of their lanes: same row, same key, new seq."""
        ...

    async def select(self, where: "DeliveryFilter", limit: int) -> list[DeliveryId]:
        """Ids of deliveries that match, oldest first: the preview and the work list of a replay."""
        ...

    async def release_held(self, channel: str | None, now: At, by: str) -> int:
        """Let deliveries held by a restore go; how many."""
        ...


# --- tables: what administrators keep ---------------------------------------------------------


class AccountTable(Protocol):
    """`channel_accounts`."""

    async def all(self) -> list[AccountRow]: ...
    async def add(self, row: AccountRow) -> None:
        """Raises: Conflict `account_exists`, also for a tombstoned name in use by a live account."""
        ...

    async def update(self, row: AccountRow, expected_rev: int | None) -> AccountRow:
        """Raises: Conflict `rev` with the current state; NotFound."""
        ...

    async def remove(self, account_uid: AccountUid, now: At) -> int:
        """Tombstone the account, cancel its deliveries and turns; how many deliveries."""
        ...


class BindingTable(Protocol):
    """`channel_bindings`."""

    async def all(self) -> list[Binding]: ...
    async def put(self, row: Binding, expected_rev: int | None) -> Binding: ...
    async def remove(self, binding_id: str) -> None: ...


class AgentTable(Protocol):
    """`agents`. Exactly one is the default."""

    async def all(self) -> list[AgentRow]: ...
    async def put(self, row: AgentRow, expected_rev: int | None) -> AgentRow: ...
    async def remove(self, agent_id: AgentId) -> None:
        """Raises: Conflict while bindings name it or it is the default; NotFound."""
        ...


class PluginTable(Protocol):
    """`channel_plugins`, `channel_plugin_versions` and `channel_plugin_runtime`."""

    async def plugins(self) -> list[PluginRow]: ...
    async def releases(self, plugin_id: PluginId | None = None) -> list[Release]: ...
    async def add_release(self, release: Release, name: str) -> None:
        """Raises: Conflict `same_version_other_hash`; adding the same package again is a no-op."""
        ...

    async def put_plugin(self, row: PluginRow, expected_epoch: int | None = None) -> None: ...
    async def approve(self, plugin_id: PluginId, version: str, approval: Approval) -> None: ...
    async def remove_release(self, plugin_id: PluginId, version: str) -> bool:
        """Forget a release; True when it was the last one and the plugin row went with it."""
        ...


class PluginHistory(Protocol):
    """Crash counts that survive a restart of the gateway, and `host.state`."""

    async def counters(self) -> list[PluginCounters]: ...
    async def put_counters(self, row: PluginCounters) -> None: ...
    async def state_get(self, plugin_id: PluginId, account_uid: str, key: str) -> tuple[Any, int]:
        """The value and its rev; (None, 0) where nothing is stored."""
        ...

    async def state_put(
        self, plugin_id: PluginId, account_uid: str, key: str, value: Any, rev: int | None
    ) -> int:
        """Raises: Conflict `rev`; Invalid `quota` (64 KiB a value, 1,000 keys, 1 MiB an account)."""
        ...

    async def state_delete(self, plugin_id: PluginId, account_uid: str, key: str) -> None: ...


class TokenTable(Protocol):
    """`api_tokens`: only hashes are stored."""

    async def all(self) -> list[ApiToken]: ...
    async def add(self, token: ApiToken) -> None: ...
    async def revoke(self, token_id: TokenId, now: At) -> None: ...


class KeyCheck(Protocol):
    """The check value of the data dir's key, kept in `meta` (security rule 8)."""

    async def get(self) -> bytes | None:
        """The value written when the key was made; None in a store that never had a key."""
        ...

    async def put(self, value: bytes) -> None:
        """Write the value once. Raises: Conflict when another value is there."""
        ...


# --- reading ----------------------------------------------------------------------------------


class DeliveryFilter(msgspec.Struct, frozen=True):
    """Which deliveries; empty fields match everything."""

    states: tuple[DeliveryState, ...] = ()
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    since: At | None = None
    until: At | None = None


class MessageFilter(msgspec.Struct, frozen=True):
    """Which messages; `text` is a substring of text, names and ids."""

    text: str = ""
    channel: str = ""
    account_id: str = ""
    peer_id: str = ""
    session_id: str = ""
    state: str = ""
    direction: str = ""
    since: At | None = None
    until: At | None = None


class Ledger(Protocol):
    """What happened, for people: newest first, cursor-paged."""

    async def messages(self, where: MessageFilter, limit: int, cursor: str) -> Page[StoredMessage]: ...
    async def message(self, message_id: MessageId) -> StoredMessage | None: ...
    async def trail(self, message_id: MessageId) -> list[Step]:
        """Every step of the turn this message belongs to, in order, for either direction's id."""
        ...

    async def deliveries(
        self, where: DeliveryFilter, limit: int, cursor: str
    ) -> Page[StoredDelivery]: ...
    async def delivery(
        self, delivery_id: DeliveryId
    ) -> tuple[StoredDelivery, list[StoredAttempt]] | None: ...
    async def sessions(self, channel: str, limit: int, cursor: str) -> Page[Session]: ...


class EventLog(Protocol):
    """`channel_events`: written behind message traffic, bounded; newest first."""

    def record(self, event: Event) -> None:
        """Queue an event for the next commit; never blocks, drops the oldest when full, counted."""
        ...

    async def events(self, plugin_id: str, account_uid: str, limit: int, cursor: str) -> Page[Event]: ...


class StoreHealth(Protocol):
    """What readiness, doctor and metrics ask of a store."""

    async def probe(self) -> None:
        """Write and commit one row. Raises: StoreUnavailable, StoreFull."""
        ...

    def figures(self) -> dict[str, float]:
        """Kept counters: `<table>_<state>`, `commits`, `rows`, `queue`; never `count(*)`."""
        ...

    async def backup(self, target: str) -> None:
        """Write a consistent copy while serving."""
        ...


# --- channels ---------------------------------------------------------------------------------


class ChannelProvider(Protocol):
    """The code that speaks one channel, built in or a plugin (row N1a). All raise ProviderFault."""

    @property
    def facts(self) -> ProviderFacts: ...
    async def parse_inbound(self, account: Account, request: RawRequest) -> Parsed: ...
    async def identify_account(self, request: RawRequest) -> tuple[str, str] | None:
        """The config field and its value that name the account: a hint, never trusted."""
        ...

    async def send_outbound(self, account: Account, delivery: ClaimedDelivery) -> Sent: ...
    async def validate_account_config(
        self, account: Account, mode: Literal["static", "live"]
    ) -> ConfigVerdict: ...
    async def health(self) -> ProviderHealth: ...


class Providers(Protocol):
    """Who serves a channel now."""

    def serving(self, channel: ChannelId) -> ChannelProvider | None:
        """The provider that serves this id; None when unknown or disabled without a built-in."""
        ...

    def known(self) -> list[ProviderFacts]:
        """Every channel that could have accounts, serving or not."""
        ...

    def facts(self, channel: ChannelId) -> ProviderFacts | None:
        """What is known of a channel, serving or not."""
        ...

    def is_known(self, channel: ChannelId) -> bool: ...


class Accounts(Protocol):
    """Opened accounts, in memory, current. Secrets are inside: never log one."""

    def get(self, account_uid: AccountUid) -> Account | None: ...
    def named(self, channel: ChannelId, account_id: str) -> Account | None:
        """By label or webhook key, enabled or not."""
        ...

    def enabled(self, channel: ChannelId) -> list[Account]: ...


class HttpDoor(Protocol):
    """The guarded HTTP client, for channels that run in this process (security rule 10)."""

    def session(self) -> "aiohttp.ClientSession":
        """A new client session behind the guard; the caller closes it."""
        ...


class PluginHost(Protocol):
    """The running plugins. Raises ProviderFault for a call that cannot be made or fails."""

    async def call(
        self, plugin_id: PluginId, method: str, params: object, result: type[Row], account_uid: str
    ) -> Row:
        """Call a method with its own deadline; params and result are wire types."""
        ...

    async def start(self, spec: PluginSpec) -> None:
        """Make this release the running one: the old one drains, then stops. Returns at once."""
        ...

    async def stop(self, plugin_id: PluginId) -> None:
        """Drain and stop; returns when its process is gone."""
        ...

    async def preflight(self, spec: PluginSpec) -> None:
        """Start a process with no traffic, shake hands, ask its health, stop it. Raises: Invalid."""
        ...

    def report(self, plugin_id: PluginId) -> RuntimeReport | None: ...
    def stderr(self, plugin_id: PluginId) -> list[str]:
        """The last lines the plugin wrote, oldest first, control characters kept."""
        ...


# --- agents -----------------------------------------------------------------------------------


class Agent(Protocol):
    """What answers. Called at least once a turn, always with the same turn_id."""

    async def answer(self, turn: AgentTurn) -> tuple[Reply, ...]:
        """Raises: AgentFailed."""
        ...


class Agents(Protocol):
    """The agents by id, built when first used and rebuilt when their row changes."""

    def get(self, agent_id: AgentId) -> Agent | None: ...
    def default_id(self) -> AgentId | None: ...
    def accept_replies(self, turn_id: TurnId, token: str, replies: tuple[Reply, ...]) -> bool:
        """Hand over the later answer of a 202; False when no such turn waits or the token is wrong."""
        ...


class Bindings(Protocol):
    """The bindings, in memory, current."""

    def all(self) -> Sequence[Binding]: ...
