import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.raw_zip import Raw
from tests.unit.plugins.world import World, until
from wunder.errors import Conflict, NotFound, PackageRefused, StoreFull
from wunder.observe.clock import SystemClock
from wunder.plugins.install_lock import InstallLock

SCHEMA = Raw(
    "schemas/account.schema.json",
    json.dumps({"properties": {"app_id": {"type": "string"}}}).encode(),
)


async def test_a_package_is_installed_read_only_under_its_hash(world: World) -> None:
    release = await world.installed(SCHEMA, approve=False)
    root = world.data_dir / release.install_path
    assert release.install_path == f"channel_plugins/acme.echo/1.0.0/{release.package_sha256}"
    assert set(release.files) == {"plugin.json", "app/plugin.py", "schemas/account.schema.json"}
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o555}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o444}
    assert not release.is_approved
    assert world.host.started == []


async def test_only_entries_may_run_whatever_the_zip_says(world: World) -> None:
    entry = {"linux-amd64": "bin/linux-amd64/plugin", "darwin-arm64": "bin/darwin-arm64/plugin"}
    release = await world.installed(
        Raw("bin/linux-amd64/plugin", b"\x7fELF", attributes=0o100644 << 16),
        Raw("bin/darwin-arm64/plugin", b"\xcf\xfa"),
        Raw("bin/tool", b"#!/bin/sh\n", attributes=0o100755 << 16),
        entry=entry,
        runtime=...,
    )
    root = world.data_dir / release.install_path
    assert stat.S_IMODE((root / "bin/linux-amd64/plugin").stat().st_mode) == 0o555
    assert stat.S_IMODE((root / "bin/tool").stat().st_mode) == 0o444


async def test_with_command_what_lies_in_bin_may_run(world: World) -> None:
    release = await world.installed(Raw("bin/tool", b"#!/bin/sh\n"), permissions={"command": True})
    root = world.data_dir / release.install_path
    assert stat.S_IMODE((root / "bin/tool").stat().st_mode) == 0o555


async def test_a_script_for_any_platform_names_its_interpreter(world: World) -> None:
    script: dict[str, Any] = {"entry": {"any": "run.sh"}, "runtime": ...}
    release = await world.installed(Raw("run.sh", b"#!/usr/bin/env node\n"), **script)
    assert (world.data_dir / release.install_path / "run.sh").stat().st_mode & 0o111
    with pytest.raises(PackageRefused) as caught:
        await world.installed(Raw("run.sh", b"echo"), version="2.0.0", **script)
    assert [fault.code for fault in caught.value.faults] == ["entry_no_interpreter"]


async def test_the_same_package_again_changes_nothing(world: World) -> None:
    first = await world.installed()
    world.clock.advance(5)
    assert (await world.installed()).created_at == first.created_at
    assert world.events.names().count("plugin_installed") == 1


async def test_the_same_package_again_repairs_damaged_files(world: World) -> None:
    release = await world.installed()
    victim = world.data_dir / release.install_path / "app/plugin.py"
    victim.chmod(0o644)
    victim.write_bytes(b"evil")
    await world.installed()
    assert victim.read_bytes() != b"evil"
    assert list(world.folders.staging.iterdir()) == []


async def test_the_same_version_from_another_package_is_refused(world: World) -> None:
    release = await world.installed()
    with pytest.raises(Conflict) as caught:
        await world.installed(Raw("more", b""))
    assert caught.value.reason == "same_version_other_hash"
    assert caught.value.state["package_sha256"] == release.package_sha256
    review = await world.desk.review(world.zip(Raw("more", b"")))
    assert review.blocked_by == "same_version_other_hash"


@pytest.mark.parametrize("plugin_id", ["acme-echo", "acmeecho", "acme_ech0", "acme.ech0"])
async def test_an_id_that_looks_like_another_is_refused(world: World, plugin_id: str) -> None:
    await world.installed()
    with pytest.raises(Conflict) as caught:
        await world.installed(plugin_id=plugin_id)
    assert caught.value.reason == "confusable_id"


