"""What an operator writes about an account, and what is shown of it: secrets as {"set": true}."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from wunder.model.account import AccessRules, AccountStatus, DeliverySettings
from wunder.model.ids import At
from wunder.model.provider import ConfigFault


class AccountDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole account as written. Absent `provider_config`: what is stored stays."""

    channel: str
    account_id: str
    display_name: str = ""
    is_enabled: bool = True
    provider_config: dict[str, Any] | UnsetType = UNSET
    access: AccessRules = AccessRules()
    delivery: DeliverySettings = DeliverySettings()
    owner_user_id: str = ""


class AccountChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Some fields of an account. `provider_config` is a merge patch: null removes, or clears."""

    display_name: str | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET
    provider_config: dict[str, Any] | UnsetType = UNSET
    access: AccessRules | UnsetType = UNSET
    delivery: DeliverySettings | UnsetType = UNSET


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account as shown. `provider_config` holds {"set": true} for each secret.

    `note` says what a write could not do: `provider_unavailable` (saved as a draft, unchecked).
    """

    account_uid: str
    channel: str
    account_id: str
    display_name: str
    status: AccountStatus
    provider_config: dict[str, Any]
    access: AccessRules
    delivery: DeliverySettings
    owner_user_id: str
    external_id: str
    webhook_key: str
    webhook_url: str  # what to register with the platform; a path where no public_url is set
    chat_url: str = ""  # where people talk to it, of a channel with a page of the gateway's own
    rev: int
    created_at: At
    updated_at: At
    note: Literal["", "provider_unavailable"] = ""
    warnings: tuple[ConfigFault, ...] = ()


class AccountImpact(msgspec.Struct, frozen=True, kw_only=True):
    """What removing an account would end; `open_deliveries` counts up to 1,000."""

    bindings: tuple[str, ...]
    open_deliveries: int
    has_more: bool
