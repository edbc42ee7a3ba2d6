"""Packs a plugin's folder into the zip that a host takes, the same bytes each time."""

import io
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wunder.errors import Invalid
from wunder.plugins.acceptance import accept, discard
from wunder.plugins.manifest import MANIFEST_NAME
from wunder.plugins.policy import PackageLimits, PluginPolicy
from wunder.plugins.recipe import gather, read_recipe
from wunder.plugins.vendoring import vendor
from wunder.plugins.views import Finding

#: The first moment a zip can name: what was packed when must not show in the hash.
FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)
_ON_UNIX, _MODE_SHIFT, _REGULAR = 3, 16, 0o100000


@dataclass(frozen=True, slots=True)
class PackResult:
    """A package that this host would take."""

    content: bytes
    sha256: str
    plugin_id: str
    version: str
    names: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def file_name(self) -> str:
        """What the file is called where nobody says otherwise."""
        return f"{self.plugin_id}-{self.version}.zip"


def pack(folder: Path, out_path: Path | None = None) -> PackResult:
    """Pack a plugin's folder, and open the result as a host would. Blocking.

    Args:
        folder: With plugin.json, or with a pack.toml that says where it is.
        out_path: Where the zip goes, whole or not at all; None only returns it.

    Raises:
        Invalid: The recipe is wrong.
        PackageRefused: A host would refuse it; nothing is written.
    """
    recipe = read_recipe(folder)
    return pack_files({**gather(recipe), **vendor(recipe)}, out_path)


def pack_files(files: Mapping[str, bytes], out_path: Path | None = None) -> PackResult:
    """Pack content by path in the zip; as `pack`."""
    if MANIFEST_NAME not in files:
        raise Invalid(f"there is no {MANIFEST_NAME} to pack")
    result = _as_a_host_sees(_zipped(files))
    if out_path is not None:
        partial = out_path.with_name(f".{out_path.name}.partial")
        partial.write_bytes(result.content)
        partial.replace(out_path)
    return result


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Manifest first, the rest by name; fixed times and modes: a host sets modes by its own rule."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files, key=lambda name: (name != MANIFEST_NAME, name)):
            entry = zipfile.ZipInfo(name, FIRST_MOMENT)
            entry.create_system = _ON_UNIX
            entry.external_attr = (_REGULAR | _mode(name, files[name])) << _MODE_SHIFT
            archive.writestr(entry, files[name], _method(files[name]), compresslevel=9)
    return buffer.getvalue()


def _mode(name: str, content: bytes) -> int:
    """For those who unpack by hand."""
    return 0o755 if name.startswith("bin/") or content.startswith(b"#!") else 0o644


def _method(content: bytes) -> int:
    """Deflate, unless that would look like a bomb to the host."""
    limits = PackageLimits()
    if len(content) <= limits.ratio_from_bytes:
        return zipfile.ZIP_DEFLATED
    is_bomb_like = len(content) > limits.ratio * len(zlib.compress(content, 9))
    return zipfile.ZIP_STORED if is_bomb_like else zipfile.ZIP_DEFLATED


def _as_a_host_sees(content: bytes) -> PackResult:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "package.zip"
        path.write_bytes(content)
        policy = PluginPolicy(Path(scratch), signature="off")
        accepted = accept(path, None, policy, Path(scratch))
        with accepted.package as package:
            package.unpack(discard)
            return PackResult(
                content=content,
                sha256=package.sha256,
                plugin_id=accepted.manifest.plugin_id,
                version=accepted.manifest.version,
                names=package.names,
                findings=accepted.findings,
            )
