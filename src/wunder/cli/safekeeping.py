"""Copies of the store, and moves between engines: made without asking the gateway."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec

from wunder.accounts.keyring import key_at
from wunder.cli.failure import CommandFailed, bad_usage
from wunder.config import Config
from wunder.errors import ConfigInvalid, Conflict, StoreFull, StoreUnavailable, WunderError
from wunder.model.ids import At
from wunder.observe.clock import wall_ms
from wunder.store.archive import Archive, Contents, Progress
from wunder.store.backups import manifest_path
from wunder.store.policy import StorePolicy
from wunder.store.postgres import archiving, loading, migrations
from wunder.store.postgres.address import Address, address_of
from wunder.store.postgres.faults import translate
from wunder.store.schema import migrations as known_steps
from wunder.store.sqlite import backup as sqlite_backup
from wunder.store.sqlite import export as sqlite_export
from wunder.store.sqlite.backup import DB_FILE

T = TypeVar("T")
_LOOK = ("see what keeps it away: wunder doctor",)


def copy_store(config: Config, target: Path, tell: Progress, *, with_files: bool) -> dict[str, Any]:
    """Write a consistent copy of the store, gateways running on it or not; return its manifest.

    The copy is made by a reader of the database: it neither stops nor asks the gateway.

    Raises: CommandFailed.
    """
    now = At(wall_ms())
    address = _address(config)
    if address is not None:
        if not with_files:
            words = "with PostgreSQL a backup always holds packages and attachments"
            raise bad_usage(words, "leave out --no-files")
        made: Any = _run(address, target, archiving.write_backup(address, target, now, tell))
        return _document(made, target)
    store = config.data_dir / DB_FILE
    if not store.is_file():
        where = str(config.data_dir)
        raise bad_usage("there is no store to copy", "name its data directory", where=where)
    made = _told(
        target,
        lambda: sqlite_backup.write_backup(
            store, target, now, StorePolicy(), with_files=with_files
        ),
    )
    return _document(made, target)


def put_back(config: Config, backup: Path, tell: Progress) -> dict[str, Any]:
    """Put a copy in the place of a missing store; return its manifest. Raises: CommandFailed."""
    for needed in (backup, manifest_path(backup)):
        if not needed.is_file():
            raise bad_usage("there is no such file", "a backup is two files", where=str(needed))
    now = At(wall_ms())
    _, keyring = _told(config.data_dir, lambda: key_at(config.data_dir, _credentials_dir()))
    key = "absent" if keyring is None else "found"
    address = _address(config)
    if address is not None:
        made: Any = _run(address, backup, loading.restore(address, backup, now, tell))
        return {**_document(made, backup), "path": address.shown, "key": key}
    made = _told(config.data_dir, lambda: sqlite_backup.restore(backup, config.data_dir, now))
    return {**_document(made, config.data_dir / DB_FILE), "key": key}


def send_away(config: Config, target: Path, tell: Progress) -> dict[str, Any]:
    """Write the store of SQLite into an archive and mark it as moved. Raises: CommandFailed."""
    now = At(wall_ms())
    made = _told(target, lambda: sqlite_export.export(config.data_dir, target, now, tell))
    return _summary(made, target)


def take_back(config: Config) -> str:
    """Let a moved store serve again; where it had gone. Raises: CommandFailed."""
    return _told(config.data_dir, lambda: sqlite_export.undo(config.data_dir))


def bring_in(config: Config, source: Path, tell: Progress) -> dict[str, Any]:
    """Fill the empty database that the settings name from an archive. Raises: CommandFailed."""
    if not source.is_file():
        raise bad_usage("there is no such file", where=str(source))
    address = _address(config)
    if address is None:
        words = "the settings name no database"
        raise bad_usage(words, "set store.database_url or store.database_url_file")
    contents = _told(source, lambda: _contents(source))
    if contents.engine != "sqlite":
        # What it is a copy of may serve still; as a new life nothing leaves until somebody has looked.
        words = "this is a backup, not an export: brought in, it would send again what waited"
        raise bad_usage(words, f"wunder restore {source}", where=str(source))
    key = _told(source, lambda: _compare_keys(config, contents))
    now = At(wall_ms())
    work = loading.load(address, source, now, tell, is_restore=False)
    made: Any = _run(address, source, work)
    return {**_summary(made, source), "path": address.shown, "key": key}


def schema_standing(config: Config) -> dict[str, Any]:
    """Say which schema the store has, which this program knows, and which steps are missing.

    Raises: CommandFailed.
    """
    address = _address(config)
    if address is not None:
        place, found = address.shown, _run(address, Path(), _found(address))
    else:
        path = config.data_dir / DB_FILE
        place, found = str(path), _told(path, lambda: sqlite_backup.version_of(path))
    steps = [step for step in known_steps() if step.number > found]
    return {
        "engine": "postgresql" if address is not None else "sqlite",
        "path": place,
        "schema_version": found,
        "known": known_steps()[-1].number,
        "missing": [{"number": step.number, "name": step.name} for step in steps],
    }


def migrate_store(config: Config) -> int:
    """Bring the schema to what this program knows; the version reached. Raises: CommandFailed."""
    address = _address(config)
    if address is not None:
        reached: int = _run(address, Path(), _migrated(address))
        return reached
    return _told(config.data_dir, lambda: sqlite_backup.migrate_alone(config.data_dir))


async def _found(address: Address) -> int:
    conn = await address.connect("migrating")
    try:
        return await migrations.schema_version(conn)
    finally:
        await conn.close()


async def _migrated(address: Address) -> int:
    conn = await address.connect("migrating")
    try:
        return await migrations.migrate(conn)
    finally:
        await conn.close()


def _contents(source: Path) -> Contents:
    with Archive(source) as archive:
        return archive.contents


def _compare_keys(config: Config, contents: Contents) -> str:
    """Say how the key here relates to what the archive was sealed with: same, absent or unused."""
    sealed_with = contents.facts.get("key_check")
    if sealed_with is None:
        return "unused"
    place, keyring = key_at(config.data_dir, _credentials_dir())
    if keyring is None:
        return "absent"
    if keyring.check_value().hex() != sealed_with:
        raise ConfigInvalid(
            f"The key in {place} is not the one that sealed the archive's secrets:"
            " put that key there first."
        )
    return "same"


def _address(config: Config) -> Address | None:
    try:
        return address_of(config.store_policy, _credentials_dir())
    except ConfigInvalid as error:
        raise bad_usage(error.detail) from error


def _credentials_dir() -> Path | None:
    """Where systemd keeps what the service is given, when it runs this."""
    named = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(named) if named else None


def _run(address: Address, where: Path, work: Any) -> Any:
    return _told(where, lambda: asyncio.run(_translated(address, work)))


async def _translated(address: Address, work: Any) -> Any:
    """Do what speaks to a database; what keeps it away is told with its address."""
    try:
        return await work
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, StoreUnavailable) as error:
        if getattr(error, "filename", None):
            raise  # a file of ours
        found = translate(error)
        if isinstance(found, StoreUnavailable) and not isinstance(found, StoreFull):
            raise CommandFailed(found.detail, where=address.shown, advice=_LOOK) from error
        raise found from error


def _told(where: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except Conflict as error:
        raise bad_usage(error.detail, where=_shown(where)) from error
    except WunderError as error:
        raise CommandFailed(error.detail, where=_shown(where)) from error
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        raise CommandFailed(words, where=str(error.filename or _shown(where))) from error


def _shown(where: Path) -> str:
    return "" if where == Path() else str(where)


def _document(manifest: object, path: Path) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(manifest)
    return {"path": str(path), **document}


def _summary(contents: Any, path: Path) -> dict[str, Any]:
    return {
        "path": str(path),
        "schema_version": contents.schema_version,
        "tables": {name: one.rows for name, one in contents.tables.items()},
        "rows": sum(one.rows for one in contents.tables.values()),
        "files": len(contents.shelf),
        "missing": list(contents.missing),
    }
