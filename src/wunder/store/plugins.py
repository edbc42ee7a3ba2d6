"""`channel_plugins` and `channel_plugin_versions`: what is installed, approved and current."""

import hashlib
from typing import Any

from wunder.errors import Conflict, NotFound
from wunder.model.ids import PluginId
from wunder.model.plugin import Approval, PluginRow, PluginStatus, Release
from wunder.store.clean import from_json, to_json
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works

_PLUGIN_COLUMNS = """plugin_id, name, current_version, status, source, last_error, last_error_code,
  created_at, updated_at, epoch, is_user_visible"""
_PLUGINS = f"SELECT {_PLUGIN_COLUMNS} FROM channel_plugins ORDER BY plugin_id"  # noqa: S608 - constant
_PUT_PLUGIN = f"""
INSERT INTO channel_plugins ({_PLUGIN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (plugin_id) DO UPDATE SET name = excluded.name, current_version = excluded.current_version,
  status = excluded.status, source = excluded.source, last_error = excluded.last_error,
  last_error_code = excluded.last_error_code, updated_at = excluded.updated_at, epoch = excluded.epoch,
  is_user_visible = excluded.is_user_visible
"""  # noqa: S608 - constant
#: Row N2a keeps manifest and path of the current version with the plugin.
_COPY_CURRENT = """
UPDATE channel_plugins SET
  manifest = coalesce((SELECT v.manifest FROM channel_plugin_versions v
    WHERE v.plugin_id = channel_plugins.plugin_id AND v.version = current_version), '{}'),
  install_path = coalesce((SELECT v.install_path FROM channel_plugin_versions v
    WHERE v.plugin_id = channel_plugins.plugin_id AND v.version = current_version), '')
WHERE plugin_id = ?
"""
_RELEASE_COLUMNS = """plugin_id, version, package_sha256, manifest, install_path, files, size_bytes,
  permission_digest, created_at, install_source, installed_by, signature, approved_sha256,
  approved_permissions, approved_by, approved_at"""
#: A plugin and its releases: what is read of one decides about the other, and either may not be there yet.
_ALONE = "plugins"
_EPOCH = "SELECT epoch FROM channel_plugins WHERE plugin_id = ?"
_RELEASES = f"""
SELECT {_RELEASE_COLUMNS} FROM channel_plugin_versions WHERE CAST(?1 AS TEXT) IS NULL OR plugin_id = ?1
ORDER BY plugin_id, created_at DESC, version DESC
"""  # noqa: S608 - constant
_INSERT_RELEASE = f"""
INSERT INTO channel_plugin_versions ({_RELEASE_COLUMNS}, files_digest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - constant
_APPROVE = """
UPDATE channel_plugin_versions SET approved_sha256 = ?, approved_permissions = ?, approved_by = ?,
  approved_at = ? WHERE plugin_id = ? AND version = ?
"""


class SqlPluginTable:
    """Port PluginTable."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def plugins(self) -> list[PluginRow]:
        """Every plugin, by id."""
        return [_plugin(row) for row in await self._reader.rows(_PLUGINS)]

    async def releases(self, plugin_id: PluginId | None = None) -> list[Release]:
        """Every release, of one plugin or of all, newest first."""
        return [_release(row) for row in await self._reader.rows(_RELEASES, plugin_id)]

    async def add_release(self, release: Release, name: str) -> None:
        """Add a release, and the plugin's row with its first one.

        Raises: Conflict `same_version_other_hash`; the same package again is a no-op.
        """
        await self._writer.work(lambda tx: _add_release(tx, release, name))

    async def put_plugin(self, row: PluginRow, expected_epoch: int | None = None) -> None:
        """Store a plugin's row. Raises: Conflict `changed_meanwhile` when it is not at `expected_epoch`."""
        await self._writer.work(lambda tx: _put_plugin(tx, row, expected_epoch))

    async def approve(self, plugin_id: PluginId, version: str, approval: Approval) -> None:
        """Record an approval. Raises: NotFound."""

        async def unit(tx: Transaction) -> None:
            given = (
                approval.package_sha256,
                approval.permission_digest,
                approval.by,
                approval.at,
            )
            if not (await tx.run(_APPROVE, (*given, plugin_id, version))).rowcount:
                raise NotFound("No such release; list the plugin's versions.")
            tx.tell("plugins")

        await self._writer.work(unit)

    async def remove_release(self, plugin_id: PluginId, version: str) -> bool:
        """Forget a release; True when it was the last and the plugin went with it. Raises: NotFound."""
        return await self._writer.work(lambda tx: _remove_release(tx, plugin_id, version))


