"""The accounts and bindings that every room asks for: in memory, current, opened when first used."""

from collections.abc import Sequence

from wunder.accounts.sealing import account_secrets
from wunder.errors import StoreBroken
from wunder.model.account import Account, AccountRow
from wunder.model.binding import ANY, Binding
from wunder.model.ids import AccountId, AccountUid, ChannelId
from wunder.observe.logs import get_logger
from wunder.ports import AccountTable, BindingTable, Sealer

log = get_logger(__name__)


class AccountBook:
    """Every live account (port Accounts). `reload` after each change of the table.

    Secrets are opened at first use and kept; an account whose seal is broken is nowhere to be found,
    and said to be broken once a revision.
    """

    def __init__(self, table: AccountTable, sealer: Sealer) -> None:
        self._table = table
        self._sealer = sealer
        self._rows: dict[AccountUid, AccountRow] = {}
        self._by_name: dict[tuple[str, str], AccountUid] = {}
        self._by_channel: dict[str, tuple[AccountUid, ...]] = {}
        self._ever: dict[str, int] = {}
        self._opened: dict[AccountUid, Account] = {}
        self._broken: dict[AccountUid, int] = {}

    async def reload(self) -> None:
        """Read the table again; accounts whose row did not change stay the same objects."""
        rows = {row.account_uid: row for row in await self._table.all() if row.status != "deleted"}
        self._ever = await self._table.counts()
        self._opened = {
            uid: account for uid, account in self._opened.items() if rows.get(uid) == account.row
        }
        self._rows = rows
        # Labels last: a label that equals somebody's webhook key still names its own account.
        self._by_name = {(row.channel, row.webhook_key): uid for uid, row in rows.items()}
        self._by_name |= {(row.channel, row.account_id): uid for uid, row in rows.items()}
        by_channel: dict[str, list[AccountUid]] = {}
        for uid, row in rows.items():
            if row.status == "enabled":
                by_channel.setdefault(row.channel, []).append(uid)
        self._by_channel = {channel: tuple(uids) for channel, uids in by_channel.items()}

    def __len__(self) -> int:
        """How many accounts there are, enabled or not."""
        return len(self._rows)

    def get(self, account_uid: AccountUid) -> Account | None:
        """Return a live account, opened; None when there is none or its seal is broken."""
        kept = self._opened.get(account_uid)
        if kept is not None:
            return kept
        row = self._rows.get(account_uid)
        return None if row is None else self._open(row)

    def named(self, channel: ChannelId, account_id: str) -> Account | None:
        """Return the account with this label or webhook key, enabled or not."""
        uid = self._by_name.get((channel, account_id))
        return None if uid is None else self.get(uid)

    def only(self, channel: ChannelId) -> Account | None:
        """Return the enabled account of a channel that never had another one."""
        enabled = self.enabled(channel)
        return enabled[0] if enabled and self._ever.get(channel) == 1 else None

    def enabled(self, channel: ChannelId) -> list[Account]:
        """Return the enabled accounts of a channel."""
        accounts = (self.get(uid) for uid in self._by_channel.get(channel, ()))
        return [account for account in accounts if account is not None]

    def row(self, account_uid: AccountUid) -> AccountRow | None:
        """Return a live row, sealed."""
        return self._rows.get(account_uid)

    def rows(self) -> list[AccountRow]:
        """Return every live row, sealed, by channel and label."""
        return sorted(self._rows.values(), key=lambda row: (row.channel, row.account_id))

    def _open(self, row: AccountRow) -> Account | None:
        try:
            account = Account(row, account_secrets(self._sealer, row))
        except StoreBroken:
            if self._broken.get(row.account_uid) != row.rev:
                self._broken[row.account_uid] = row.rev
                log.exception("account_seal_broken", account_id=row.account_id)
            return None
        self._opened[row.account_uid] = account
        return account


class BindingBook:
    """Every binding (port Bindings). `reload` after each change of the table."""

    def __init__(self, table: BindingTable) -> None:
        self._table = table
        self._of_account: dict[str, tuple[Binding, ...]] = {}
        self._of_any: tuple[Binding, ...] = ()

    async def reload(self) -> None:
        """Read the table again, and sort it by account: a turn looks at its own, however many there are."""
        of_account: dict[str, list[Binding]] = {ANY: []}
        for binding in await self._table.all():
            of_account.setdefault(binding.account_id, []).append(binding)
        self._of_any = tuple(of_account.pop(ANY))
        self._of_account = {
            account_id: (*own, *self._of_any) for account_id, own in of_account.items()
        }

    def of(self, channel: ChannelId, account_id: AccountId) -> Sequence[Binding]:
        """Return the bindings that may match this account, disabled ones too."""
        return self._of_account.get(account_id, self._of_any)
