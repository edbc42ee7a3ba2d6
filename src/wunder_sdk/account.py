"""One login as a channel sees it: typed config, HTTP client, tokens, state; kept while it holds."""

from collections import OrderedDict
from typing import Generic, TypeVar

from wunder_sdk.blobs import Blobs
from wunder_sdk.host import Host
from wunder_sdk.http_client import HttpClient
from wunder_sdk.state import State
from wunder_sdk.tokens import TokenCache

C = TypeVar("C")

#: Accounts a process keeps warm; more are rebuilt when they come back (choice).
CACHED_ACCOUNTS = 256


class Account(Generic[C]):
    """One login; the same object for every call with the same (account_id, rev).

    Attributes:
        account_id: The account's id in the gateway.
        channel: The channel's id as this account knows it; use it in messages you make.
        rev: Changes whenever config or secrets do.
        config: Config and secrets merged, as the channel's `config` class.
        tokens: `await account.tokens.get("access", fetch)`.
        state: Durable values of this account, kept by the gateway.
        blobs: The bytes of the attachments that a message to send carries.
    """

    __slots__ = (
        "_closing",
        "_host",
        "_http",
        "_in_use",
        "account_id",
        "blobs",
        "channel",
        "config",
        "rev",
        "state",
        "tokens",
    )  # fmt: skip

    def __init__(self, account_id: str, channel: str, rev: int, config: C, host: Host) -> None:
        self.account_id = account_id
        self.channel = channel
        self.rev = rev
        self.config = config
        self.tokens = TokenCache()
        self.state = State(host, account_id)
        self.blobs = Blobs(host)
        self._host = host
        self._http: HttpClient | None = None
        self._in_use = 0
        self._closing = False

    @property
    def http(self) -> HttpClient:
        """The HTTP client of this account, made when first used, closed when `rev` changes."""
        if self._http is None:
            self._http = HttpClient(self._open_session)
        return self._http

    @property
    def used_http(self) -> bool:
        """Has this account's client been used at all?"""
        return self._http is not None

    def hold(self) -> None:
        """Count a call that uses this account."""
        self._in_use += 1

    def let_go(self) -> bool:
        """Uncount a call; True if the account was replaced meanwhile: then `close` it."""
        self._in_use -= 1
        return self._closing

    async def release(self) -> None:
        """Uncount a call; the last one out closes an account that was replaced."""
        if self.let_go():
            await self.close()

    async def close(self) -> None:
        """Close the client, at once or when the last call that uses it ends."""
        self._closing = True
        if self._in_use <= 0 and self._http is not None:
            await self._http.close()

    def _open_session(self) -> object:
        return self._host.http_session(self.account_id)


class AccountCache(Generic[C]):
    """The accounts a process has seen lately, one revision of each."""

    def __init__(self, limit: int = CACHED_ACCOUNTS) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Account[C]] = OrderedDict()

    def find(self, account_id: str, rev: int, channel: str) -> Account[C] | None:
        """Return the account if this very revision is kept."""
        kept = self._kept.get(account_id)
        if kept is None or kept.rev != rev or kept.channel != channel:
            return None
        self._kept.move_to_end(account_id)
        return kept

    async def keep(self, account: Account[C]) -> None:
        """Keep `account`; close the revision it replaces and the one used longest ago."""
        replaced = self._kept.pop(account.account_id, None)
        self._kept[account.account_id] = account
        if replaced is not None:
            await replaced.close()
        while len(self._kept) > self._limit:
            _, oldest = self._kept.popitem(last=False)
            await oldest.close()

    async def close(self) -> None:
        """Close every account."""
        while self._kept:
            _, account = self._kept.popitem()
            await account.close()
