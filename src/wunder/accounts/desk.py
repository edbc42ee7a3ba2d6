"""What operators do to accounts: every write is judged, sealed, stored, recorded, in this order."""

import asyncio
import re
import secrets as random_secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from wunder.accounts.changes import identities
from wunder.accounts.drafts import AccountChanges, AccountDraft, AccountImpact, AccountView
from wunder.accounts.judge import ConfigJudge
from wunder.accounts.row_maker import RowMaker
from wunder.accounts.sealing import account_secrets
from wunder.accounts.secrets import patched
from wunder.accounts.views import account_view
from wunder.errors import Conflict, FieldFault, Invalid, NotFound
from wunder.model.account import Account, AccountConfig, AccountRow, AccountStatus
from wunder.model.delivery import DeliveryState
from wunder.model.ids import AccountId, AccountUid, ChannelId, new_id
from wunder.model.provider import ConfigFault, ConfigVerdict
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import AccountTable, BindingTable, Clock, EventLog, Sealer
from wunder.upkeep.ledger import DeliveryFilter, OutboxDesk

log = get_logger(__name__)

LABEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MAX_NAME_CHARS = 100
MAX_IMPACT = 1_000
WEBHOOK_KEY_BYTES = 16
_OPEN_STATES = (
    DeliveryState.PENDING,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.STREAMING,
    DeliveryState.HELD,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountParts:
    """What the desk works with. `on_change` runs after each stored change: reload the book.

    `hmac8` names a secret in the event log without telling it (security rule 18).
    """

    accounts: AccountTable
    bindings: BindingTable
    outbox: OutboxDesk
    judge: ConfigJudge
    sealer: Sealer
    hmac8: Callable[[str], str]
    events: EventLog
    clock: Clock
    on_change: Callable[[], Awaitable[None]]
    public_url: str = ""


class AccountDesk:
    """Lists, writes, tests and removes accounts."""

    def __init__(self, parts: AccountParts) -> None:
        self._parts = parts
        self._maker = RowMaker(parts.judge, parts.sealer, parts.hmac8, parts.clock)
        # Held over the check for a second account with the same identity and the write after it.
        self._writing = asyncio.Lock()

    async def list(self) -> list[AccountView]:
        """Return every account, by channel and label."""
        rows = [row for row in await self._parts.accounts.all() if row.status != "deleted"]
        rows.sort(key=lambda row: (row.channel, row.account_id))
        return [self._view(row) for row in rows]

    async def get(self, channel: str, account_id: str) -> AccountView:
        """Return one account. Raises: NotFound."""
        return self._view(await self._row(channel, account_id))

    async def uid_of(self, channel: str, account_id: str) -> AccountUid:
        """Return the identity behind an account's label. Raises: NotFound."""
        return (await self._row(channel, account_id)).account_uid

    async def create(self, draft: AccountDraft, by: str) -> AccountView:
        """Make an account with a webhook key of its own; inherits nothing from a former namesake.

        Raises:
            Invalid: Fields are wrong; each is named by pointer, from schema or provider.
            Conflict: `account_exists`; `external_id_in_use`; `schema_unusable`.
        """
        _refuse_names(draft)
        now = self._parts.clock.now()
        row = AccountRow(
            account_uid=AccountUid(new_id()),
            channel=ChannelId(draft.channel),
            account_id=AccountId(draft.account_id),
            display_name=draft.display_name,
            status="draft",
            config=AccountConfig(access=draft.access, delivery=draft.delivery),
            secrets=b"",
            rev=1,
            secret_rev=1,
            webhook_key=random_secrets.token_hex(WEBHOOK_KEY_BYTES),
            created_at=now,
            updated_at=now,
            owner_user_id=draft.owner_user_id,
        )
        given = {} if draft.provider_config is msgspec.UNSET else draft.provider_config
        return await self._write(row, given, draft.is_enabled, by, None)

    async def replace(
        self, channel: str, account_id: str, draft: AccountDraft, rev: int | None, by: str
    ) -> AccountView:
        """Write a whole account; label and channel stay. Raises as `create`, NotFound, `rev`."""
        row = await self._row(channel, account_id)
        draft = msgspec.structs.replace(draft, channel=channel, account_id=account_id)
        _refuse_names(draft)
        _refuse_stale(row, rev)
        changed = msgspec.structs.replace(
            row,
            display_name=draft.display_name,
            owner_user_id=draft.owner_user_id,
            config=msgspec.structs.replace(
                row.config, access=draft.access, delivery=draft.delivery
            ),
        )
        return await self._write(changed, draft.provider_config, draft.is_enabled, by, row)

    async def patch(
        self, channel: str, account_id: str, changes: AccountChanges, rev: int | None, by: str
    ) -> AccountView:
        """Write some fields of an account. Raises as `replace`."""
        row = await self._row(channel, account_id)
        given: Any = changes.provider_config
        if given is not msgspec.UNSET:
            self._parts.judge.refuse_size(given)
            facts = self._parts.judge.facts(channel)
            schema = None if facts is None else facts.account_schema
            given = patched(schema, row.config.provider_config, given)
        whole = AccountDraft(
            channel=channel,
            account_id=account_id,
            display_name=_kept(changes.display_name, row.display_name),
            is_enabled=_kept(changes.is_enabled, row.status == "enabled"),
            provider_config=given,
            access=_kept(changes.access, row.config.access),
            delivery=_kept(changes.delivery, row.config.delivery),
            owner_user_id=row.owner_user_id,
        )
        return await self.replace(channel, account_id, whole, rev, by)

    async def remove(self, channel: str, account_id: str, by: str) -> int:
        """Remove an account and the bindings that name it; how many deliveries were cancelled."""
        row = await self._row(channel, account_id)
        cancelled = await self._parts.accounts.remove(row.account_uid, self._parts.clock.now())
        self._record("account_removed", row, {"by": by, "cancelled": cancelled})
        await self._parts.on_change()
        return cancelled

    async def test(self, channel: str, account_id: str) -> ConfigVerdict:
        """Ask the platform whether the account works; what it says of itself is kept."""
        row = await self._row(channel, account_id)
        account = Account(row, account_secrets(self._parts.sealer, row))
        verdict = await self._parts.judge.ask_live(account)
        if verdict.is_ok and verdict.external_id and verdict.external_id != row.external_id:
            known = msgspec.structs.replace(row, external_id=verdict.external_id)
            try:
                await self._store(known, row)
            except Conflict as error:
                fault = ConfigFault("", error.reason, error.detail)
                return msgspec.structs.replace(verdict, is_ok=False, errors=(fault,))
            await self._parts.on_change()
        return verdict

    async def reconnect(self, channel: str, account_id: str, by: str) -> ConfigVerdict:
        """Begin with the platform anew, without a moment in which the account is off; what it says.

        A new `rev` makes each plugin drop clients and tokens that it keeps for the account, and each
        node try again whatever it rests from. Raises: NotFound; Conflict `account_not_enabled`.
        """
        row = await self._row(channel, account_id)
        if row.status != "enabled":
            raise Conflict("The account is not enabled.", reason="account_not_enabled")
        fresh = msgspec.structs.replace(row, updated_at=self._parts.clock.now())
        self._record("account_reconnected", await self._store(fresh, row), {"by": by})
        await self._parts.on_change()
        return await self.test(channel, account_id)

    async def enable_draft(self, row: AccountRow) -> bool:
        """Enable a draft that its channel has no objection to; False where it cannot be asked yet.

        Raises: Invalid, with what is wrong; Conflict, as for any other write.
        """
        account = Account(row, account_secrets(self._parts.sealer, row))
        verdict = await self._parts.judge.ask_static(account)
        if verdict is None:
            return False
        name = row.display_name or verdict.display_name
        known = verdict.external_id or row.external_id
        ready = msgspec.structs.replace(row, status="enabled", external_id=known, display_name=name)
        ready = msgspec.structs.replace(ready, updated_at=self._parts.clock.now())
        stored = await self._store(ready, row)
        self._record("draft_enabled", stored, {"by": "the channel came back"})
        await self._parts.on_change()
        return True

    async def impact(self, channel: str, account_id: str) -> AccountImpact:
        """Return what removing the account would end."""
        await self._row(channel, account_id)
        where = DeliveryFilter(states=_OPEN_STATES, channel=channel, account_id=account_id)
        found = await self._parts.outbox.select(where, MAX_IMPACT + 1)
        return AccountImpact(
            bindings=await self._bindings_of(channel, account_id),
            open_deliveries=min(len(found), MAX_IMPACT),
            has_more=len(found) > MAX_IMPACT,
        )

    async def _write(
        self, row: AccountRow, given: Any, is_enabled: bool, by: str, old: AccountRow | None
    ) -> AccountView:
        """Judge, seal and store; `old` None makes a new account."""
        is_judged = old is None or given is not msgspec.UNSET
        if old is not None and not is_judged:
            # Disabling must work whatever became of the channel; a pause is no reason to check.
            is_judged = is_enabled and old.status != "enabled"
        if is_judged:
            row, verdict, changes = await self._maker.make(row, given, is_enabled, old)
        else:
            status: AccountStatus = old.status if is_enabled and old else "disabled"
            row = msgspec.structs.replace(row, status=status, updated_at=self._parts.clock.now())
            verdict, changes = ConfigVerdict(is_ok=True), {}
        stored = await self._store(row, old)
        name = "account_changed" if old else "account_created"
        self._record(name, stored, {"by": by, "status": stored.status, **changes})
        await self._parts.on_change()
        return msgspec.structs.replace(
            self._view(stored),
            note="" if verdict is not None else "provider_unavailable",
            warnings=verdict.warnings if verdict else (),
        )

    async def _store(self, row: AccountRow, old: AccountRow | None) -> AccountRow:
        async with self._writing:
            others = [
                one
                for one in await self._parts.accounts.all()
                if one.account_uid != row.account_uid and one.status != "deleted"
            ]
            self._refuse_clash(row, others)
            if old is None:
                await self._parts.accounts.add(row)
                return row
            changed = msgspec.structs.replace(row, rev=old.rev + 1)
            return await self._parts.accounts.update(changed, old.rev)

    def _refuse_clash(self, row: AccountRow, others: Sequence[AccountRow]) -> None:
        """Refuse a name in use, and the same external identity enabled twice (security rule 7)."""
        facts = self._parts.judge.facts(row.channel)
        same_channel = [one for one in others if one.channel == row.channel]
        if any(row.account_id in (one.account_id, one.webhook_key) for one in same_channel):
            raise Conflict("An account of this channel has this name.", reason="account_exists")
        if row.status != "enabled":
            return
        own = identities(row, facts)
        for one in same_channel:
            if one.status == "enabled" and own & identities(one, facts):
                # What others call theirs is no user's business.
                is_known = row.owner_user_id in ("", one.owner_user_id)
                named = f"The enabled account {one.account_id}"
                raise Conflict(
                    f"{named if is_known else 'Another account'} is the same login on the platform.",
                    reason="external_id_in_use",
                    state={"account_id": one.account_id} if is_known else {},
                )

    async def _row(self, channel: str, account_id: str) -> AccountRow:
        for row in await self._parts.accounts.all():
            if (row.channel, row.account_id) == (channel, account_id) and row.status != "deleted":
                return row
        raise NotFound(f"There is no account {account_id} of this channel.")

    async def _bindings_of(self, channel: str, account_id: str) -> tuple[str, ...]:
        return tuple(
            binding.binding_id
            for binding in await self._parts.bindings.all()
            if (binding.channel, binding.account_id) == (channel, account_id)
        )

    def _view(self, row: AccountRow) -> AccountView:
        parts = self._parts
        return account_view(row, parts.judge.facts(row.channel), parts.sealer, parts.public_url)

    def _record(self, name: str, row: AccountRow, fields: dict[str, Any]) -> None:
        self._parts.events.record(
            Event(
                name=name,
                at=self._parts.clock.now(),
                plugin_id=row.channel,
                account_uid=row.account_uid,
                account_id=row.account_id,
                fields=fields,
            )
        )
        log.info(name, channel=row.channel, account_id=row.account_id, by=fields.get("by", ""))


def _refuse_names(draft: AccountDraft) -> None:
    faults = []
    if not LABEL.fullmatch(draft.account_id):
        words = "Begin with a-z or 0-9; then a-z, 0-9, _ and - up to 64 characters."
        faults.append(FieldFault("/account_id", "pattern", words))
    if len(draft.display_name) > MAX_NAME_CHARS or not draft.display_name.isprintable():
        words = f"At most {MAX_NAME_CHARS} printable characters."
        faults.append(FieldFault("/display_name", "text", words))
    if draft.delivery.ttl_s <= 0:
        faults.append(FieldFault("/delivery/ttl_s", "minimum", "It must be above 0."))
    if faults:
        raise Invalid(faults=faults)


def _refuse_stale(row: AccountRow, rev: int | None) -> None:
    if rev is not None and rev != row.rev:
        raise Conflict(
            "Somebody changed this account meanwhile.", reason="rev", state={"rev": row.rev}
        )


def _kept(given: Any, stored: Any) -> Any:
    return stored if given is msgspec.UNSET else given
