"""Compares an installed release with what was recorded when it was installed (security rule 13)."""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CHUNK_BYTES = 1_048_576
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """One file or folder of a release that is not as it was installed."""

    kind: Literal["missing", "extra", "changed", "unreadable"]
    path: str


def differences(root: Path, files: Mapping[str, str]) -> list[Difference]:
    """Hash every file of a release against its record; empty when all is as installed. Blocking.

    Args:
        root: The installed package. Links in it are not followed: they are differences.
        files: path -> sha256 hex, from the store, never from the disk.
    """
    folders = {
        "/".join(parts[:depth]) for parts in map(_split, files) for depth in range(1, len(parts))
    }
    found: list[Difference] = []
    seen: set[str] = set()
    if not root.is_dir() or root.is_symlink():
        return [Difference("missing", ".")]
    for top, names, others in os.walk(root, followlinks=False, onerror=None):
        place = Path(top)
        for name in sorted([*names, *others]):
            path = (place / name).relative_to(root).as_posix()
            mode = (place / name).lstat().st_mode
            if stat.S_ISDIR(mode):
                if path not in folders:
                    found.append(Difference("extra", path))
            elif path not in files:
                found.append(Difference("extra", path))
            else:
                seen.add(path)
                found += _compare(place / name, path, mode, files[path])
    found += [Difference("missing", path) for path in files if path not in seen]
    return sorted(found, key=lambda one: one.path)


def in_words(found: list[Difference]) -> str:
    """Say what differs, in one line; a long list is cut."""
    named = ", ".join(f"{one.path} ({one.kind})" for one in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        f"installed files are not as they were installed: {named}{more}; "
        "remove this version and install the package again"
    )


def _split(path: str) -> list[str]:
    return path.split("/")


def _compare(file: Path, path: str, mode: int, expected: str) -> list[Difference]:
    if not stat.S_ISREG(mode) or mode & (stat.S_ISUID | stat.S_ISGID):
        return [Difference("changed", path)]
    try:
        digest = _sha256(file)
    except OSError:
        return [Difference("unreadable", path)]
    return [] if digest == expected else [Difference("changed", path)]


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as content:  # by descriptor: no link is followed
        while chunk := content.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
