"""What users do to what is theirs: their accounts, the bindings of these, the agents meant for them."""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from wunder.accounts.agents import AgentDesk
from wunder.accounts.bindings import BindingDesk, BindingDraft
from wunder.accounts.desk import AccountDesk
from wunder.accounts.drafts import AccountChanges, AccountDraft, AccountImpact, AccountView
from wunder.errors import FieldFault, Invalid, NotFound
from wunder.model.account import AccessRules
from wunder.model.binding import ANY, AgentKind, Binding
from wunder.model.ids import AccountUid, ChannelId
from wunder.model.provider import ConfigVerdict
from wunder.people.tables import VisibilityTable

#: Random digits of an account id that nobody chose: labels of others are nobody's business.
_LABEL_BYTES = 4


class OwnDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account as its owner writes it. Absent `account_id`: a random one; `provider_config`: as is."""

    channel: str
    account_id: str = ""
    display_name: str = ""
    is_enabled: bool = True
    provider_config: dict[str, Any] | UnsetType = UNSET
    access: AccessRules = AccessRules()


class OwnChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Some fields of an own account. `provider_config` is a merge patch: null removes, or clears."""

    display_name: str | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET
    provider_config: dict[str, Any] | UnsetType = UNSET
    access: AccessRules | UnsetType = UNSET


class OwnBinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which conversations of one own account go to which agent; `*` matches any."""

    channel: str
    account_id: str
    agent_id: str
    peer_kind: str = ANY
    peer_id: str = ANY
    priority: int = 0
    is_enabled: bool = True


class OfferedAgent(msgspec.Struct, frozen=True):
    """An agent that users may bind to."""

    agent_id: str
    kind: AgentKind


class OwnDesk:
    """The desks of the administrators, seen by one user: what is not theirs is not there."""

    def __init__(
        self,
        accounts: AccountDesk,
        bindings: BindingDesk,
        agents: AgentDesk,
        visibility: VisibilityTable,
    ) -> None:
        self._accounts = accounts
        self._bindings = bindings
        self._agents = agents
        self._visibility = visibility

    async def visible_channels(self) -> set[ChannelId]:
        """Return the channels that an administrator opened to users."""
        return await self._visibility.visible()

    async def accounts(self, user_id: str) -> list[AccountView]:
        """Return the user's accounts."""
        return [one for one in await self._accounts.list() if one.owner_user_id == user_id]

    async def uids(self, user_id: str) -> set[AccountUid]:
        """Return the identities of the user's accounts."""
        return {AccountUid(one.account_uid) for one in await self.accounts(user_id)}

    async def account(self, user_id: str, channel: str, account_id: str) -> AccountView:
        """Return one of the user's accounts. Raises: NotFound, also for somebody else's."""
        view = await self._accounts.get(channel, account_id)
        if not user_id or view.owner_user_id != user_id:
            raise NotFound(f"There is no account {account_id} of this channel.")
        return view

    async def create(self, user_id: str, draft: OwnDraft, by: str) -> AccountView:
        """Make an account of a channel that users see. Raises: as AccountDesk.create."""
        if draft.channel not in await self.visible_channels():
            fault = FieldFault("/channel", "unknown", "No such channel is open to you.")
            raise Invalid(faults=[fault])
        label = draft.account_id or f"my-{secrets.token_hex(_LABEL_BYTES)}"
        return await self._accounts.create(_whole(draft, draft.channel, label, user_id), by)

    async def replace(
        self, user_id: str, view: AccountView, draft: OwnDraft, rev: int | None, by: str
    ) -> AccountView:
        """Write one of the user's accounts anew; `view` is what `account` returned."""
        whole = _whole(draft, view.channel, view.account_id, user_id)
        whole = msgspec.structs.replace(whole, delivery=view.delivery)
        return await self._accounts.replace(view.channel, view.account_id, whole, rev, by)

    async def patch(
        self, view: AccountView, changes: OwnChanges, rev: int | None, by: str
    ) -> AccountView:
        """Change some fields of an account that `account` returned."""
        wanted = AccountChanges(
            display_name=changes.display_name,
            is_enabled=changes.is_enabled,
            provider_config=changes.provider_config,
            access=changes.access,
        )
        return await self._accounts.patch(view.channel, view.account_id, wanted, rev, by)

    async def remove(self, view: AccountView, by: str) -> int:
        """Remove an account that `account` returned; how many deliveries were cancelled."""
        return await self._accounts.remove(view.channel, view.account_id, by)

    async def test(self, view: AccountView) -> ConfigVerdict:
        """Ask the platform whether the account works."""
        return await self._accounts.test(view.channel, view.account_id)

    async def reconnect(self, view: AccountView, by: str) -> ConfigVerdict:
        """Begin with the platform anew. Raises: Conflict `account_not_enabled`."""
        return await self._accounts.reconnect(view.channel, view.account_id, by)

    async def impact(self, view: AccountView) -> AccountImpact:
        """Return what removing the account would end."""
        return await self._accounts.impact(view.channel, view.account_id)

    async def bindings(self, user_id: str) -> Sequence[Binding]:
        """Return the user's own rules."""
        return [one for one in await self._bindings.list() if one.owner_user_id == user_id]

    async def bind(
        self,
        user_id: str,
        wanted: OwnBinding,
        rev: int | None,
        by: str,
        binding_id: str | None = None,
    ) -> Binding:
        """Make a rule for exactly one own account, or replace one of the user's rules.

        Raises: Invalid, also for somebody else's account; NotFound; Conflict `rev`.
        """
        if binding_id is not None:
            await self._own_binding(user_id, binding_id)
        draft = BindingDraft(
            channel=wanted.channel,
            account_id=wanted.account_id,
            peer_kind=wanted.peer_kind,
            peer_id=wanted.peer_id,
            agent_id=wanted.agent_id,
            priority=wanted.priority,
            is_enabled=wanted.is_enabled,
            owner_user_id=user_id,
        )
        return await self._bindings.put(draft, rev, by, binding_id)

    async def unbind(self, user_id: str, binding_id: str, by: str) -> None:
        """Remove one of the user's rules. Raises: NotFound."""
        await self._own_binding(user_id, binding_id)
        await self._bindings.remove(binding_id, by)

    async def agents(self) -> list[OfferedAgent]:
        """Return the agents meant for users."""
        shown = [one for one in await self._agents.list() if one.is_visible_to_users]
        return [OfferedAgent(one.agent_id, one.kind) for one in shown]

    async def _own_binding(self, user_id: str, binding_id: str) -> None:
        binding = await self._bindings.get(binding_id)
        if not user_id or binding.owner_user_id != user_id:
            raise NotFound(f"There is no binding {binding_id}.")


def _whole(draft: OwnDraft, channel: str, account_id: str, user_id: str) -> AccountDraft:
    return AccountDraft(
        channel=channel,
        account_id=account_id,
        display_name=draft.display_name,
        is_enabled=draft.is_enabled,
        provider_config=draft.provider_config,
        access=draft.access,
        owner_user_id=user_id,
    )