async def test_an_id_that_looks_like_a_builtin_is_refused(world: World) -> None:
    world.builtins = {"fancybot": "fancybot"}
    world.restart()
    with pytest.raises(Conflict) as caught:
        await world.installed(plugin_id="fancy-b0t")
    assert caught.value.reason == "confusable_id"


async def test_a_given_sha256_must_match(world: World) -> None:
    path = world.zip()
    with pytest.raises(PackageRefused) as caught:
        await world.desk.install(path, sha256="0" * 64, by="ann", source="api")
    assert caught.value.reason == "sha256_mismatch"
    good = (await world.desk.review(path)).package_sha256
    await world.desk.install(path, sha256=f" {good.upper()} ", by="ann", source="api")


@pytest.mark.parametrize(
    ("more", "changed", "reason"),
    [
        ((Raw("../x", b""),), {}, "name_traversal"),
        ((Raw("x", b"a", extra=b"\1"),), {}, "extra_bytes"),
        ((), {"version": "1"}, "manifest_invalid"),
        ((Raw("schemas/account.schema.json", b"[]"),), {}, "schema_invalid"),
        ((), {"account_lookup": {"header": "X", "config": "a"}}, "manifest_invalid"),
        ((Raw("big", b"x" * 9, 0, local_sizes=(0, 9, 9), central_sizes=(0, 9, 9)),), {}, "damaged"),
    ],
)
async def test_review_refuses_what_install_refuses_and_neither_leaves_a_trace(
    world: World, more: tuple[Raw, ...], changed: dict[str, object], reason: str
) -> None:
    path = world.zip(*more, **changed)
    for attempt in (
        world.desk.review(path),
        world.desk.install(path, sha256=None, by="ann", source="watch"),
    ):
        with pytest.raises(PackageRefused) as caught:
            await attempt
        assert caught.value.reason == reason
    assert world.files_on_disk() == set()
    assert world.table.rows == {}


async def test_a_package_without_manifest_is_refused(world: World) -> None:
    path = world.top / "p.zip"
    path.write_bytes(world.zip().read_bytes().replace(b"plugin.json", b"plugin.jsox"))
    with pytest.raises(PackageRefused) as caught:
        await world.desk.review(path)
    assert caught.value.reason == "manifest_missing"


async def test_faults_of_manifest_and_schema_come_together(world: World) -> None:
    bad = Raw("schemas/account.schema.json", b'{"properties":{"a":{"$ref":"http://x"}}}')
    with pytest.raises(PackageRefused) as caught:
        await world.desk.review(world.zip(bad, version="1"))
    assert [fault.pointer for fault in caught.value.faults] == [
        "/version",
        "/schemas/account.schema.json#/properties/a/$ref",
    ]


async def test_unsigned_packages_are_refused_where_signatures_are_enforced(world: World) -> None:
    world.signature = "enforce"
    world.restart()
    for more in ((), (Raw("META/statement.dsse.json", b"{}"),)):
        with pytest.raises(PackageRefused) as caught:
            await world.installed(*more)
        assert caught.value.reason == "signature_required"


async def test_a_statement_nobody_checked_counts_as_unsigned(world: World) -> None:
    review = await world.desk.review(world.zip(Raw("META/statement.dsse.json", b"{}")))
    assert (review.signature.verdict, review.signature.policy) == ("unsigned", "warn")
    assert "cannot check" in review.signature.detail


