"""The tables that administrators keep."""

from typing import Any, Protocol

from wunder.model.account import AccountRow
from wunder.model.binding import AgentRow, Binding
from wunder.model.ids import AccountUid, AgentId, At, PluginId, TokenId
from wunder.model.plugin import Approval, PluginCounters, PluginRow, Release
from wunder.model.token import ApiToken


class AccountTable(Protocol):
    """`channel_accounts`."""

    async def all(self) -> list[AccountRow]:
        """Every account that was not deleted."""

    async def counts(self) -> dict[str, int]:
        """How many accounts each channel ever had, deleted ones too."""

    async def add(self, row: AccountRow) -> None:
        """Raises: Conflict `account_exists`, also for a tombstoned name in use by a live account."""

    async def update(self, row: AccountRow, expected_rev: int | None) -> AccountRow:
        """Raises: Conflict `rev` with the current state; NotFound."""

    async def remove(self, account_uid: AccountUid, now: At) -> int:
        """Tombstone the account, cancel its deliveries and turns; how many deliveries."""


class BindingTable(Protocol):
    """`channel_bindings`."""

    async def all(self) -> list[Binding]:
        """Every binding."""

    async def put(self, row: Binding, expected_rev: int | None) -> Binding:
        """Add or replace. Raises: Conflict `rev`; NotFound."""

    async def remove(self, binding_id: str) -> None:
        """Raises: NotFound."""


class AgentTable(Protocol):
    """`agents`. Exactly one is the default."""

    async def all(self) -> list[AgentRow]:
        """Every agent."""

    async def put(self, row: AgentRow, expected_rev: int | None) -> AgentRow:
        """Add or replace; making one the default ends the other. Raises: Conflict `rev`."""

    async def remove(self, agent_id: AgentId) -> None:
        """Raises: Conflict while bindings name it or it is the default; NotFound."""


class PluginTable(Protocol):
    """`channel_plugins`, `channel_plugin_versions` and `channel_plugin_runtime`."""

    async def plugins(self) -> list[PluginRow]:
        """Every plugin, by id."""

    async def releases(self, plugin_id: PluginId | None = None) -> list[Release]:
        """Installed releases, newest version first."""

    async def add_release(self, release: Release, name: str) -> None:
        """Raises: Conflict `same_version_other_hash`; adding the same package again is a no-op."""

    async def put_plugin(self, row: PluginRow, expected_epoch: int | None = None) -> None:
        """Write a plugin row. Raises: Conflict `changed_meanwhile` when `expected_epoch` is not its epoch."""

    async def approve(self, plugin_id: PluginId, version: str, approval: Approval) -> None:
        """Record an approval. Raises: NotFound."""

    async def remove_release(self, plugin_id: PluginId, version: str) -> bool:
        """Forget a release; True when it was the last one and the plugin row went with it."""


class PluginHistory(Protocol):
    """Crash counts that survive a restart of the gateway, and `host.state`."""

    async def counters(self) -> list[PluginCounters]:
        """What earlier lives of the plugins counted."""

    async def put_counters(self, row: PluginCounters) -> None:
        """Keep the counts of one plugin version."""

    async def state_get(self, plugin_id: PluginId, account_uid: str, key: str) -> tuple[Any, int]:
        """The value and its rev; (None, 0) where nothing is stored."""

    async def state_put(
        self, plugin_id: PluginId, account_uid: str, key: str, value: Any, rev: int | None
    ) -> int:
        """Raises: Conflict `rev`; Invalid `quota` (64 KiB a value, 1,000 keys, 1 MiB an account)."""

    async def state_delete(self, plugin_id: PluginId, account_uid: str, key: str) -> None:
        """Forget a key; deleting what is not there is fine."""


class TokenTable(Protocol):
    """`api_tokens`: only hashes are stored."""

    async def all(self) -> list[ApiToken]:
        """Every token, revoked ones too."""

    async def add(self, token: ApiToken) -> None:
        """Keep a token."""

    async def revoke(self, token_id: TokenId, now: At) -> None:
        """End a token. Raises: NotFound."""
