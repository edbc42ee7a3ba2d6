"""Where plugins lie on disk: read-only, content-addressed, written aside and renamed into place."""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from wunder.plugins.package import Package, disk_trouble
from wunder.plugins.verify import differences

ROOT_NAME, STAGING_NAME = "channel_plugins", ".staging"
WORK_NAME, DATA_NAME = "work", "data"
#: Files of a release are the same for everybody and change for nobody.
FILE_MODE, EXECUTABLE_MODE, FOLDER_MODE = 0o444, 0o555, 0o555
PRIVATE_MODE = 0o700

#: Called with the name of each step of placing; tests kill the process there.
OnStep = Callable[[str], None]


def _no_step(step: str) -> None:
    """Nobody watches."""


class PluginFolders:
    """`<data>/channel_plugins/<plugin_id>/<version>/<sha256>/`, and `work` and `data` beside.

    All methods block: they belong in a thread. Placing, removing and sweeping expect the install
    lock to be held.
    """

    def __init__(self, data_dir: Path, on_step: OnStep = _no_step) -> None:
        self._data_dir = data_dir.absolute()
        self._on_step = on_step
        self.root = self._data_dir / ROOT_NAME
        self.staging = self.root / STAGING_NAME

    def prepare(self) -> None:
        """Make the root, with room for staging."""
        self.staging.mkdir(parents=True, exist_ok=True, mode=PRIVATE_MODE)

    def install_path(self, plugin_id: str, version: str, sha256: str) -> str:
        """Return where a package goes, relative to the data dir: the full hash (security rule 13)."""
        return f"{ROOT_NAME}/{plugin_id}/{version}/{sha256}"

    def release_dir(self, install_path: str) -> Path:
        """Return the absolute folder of a release."""
        return self._data_dir / install_path

    def work_dir(self, plugin_id: str) -> Path:
        """Return the process's working directory, made when missing."""
        return self._private(self.root / plugin_id / WORK_NAME)

    def own_data_dir(self, plugin_id: str) -> Path:
        """Return the plugin's own data directory, made when missing."""
        return self._private(self.root / plugin_id / DATA_NAME)

    def place(
        self, package: Package, install_path: str, runnable: Collection[str]
    ) -> dict[str, str]:
        """Unpack a package aside, make it durable, rename it into place; path -> sha256 of each file.

        What is in place already and whole is kept, what is damaged is replaced.

        Raises: PackageRefused, StoreFull, StoreUnavailable; nothing is left in place then.
        """
        staged = self.staging / secrets.token_hex(16)
        try:
            staged.mkdir(mode=PRIVATE_MODE)
            self._on_step("staging")
            files = self._unpack(package, staged, runnable)
            self._on_step("unpacked")
            self._settle(staged, self.release_dir(install_path), files)
        except OSError as error:
            raise disk_trouble(error) from error
        finally:
            _remove_tree(staged)
        return files

    def remove(self, install_path: str) -> None:
        """Take a release out of its place at once, then delete it."""
        target = self.release_dir(install_path)
        self._set_aside(target)
        for folder in (target.parent, target.parent.parent):
            with contextlib.suppress(OSError):  # another version, or the plugin's data, is in it
                folder.rmdir()

    def forget_work(self, plugin_id: str) -> None:
        """Delete a plugin's working directory; its own data stays until a person deletes it."""
        _remove_tree(self.root / plugin_id / WORK_NAME)
        with contextlib.suppress(OSError):
            (self.root / plugin_id).rmdir()

    def sweep_staging(self) -> None:
        """Delete what a crash left half done; nobody may be installing."""
        with contextlib.suppress(FileNotFoundError):
            for leftover in list(self.staging.iterdir()):
                _remove_tree(leftover)
                if leftover.is_symlink() or leftover.is_file():
                    leftover.unlink()

    def sweep(self, known: Collection[str]) -> list[str]:
        """Delete releases that no row knows; their paths."""
        strangers = [
            path
            for plugin in _children(self.root)
            for version in _children(plugin)
            if plugin.name != STAGING_NAME and version.name not in (WORK_NAME, DATA_NAME)
            for release in _children(version)
            if (path := release.relative_to(self._data_dir).as_posix()) not in known
        ]
        for path in strangers:
            self.remove(path)
        return strangers

    def _private(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_MODE)
        return folder

    def _unpack(self, package: Package, staged: Path, runnable: Collection[str]) -> dict[str, str]:
        def write(name: str, chunks: Iterator[bytes]) -> None:
            path = staged / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_MODE)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(path, flags, 0o600), "wb") as file:  # by descriptor
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fchmod(file.fileno(), EXECUTABLE_MODE if name in runnable else FILE_MODE)
                os.fsync(file.fileno())
            self._on_step(f"file {name}")

        return package.unpack(write)

    def _settle(self, staged: Path, target: Path, files: dict[str, str]) -> None:
        """Make `staged` durable, then the release: a reader sees all of it or nothing."""
        for folder in _folders_below(staged):
            folder.chmod(FOLDER_MODE)
            _sync(folder)
        _sync(staged)
        self._on_step("synced")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        if target.exists():
            if not differences(target, files):
                return
            self._set_aside(target)
        staged.rename(target)
        self._on_step("renamed")
        # Its own mode last: a read-only folder cannot be given another parent.
        target.chmod(FOLDER_MODE)
        for folder in (target, target.parent, target.parent.parent, self.root):
            _sync(folder)
        self._on_step("placed")

    def _set_aside(self, target: Path) -> None:
        if not target.exists():
            return
        aside = self.staging / secrets.token_hex(16)
        self.staging.mkdir(parents=True, exist_ok=True, mode=PRIVATE_MODE)
        target.chmod(PRIVATE_MODE)
        target.rename(aside)
        _sync(target.parent)
        self._on_step("set aside")
        _remove_tree(aside)


def _children(folder: Path) -> list[Path]:
    """The real folders in a folder, sorted; links are not followed."""
    try:
        with os.scandir(folder) as found:
            return sorted(Path(one.path) for one in found if one.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _folders_below(folder: Path) -> list[Path]:
    """Every folder below, the deepest first."""
    return [Path(top) for top, _, _ in os.walk(folder, topdown=False) if Path(top) != folder]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_tree(folder: Path) -> None:
    """Delete a folder, read-only ones in it too; what is gone already is fine."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for top, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(top).chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
