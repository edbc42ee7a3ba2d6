"""Channels: who speaks them, which accounts they have, what runs them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from wunder.model.account import Account
from wunder.model.binding import Binding
from wunder.model.delivery import ClaimedDelivery
from wunder.model.ids import AccountId, AccountUid, At, ChannelId, PluginId
from wunder.model.message import Attachment, InboundMessage, OutboundMessage
from wunder.model.provider import (
    Activity,
    ConfigVerdict,
    Fetched,
    Parsed,
    ProviderFacts,
    ProviderHealth,
    RawRequest,
    Sent,
    WebhookAnswer,
)
from wunder.model.runtime import PluginSpec, RuntimeReport

if TYPE_CHECKING:
    import aiohttp

Row = TypeVar("Row")


class OptionalCalls(Protocol):
    """What only some channels can do: their capabilities say who. All raise ProviderFault."""

    async def fetch_attachment(
        self, account: Account, attachment: Attachment, transfer_id: str
    ) -> Fetched:
        """Have the bytes of a received attachment written to a transfer."""

    async def edit_outbound(
        self, account: Account, delivery: ClaimedDelivery, at: At, is_final: bool
    ) -> None:
        """Replace what `delivery.shown_as` shows by its message."""

    async def send_activity(
        self, account: Account, message: InboundMessage, kind: Activity
    ) -> None:
        """Show who wrote `message` that it was read, or that an answer is being written."""


class Sends(Protocol):
    """The way out of a channel."""

    async def send_outbound(self, account: Account, delivery: ClaimedDelivery) -> Sent:
        """Send one platform message. Raises: ProviderFault."""

    def send_room(self, account_uid: AccountUid) -> int:
        """How many sends of this account would go out now: more would end as `breaker_open`."""


class ChannelProvider(Sends, OptionalCalls, Protocol):
    """The code that speaks one channel, built in or a plugin (row N1a). All raise ProviderFault."""

    @property
    def facts(self) -> ProviderFacts:
        """What its manifest says."""

    async def parse_inbound(self, account: Account, request: RawRequest) -> Parsed:
        """Verify and parse one webhook request."""

    async def identify_account(self, request: RawRequest) -> tuple[str, str] | None:
        """The config field and its value that name the account: a hint, never trusted."""

    async def render_inline_reply(
        self, account: Account, request: RawRequest, message: OutboundMessage
    ) -> WebhookAnswer:
        """Word a reply that travels in the webhook's own response."""

    async def validate_account_config(
        self, account: Account, mode: Literal["static", "live"]
    ) -> ConfigVerdict:
        """Let the channel judge a configuration; `live` asks the platform."""

    async def health(self) -> ProviderHealth:
        """How the channel is."""


class Providers(Protocol):
    """Who serves a channel now."""

    def serving(self, channel: ChannelId) -> ChannelProvider | None:
        """The provider that serves this id; None when unknown or disabled without a built-in."""

    def known(self) -> list[ProviderFacts]:
        """Every channel that could have accounts, serving or not."""

    def facts(self, channel: ChannelId) -> ProviderFacts | None:
        """What is known of a channel, serving or not."""

    def is_known(self, channel: ChannelId) -> bool:
        """True when accounts of this channel can exist."""


class Accounts(Protocol):
    """Opened accounts, in memory, current. Secrets are inside: never log one."""

    def get(self, account_uid: AccountUid) -> Account | None:
        """The account; None when it was deleted."""

    def named(self, channel: ChannelId, account_id: str) -> Account | None:
        """By label or webhook key, enabled or not."""

    def only(self, channel: ChannelId) -> Account | None:
        """The enabled account of a channel that never had another one; None else."""

    def enabled(self, channel: ChannelId) -> list[Account]:
        """The enabled accounts of a channel."""


class Bindings(Protocol):
    """The bindings, in memory, current."""

    def of(self, channel: ChannelId, account_id: AccountId) -> Sequence[Binding]:
        """The bindings that may match this account, disabled ones too."""


class HttpDoor(Protocol):
    """The guarded HTTP client, for channels that run in this process (security rule 10)."""

    def session(self) -> "aiohttp.ClientSession":
        """A new client session behind the guard; the caller closes it."""


class PluginCalls(Protocol):
    """What running plugins can be asked."""

    async def call(
        self, plugin_id: PluginId, method: str, params: object, result: type[Row], account_uid: str
    ) -> Row:
        """Call a method with its own deadline; params and result are wire types.

        Raises: ProviderFault, where the call cannot be made or fails.
        """

    def send_room(self, plugin_id: PluginId, account_uid: str) -> int:
        """How many sends of this account its breaker would let out now."""


class PluginHost(PluginCalls, Protocol):
    """The running plugins."""

    async def start(self, spec: PluginSpec) -> None:
        """Make this release the running one; returns when it serves, or its first start failed."""

    async def stop(self, plugin_id: PluginId) -> None:
        """Drain and stop; returns when its process is gone."""

    async def preflight(self, spec: PluginSpec) -> None:
        """Start a process with no traffic, shake hands, ask its health, stop it. Raises: Invalid."""

    def report(self, plugin_id: PluginId) -> RuntimeReport | None:
        """What is running; None for a plugin that was never started."""

    def stderr(self, plugin_id: PluginId) -> list[str]:
        """The last lines the plugin wrote, oldest first, control characters kept."""