def _plugin(row: tuple[Any, ...]) -> PluginRow:
    values = list(row)
    values[3], values[10] = PluginStatus(row[3]), bool(row[10])
    return PluginRow(*values)


def _release(row: tuple[Any, ...]) -> Release:
    approval = Approval(row[12], row[13], row[14], row[15]) if row[15] is not None else None
    values = [*row[:12], approval]
    values[3], values[5] = from_json(row[3]), from_json(row[5])
    return Release(*values)


async def _add_release(tx: Transaction, release: Release, name: str) -> None:
    await tx.alone(_ALONE)
    key = (release.plugin_id, release.version)
    found = await tx.first(
        "SELECT package_sha256 FROM channel_plugin_versions WHERE plugin_id = ? AND version = ?",
        key,
    )
    if found is not None:
        if found[0] == release.package_sha256:
            return
        raise Conflict(
            f"Version {release.version} is installed from another package; give this one a new version.",
            reason="same_version_other_hash",
            state={"version": release.version, "package_sha256": found[0]},
        )
    approval = release.approval
    files = to_json(dict(sorted(release.files.items())))
    await tx.run(
        _INSERT_RELEASE,
        (
            *key,
            release.package_sha256,
            to_json(release.manifest),
            release.install_path,
            files,
            release.size_bytes,
            release.permission_digest,
            release.created_at,
            release.install_source,
            release.installed_by,
            release.signature,
            approval.package_sha256 if approval else "",
            approval.permission_digest if approval else "",
            approval.by if approval else "",
            approval.at if approval else None,
            hashlib.sha256(files.encode()).hexdigest(),
        ),
    )
    row = PluginRow(
        plugin_id=release.plugin_id,
        name=name,
        current_version="",
        status=PluginStatus.DISABLED,
        source="plugin",
        last_error="",
        last_error_code="",
        created_at=release.created_at,
        updated_at=release.created_at,
    )
    if (
        await tx.first("SELECT 1 FROM channel_plugins WHERE plugin_id = ?", (release.plugin_id,))
        is None
    ):
        await _put_plugin(tx, row, None)


async def _put_plugin(tx: Transaction, row: PluginRow, expected_epoch: int | None) -> None:
    await tx.alone(_ALONE)
    found = await tx.first(_EPOCH, (row.plugin_id,))
    epoch = found[0] if found is not None else 0
    if expected_epoch is not None and epoch != expected_epoch:
        words = "The plugin was switched meanwhile; look at its state and try again."
        raise Conflict(words, reason="changed_meanwhile", state={"epoch": epoch})
    values = (
        row.plugin_id,
        row.name,
        row.current_version,
        row.status.value,
        row.source,
        row.last_error,
        row.last_error_code,
        row.created_at,
        row.updated_at,
        row.epoch,
        int(row.is_user_visible),
    )
    await tx.run(_PUT_PLUGIN, values)
    await tx.run(_COPY_CURRENT, (row.plugin_id,))
    tx.tell("plugins")


async def _remove_release(tx: Transaction, plugin_id: PluginId, version: str) -> bool:
    await tx.alone(_ALONE)
    gone = await tx.run(
        "DELETE FROM channel_plugin_versions WHERE plugin_id = ? AND version = ?",
        (plugin_id, version),
    )
    if not gone.rowcount:
        raise NotFound("No such release; list the plugin's versions.")
    tx.tell("plugins")
    left = await tx.first(
        "SELECT 1 FROM channel_plugin_versions WHERE plugin_id = ? LIMIT 1", (plugin_id,)
    )
    if left is not None:
        return False
    await tx.run("DELETE FROM channel_plugins WHERE plugin_id = ?", (plugin_id,))
    await tx.run("DELETE FROM channel_plugin_runtime WHERE plugin_id = ?", (plugin_id,))
    return True
