"""Copies of the store: made beside a running gateway, put back where there is none."""

from pathlib import Path
from typing import Any

import msgspec

from wunder.cli.failure import CommandFailed, bad_usage
from wunder.errors import Conflict, WunderError
from wunder.model.ids import At
from wunder.observe.clock import wall_ms
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.backup import DB_FILE, manifest_path, restore, write_backup


def copy_store(data_dir: Path, target: Path) -> dict[str, Any]:
    """Write a consistent copy of the store, a gateway running on it or not; return its manifest.

    The copy is made by a reader of the database: it neither stops nor asks the gateway.

    Raises: CommandFailed.
    """
    store = data_dir / DB_FILE
    if not store.is_file():
        raise bad_usage("there is no store to copy", "name its data directory", where=str(data_dir))
    try:
        manifest = write_backup(store, target, At(wall_ms()), StorePolicy())
    except Conflict as error:
        raise bad_usage(error.detail, where=str(target)) from error
    except (WunderError, OSError) as error:
        raise CommandFailed(_words(error), where=str(target)) from error
    return _document(manifest, target)


def put_back(backup: Path, data_dir: Path) -> dict[str, Any]:
    """Put a copy in the place of a missing store; return its manifest. Raises: CommandFailed."""
    for needed in (backup, manifest_path(backup)):
        if not needed.is_file():
            raise bad_usage("there is no such file", "a backup is two files", where=str(needed))
    try:
        manifest = restore(backup, data_dir, At(wall_ms()))
    except (WunderError, OSError) as error:
        raise CommandFailed(_words(error), where=str(data_dir)) from error
    return _document(manifest, data_dir / DB_FILE)


def _document(manifest: object, path: Path) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(manifest)
    return {"path": str(path), **document}


def _words(error: Exception) -> str:
    return error.detail if isinstance(error, WunderError) else str(error)
