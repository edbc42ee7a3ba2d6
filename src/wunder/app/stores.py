"""Which store: a file in the data directory, or the database that the settings name."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from wunder.config import Config
from wunder.errors import StoreBroken
from wunder.observe.clock import SharedClock
from wunder.store.sqlite.store import SqliteStore, open_store

if TYPE_CHECKING:
    from wunder.store.postgres.store import PostgresStore

Store: TypeAlias = "SqliteStore | PostgresStore"
#: Loaded when it is chosen: the driver takes 30 ms of the start.
_POSTGRES, _ADDRESS = "wunder.store.postgres.store", "wunder.store.postgres.address"


async def open_chosen(
    config: Config,
    clock: SharedClock,
    on_fatal: Callable[[StoreBroken], None],
    credentials_dir: Path | None,
) -> Store:
    """Open the store that the settings name; `on_fatal` is called when it has failed for good.

    Raises: ConfigInvalid, DataDirRefused, StoreBroken, StoreUnavailable.
    """
    policy = config.store_policy
    if not policy.database_url and not policy.database_url_file:
        return await open_store(config.data_dir, clock, policy, on_fatal)
    address: Any = importlib.import_module(_ADDRESS)
    postgres: Any = importlib.import_module(_POSTGRES)
    opened: PostgresStore = await postgres.open_store(
        address.address_of(policy, credentials_dir),
        config.data_dir,
        clock,
        on_fatal,
        on_time=clock.heard,
    )
    return opened


def listen(store: Store, hear: Callable[[str], None], on_suspects: Callable[[], None]) -> None:
    """Have told what other nodes change, and what the dead left; a file has one node."""
    if not isinstance(store, SqliteStore):
        store.on_news(hear)
        store.on_suspects(on_suspects)


def holds_of(store: Store) -> Callable[[int], bool]:
    """What tells whether claims of a life are still this node's; a file has one node."""
    return (lambda _epoch: True) if isinstance(store, SqliteStore) else store.life.tenure.holds


def has_peers(store: Store) -> bool:
    """True when other nodes were alive when this one last looked."""
    return not isinstance(store, SqliteStore) and store.life.peers > 0
