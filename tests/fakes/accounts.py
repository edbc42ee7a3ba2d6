"""Accounts that a test puts in, opened."""

from collections import Counter

from wunder.model.account import Account
from wunder.model.ids import AccountUid, ChannelId


class FakeAccounts:
    """Accounts in a dict; `put` and `drop` change them."""

    def __init__(self, *accounts: Account) -> None:
        self._accounts: dict[AccountUid, Account] = {}
        self._ever: Counter[str] = Counter()
        for account in accounts:
            self.put(account)

    def put(self, account: Account) -> None:
        if account.uid not in self._accounts:
            self._ever[account.row.channel] += 1
        self._accounts[account.uid] = account

    def drop(self, account_uid: str) -> None:
        self._accounts.pop(AccountUid(account_uid), None)

    def get(self, account_uid: AccountUid) -> Account | None:
        return self._accounts.get(account_uid)

    def named(self, channel: ChannelId, account_id: str) -> Account | None:
        of_channel = [one for one in self._accounts.values() if one.row.channel == channel]
        by_label = [one for one in of_channel if one.row.account_id == account_id]
        by_key = [one for one in of_channel if one.row.webhook_key == account_id]
        return next(iter(by_label + by_key), None)

    def only(self, channel: ChannelId) -> Account | None:
        enabled = self.enabled(channel)
        return enabled[0] if enabled and self._ever[channel] == 1 else None

    def enabled(self, channel: ChannelId) -> list[Account]:
        return [
            one
            for one in self._accounts.values()
            if one.row.channel == channel and one.row.status == "enabled"
        ]
