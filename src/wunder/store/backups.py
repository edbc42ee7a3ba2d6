"""What a backup says of itself in a file beside it, and how that is checked: the same on both engines."""

import hashlib
import os
from pathlib import Path
from typing import Literal

import msgspec

from wunder.errors import StoreBroken
from wunder.model.ids import At
from wunder.store.schema import migrations

_CHUNK_BYTES = 1_048_576


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself, in a JSON file beside it.

    `files_sha256` is of the file with packages and attachments that lies beside a copy of SQLite, ""
    where there is none; `missing` names bytes that rows speak of and that were not there.
    """

    at: At
    incarnation: str
    epoch: int
    schema_version: int
    size_bytes: int
    sha256: str
    engine: Literal["sqlite", "postgresql"] = "sqlite"
    files_sha256: str = ""
    files_bytes: int = 0
    files: int = 0
    missing: tuple[str, ...] = ()


def manifest_path(backup: Path) -> Path:
    """Where the manifest of a backup lies."""
    return backup.with_name(backup.name + ".json")


def files_path(backup: Path) -> Path:
    """Where packages and attachments of a copy of SQLite lie."""
    return backup.with_name(backup.name + ".files.tar")


def write_manifest(backup: Path, manifest: Manifest) -> None:
    """Put the manifest beside its backup."""
    manifest_path(backup).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))


def verified(backup: Path, engine: str) -> Manifest:
    """Read a backup's manifest and hold the backup to it.

    Raises: StoreBroken: it was changed, is of the other engine, or is newer than this program.
    """
    try:
        manifest = msgspec.json.decode(manifest_path(backup).read_bytes(), type=Manifest)
        found = sha256_of(backup)
        files = sha256_of(files_path(backup)) if manifest.files_sha256 else ""
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreBroken(f"{backup} or what belongs to it cannot be read: {error}.") from error
    if found != manifest.sha256 or files != manifest.files_sha256:
        raise StoreBroken(f"{backup} does not have the hash that its manifest names.")
    if manifest.engine != engine:
        raise StoreBroken(
            f"This is a backup of {manifest.engine}, and the settings name {engine}:"
            " correct store.database_url, or use `wunder export` and `wunder import` to move."
        )
    known = migrations()[-1].number
    if manifest.schema_version > known:
        raise StoreBroken(
            f"The backup has schema {manifest.schema_version} and this program knows {known}:"
            " restore it with the newer program."
        )
    return manifest


def sha256_of(path: Path) -> str:
    """Hash a file. Raises: OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Make a file or folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
