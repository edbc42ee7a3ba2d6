"""What every side of the gateway stands on."""

from dataclasses import dataclass

from wunder.accounts.book import AccountBook, BindingBook
from wunder.accounts.keyring import Keyring
from wunder.app.stores import Store
from wunder.config import Config
from wunder.egress.client import GuardedClient
from wunder.observe.metrics import Metrics
from wunder.ports import Clock


@dataclass(frozen=True, slots=True)
class Ground:
    """Settings, rows, the key, time, figures, what is current of accounts and bindings, and the way out."""

    config: Config
    store: Store
    keyring: Keyring
    clock: Clock
    metrics: Metrics
    accounts: AccountBook
    bindings: BindingBook
    http: GuardedClient
