"""Account: one login on a channel, with its access rules and its opened configuration."""

from typing import Any, Literal

import msgspec

from wunder.model.ids import AccountId, AccountUid, At, ChannelId

AccountStatus = Literal["enabled", "disabled", "draft", "deleted"]


class AccessRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may talk to the agent. Lists hold platform ids; deny wins over allow; `*` is everybody."""

    groups: Literal["mention", "all", "off"] = "mention"
    direct: Literal["all", "off", "pairing"] = "all"  # pairing: who an administrator let in
    allow_peers: tuple[str, ...] = ("*",)
    deny_peers: tuple[str, ...] = ()
    allow_senders: tuple[str, ...] = ("*",)
    deny_senders: tuple[str, ...] = ()
    commands: bool = True  # chat users may say /new, /help and /stop


class DeliverySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How this account's deliveries behave where the platform leaves a choice."""

    on_unknown: Literal["park", "retry_once"] = "park"
    ttl_s: int = 86_400
    apology: str | None = None  # None: the gateway's default text; "" sends none
    stream: bool = True  # show an answer while it is written, where the platform can


class AccountConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `config` column: our settings, and the channel's own in `provider_config` (row N1c)."""

    provider_config: dict[str, Any] = {}
    access: AccessRules = AccessRules()
    delivery: DeliverySettings = DeliverySettings()


class AccountRow(msgspec.Struct, frozen=True):
    """One row of `channel_accounts`: secrets sealed."""

    account_uid: AccountUid
    channel: ChannelId
    account_id: AccountId
    display_name: str
    status: AccountStatus
    config: AccountConfig
    secrets: bytes  # sealed; b"" where there are none
    rev: int
    secret_rev: int
    webhook_key: str
    created_at: At
    updated_at: At
    owner_user_id: str = ""
    external_id: str = ""  # who the account is on the platform, once known


class Account(msgspec.Struct, frozen=True):
    """An opened account, as providers need it. Never logged, never serialised."""

    row: AccountRow
    secrets: dict[str, Any]

    @property
    def uid(self) -> AccountUid:
        """The identity everything refers to."""
        return self.row.account_uid

    def __repr__(self) -> str:
        return f"Account({self.row.channel}/{self.row.account_id})"
