"""What a person names as a plugin: a folder that is packed, a zip, or a built-in that is bundled."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from wunder.cli.failure import CommandFailed, bad_usage
from wunder.errors import Invalid, NotFound, PackageRefused, WunderError
from wunder.plugins.bundle import bundle_builtin
from wunder.plugins.pack import PackResult, pack

BUILTIN = "builtin:"
CHANNELS = "wunder_channels"


class PackageFile(NamedTuple):
    """A package on disk, for as long as the block runs that opened it."""

    path: Path
    sha256: str


@contextmanager
def opened_package(source: str) -> Iterator[PackageFile]:
    """Make or find the package that `source` names: a folder, a zip, or `builtin:<id>`.

    Raises: CommandFailed, with every fault of a package that no gateway would take.
    """
    if not source.startswith(BUILTIN) and not Path(source).is_dir():
        yield _existing(Path(source))
        return
    with tempfile.TemporaryDirectory(prefix="wunder-package-") as folder:
        target = Path(folder) / "package.zip"
        made = packed(source, target)
        named = target.rename(target.with_name(made.file_name))
        yield PackageFile(named, made.sha256)


def packed(source: str, target: Path) -> PackResult:
    """Pack a folder or bundle a built-in into `target`. Raises: CommandFailed."""
    try:
        if source.startswith(BUILTIN):
            return bundle_builtin(source.removeprefix(BUILTIN), _channels_dir(), target)
        return pack(Path(source), target)
    except WunderError as error:
        raise refused_package(error, source) from error
    except OSError as error:
        raise bad_usage(f"it cannot be packed: {error.strerror}", where=source) from error


def refused_package(error: WunderError, where: str) -> CommandFailed:
    """Return a refusal as a failure of the command, each fault with its place."""
    faults = error.faults if isinstance(error, Invalid) else ()
    reason = error.reason if isinstance(error, PackageRefused) else error.code
    return CommandFailed(
        error.detail,
        where=where,
        advice=[f"{fault.pointer or '/'}: {fault.message} ({fault.code})" for fault in faults],
        document={
            "code": reason,
            "errors": [
                {"pointer": fault.pointer, "code": fault.code, "message": fault.message}
                for fault in faults
            ],
        },
    )


def _channels_dir() -> Path:
    """Return where the built-in channels lie: a folder of folders, imported by nobody."""
    found = find_spec(CHANNELS)
    places = list(found.submodule_search_locations or ()) if found is not None else []
    if not places:
        raise NotFound("this gateway comes without built-in channels")
    return Path(places[0])


def _existing(path: Path) -> PackageFile:
    try:
        with path.open("rb") as file:
            return PackageFile(path, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        words = (error.strerror or "it cannot be read").lower()
        advice = "name a plugin's folder, a zip, or builtin:<id>"
        raise bad_usage(f"this is no package: {words}", advice, where=str(path)) from error