async def test_installs_at_the_same_moment_all_end_well(tmp_path: Path) -> None:
    world = World(tmp_path, clock=SystemClock())  # type: ignore[arg-type]  # waits for a real lock
    paths = []
    for number in range(6):
        path = world.top / f"{number}.zip"
        path.write_bytes(world.zip(version=f"1.{number % 3}.0").read_bytes())
        paths.append(path)
    desks = [world.desk, world.restart()]
    releases = await asyncio.gather(
        *(
            desks[n % 2].install(path, sha256=None, by="ann", source="api")
            for n, path in enumerate(paths)
        )
    )
    assert {release.version for release in releases} == {"1.0.0", "1.1.0", "1.2.0"}
    assert list(world.folders.staging.iterdir()) == []
    assert len(world.table.stored) == 3


async def test_an_install_waits_for_another_and_then_says_who_is_busy(world: World) -> None:
    world.folders.prepare()
    other = InstallLock(world.folders.root, world.clock, 1.0)
    async with other.held():
        waiting = asyncio.create_task(world.installed())
        await until(lambda: world.clock.sleepers)
        for _ in range(700):
            world.clock.advance(0.1)
            for _ in range(3):
                await asyncio.sleep(0)
        with pytest.raises(Conflict) as caught:
            await waiting
    assert caught.value.reason == "install_busy"


async def test_a_full_disk_leaves_nothing_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.installed()
    before = world.files_on_disk()
    real = os.fsync
    calls = 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("wunder.plugins.folders.os.fsync", full)
    with pytest.raises(StoreFull):
        await world.installed(version="2.0.0")
    assert world.files_on_disk() == before
    assert list(world.folders.staging.iterdir()) == []
    assert set(world.table.stored) == {("acme.echo", "1.0.0")}


async def test_a_missing_upload_is_no_crash(world: World) -> None:
    with pytest.raises(Exception, match="ENOENT"):
        await world.desk.review(world.top / "gone.zip")


async def test_a_serving_version_is_not_removed(world: World) -> None:
    await world.enabled()
    world.account("acme.echo")
    world.binding("*", "*")
    with pytest.raises(Conflict) as caught:
        await world.desk.remove("acme.echo", "1.0.0", "ann")
    assert caught.value.reason == "current_version"
    assert caught.value.state["bindings"] == 1


async def test_removing_the_last_version_uninstalls_and_keeps_the_plugins_data(
    world: World,
) -> None:
    await world.enabled(permissions={"filesystem": "data"})
    kept = world.folders.own_data_dir("acme.echo") / "cursor"
    kept.write_text("7")
    await world.desk.disable("acme.echo", "ann")
    assert await world.desk.remove("acme.echo", "1.0.0", "ann")
    assert world.files_on_disk() == {"acme.echo/data/cursor"}
    assert world.table.rows == {}
    with pytest.raises(NotFound):
        await world.desk.remove("acme.echo", "1.0.0", "ann")


async def test_removing_an_old_version_leaves_the_current_one(world: World) -> None:
    await world.installed()
    await world.enabled(version="1.1.0")
    assert not await world.desk.remove("acme.echo", "1.0.0", "ann")
    assert {path.split("/")[1] for path in world.files_on_disk()} == {"1.1.0"}


async def test_start_sweeps_what_no_row_knows(world: World) -> None:
    release = await world.installed()
    kept = world.files_on_disk()
    stranger = world.folders.root / "acme.echo" / "9.9.9" / ("f" * 64)
    stranger.mkdir(parents=True)
    (stranger / "x").write_text("half")
    stranger.chmod(0o555)
    (world.folders.staging / "half").mkdir()
    (world.folders.staging / "half" / "y").write_text("half")
    (world.folders.staging / "link").symlink_to(world.data_dir / release.install_path)
    await world.restart().start_all()
    assert world.files_on_disk() == kept
    assert not stranger.parent.exists()
    assert list(world.folders.staging.iterdir()) == []


@pytest.mark.parametrize("plugins_folder_exists", [True, False])
async def test_start_of_a_fresh_gateway_is_quiet(
    world: World, plugins_folder_exists: bool, tmp_path: Path
) -> None:
    if plugins_folder_exists:
        world.folders.prepare()
    await world.desk.start_all()
    assert world.events.names() == []
