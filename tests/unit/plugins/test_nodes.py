"""Several desks over one table, as nodes of one database: each runs what the table says is current."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes.plugin_host import FakePluginHost
from tests.unit.plugins.world import DictPluginTable, NodeNotes, World, until
from wunder.errors import Conflict, StoreUnavailable
from wunder.model.ids import PluginId
from wunder.model.plugin import PluginStatus
from wunder.model.runtime import RuntimeState
from wunder.plugins.release import HostPlatform

ID = PluginId("acme.echo")
ELSEWHERE = HostPlatform("linux-arm64", (3, 9, 1))


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[World, World]:
    """Two nodes: a table, a shelf and notes in common; disks and processes of their own."""
    first = World(_place(tmp_path, "one"), on_nodes=NodeNotes("one"))
    return first, joined(first, tmp_path, "two")


def joined(first: World, top: Path, name: str, **given: Any) -> World:
    return World(
        _place(top, name),
        clock=first.clock,
        table=first.table,
        shelf=first.shelf,
        on_nodes=NodeNotes(name, first.on_nodes.rows),
        **given,
    )


def _place(top: Path, name: str) -> Path:
    (top / name).mkdir()
    return top / name


def says_ready(world: World) -> None:
    """What the runtime notes of a process that became ready."""
    report = world.host.report(ID)
    assert report is not None
    world.on_nodes.say(ID, report.version, RuntimeState.READY.value)


async def test_another_node_fetches_verifies_and_runs_what_was_enabled(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    release = await first.enabled()
    await second.desk.follow()
    (spec,) = second.host.started
    assert (spec.version, spec.package_sha256) == ("1.0.0", release.package_sha256)
    assert second.files_on_disk() == first.files_on_disk()
    assert spec.root_dir == str(second.data_dir / release.install_path)
    assert second.host.preflighted == [], "it was tried out where it was enabled"


async def test_following_again_changes_nothing(nodes: tuple[World, World]) -> None:
    first, second = nodes
    await first.enabled()
    for _ in range(3):
        await second.desk.follow()
    assert len(second.host.started) == 1


async def test_what_is_installed_and_not_approved_is_only_staged(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.installed(approve=False)
    await second.desk.follow()
    assert second.files_on_disk() == first.files_on_disk()
    assert second.host.started == []
    assert second.row().status is PluginStatus.DISABLED


async def test_an_approval_is_asked_for_on_each_node(nodes: tuple[World, World]) -> None:
    first, second = nodes
    await first.enabled()
    forged = first.table.stored[ID, "1.0.0"]
    first.table.stored[ID, "1.0.0"] = msgspec.structs.replace(forged, approval=None)
    await second.desk.follow()
    assert second.host.started == []
    assert second.on_nodes.rows["two", ID].last_error_code == "not_approved"


async def test_disabling_on_one_node_takes_traffic_first_then_stops_the_others(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.enabled()
    await second.desk.follow()
    told = second.refreshed
    await first.desk.disable(ID, "ann")
    await second.desk.follow()
    assert second.host.stopped == [ID]
    assert second.refreshed > told


async def test_switching_versions_reaches_the_others(nodes: tuple[World, World]) -> None:
    first, second = nodes
    await first.enabled()
    await second.desk.follow()
    await first.enabled(version="1.1.0")
    await second.desk.follow()
    await second.desk.enable(ID, version="1.0.0", confirm=None, by="bob")
    await first.desk.follow()
    assert [spec.version for spec in first.host.started] == ["1.0.0", "1.1.0", "1.0.0"]
    assert [spec.version for spec in second.host.started] == ["1.0.0", "1.1.0", "1.0.0"]


async def test_back_to_the_builtin_reaches_the_others(nodes: tuple[World, World]) -> None:
    first, second = nodes
    first.builtins[ID] = "fancybot"
    await first.enabled()
    await second.desk.follow()
    await first.desk.set_source(ID, "builtin", "ann")
    await second.desk.follow()
    assert second.host.stopped == [ID]
    await first.desk.set_source(ID, "plugin", "ann")
    await second.desk.follow()
    assert len(second.host.started) == 2


async def test_a_removed_version_leaves_the_others_disks(nodes: tuple[World, World]) -> None:
    first, second = nodes
    await first.enabled()
    await second.desk.follow()
    await first.desk.disable(ID, "ann")
    assert await first.desk.remove(ID, "1.0.0", "ann")
    await second.desk.follow()
    assert second.files_on_disk() == set()
    assert first.shelf.kept == {}
    assert second.host.stopped == [ID]


async def test_an_uninstalled_plugin_that_comes_back_is_another_switch(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.enabled()
    await second.desk.follow()
    await first.desk.disable(ID, "ann")
    await first.desk.remove(ID, "1.0.0", "ann")
    await second.desk.follow()
    first.clock.advance(1)
    await first.enabled()
    await second.desk.follow()
    assert len(second.host.started) == 2


# --- a node that cannot -----------------------------------------------------------------------------


async def test_a_platform_that_does_not_fit_is_shown_and_the_others_carry_on(
    nodes: tuple[World, World], tmp_path: Path
) -> None:
    first, _ = nodes
    odd = joined(first, tmp_path, "odd", here=ELSEWHERE)
    await first.enabled()
    says_ready(first)
    await odd.desk.follow()
    assert odd.host.started == []
    assert first.row().status is PluginStatus.ENABLED
    for view in (await first.desk.view(ID), (await odd.desk.views())[0]):
        told = {one.node_id: one.last_error_code for one in view.nodes}
        assert told == {"one": "", "odd": "runtime_mismatch"}
        assert view.status is PluginStatus.ENABLED
    assert odd.events.names() == ["plugin_start_failed"]


async def test_where_no_node_runs_it_the_plugin_itself_is_in_error(
    nodes: tuple[World, World], tmp_path: Path
) -> None:
    first, _ = nodes
    odd = joined(first, tmp_path, "odd", here=ELSEWHERE)
    await first.enabled()
    says_ready(first)
    first.on_nodes.rows["one", ID] = msgspec.structs.replace(
        first.on_nodes.rows["one", ID], is_alive=False
    )
    await odd.desk.follow()
    assert first.row().last_error_code == "runtime_mismatch"
    back = joined(first, tmp_path, "back")
    await back.desk.start_all()
    assert (back.row().status, back.row().last_error_code) == (PluginStatus.ENABLED, "")


async def test_a_node_that_may_not_run_the_new_version_does_not_go_on_with_the_old(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.enabled()
    await second.desk.follow()
    release = await first.enabled(version="1.1.0")
    says_ready(first)
    await second.desk._installer.stager.ensure(release)
    victim = second.data_dir / release.install_path / "app/plugin.py"
    victim.chmod(0o644)
    victim.write_bytes(b"evil")
    await second.desk.follow()
    assert [spec.version for spec in second.host.started] == ["1.0.0"]
    assert second.host.stopped == [ID]
    assert second.on_nodes.rows["two", ID].last_error_code == "files_changed"


async def test_a_failure_of_one_node_is_over_once_the_plugin_runs_there(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    await first.enabled()
    says_ready(first)
    kept = dict(first.shelf.kept)
    first.shelf.kept.clear()
    await second.desk.follow()
    assert second.on_nodes.rows["two", ID].last_error_code == "package_missing"
    first.shelf.kept.update(kept)
    await second.desk.follow()
    assert second.on_nodes.rows["two", ID].last_error_code == ""
    assert len(second.host.started) == 1


# --- what comes from the shelf ------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["cut", "other", "noise"])
async def test_a_package_that_is_not_the_one_of_the_table_is_refused(
    nodes: tuple[World, World], harm: str
) -> None:
    first, second = nodes
    release = await first.enabled()
    says_ready(first)
    key = ("package", release.package_sha256)
    whole = first.shelf.kept[key]
    bad = {"cut": whole[:-7], "other": first.zip(version="9.9.9").read_bytes(), "noise": b"x" * 99}
    first.shelf.kept[key] = bad[harm]
    await second.desk.follow()
    assert second.host.started == []
    assert second.files_on_disk() == set(), "nothing of it was kept"
    assert second.on_nodes.rows["two", ID].last_error_code == "package_damaged"


async def test_a_package_whose_files_are_not_those_of_the_table_is_refused(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    release = await first.enabled()
    wrong = msgspec.structs.replace(release, files={**release.files, "app/more.py": "0" * 64})
    with pytest.raises(Conflict) as caught:
        await second.desk._installer.stager.ensure(wrong)
    assert caught.value.reason == "package_damaged"
    assert second.files_on_disk() == set()


async def test_the_signature_policy_of_each_node_holds(
    nodes: tuple[World, World], tmp_path: Path
) -> None:
    first, _ = nodes
    strict = joined(first, tmp_path, "strict", signature="enforce")
    await first.enabled()
    says_ready(first)
    await strict.desk.follow()
    assert strict.host.started == []
    assert strict.on_nodes.rows["strict", ID].last_error_code == "signature_required"


async def test_a_release_that_was_deleted_by_hand_is_fetched_again(world: World) -> None:
    release = await world.enabled()
    world.folders.remove(release.install_path)
    world.host.started.clear()
    await world.restart().start_all()
    assert [spec.plugin_id for spec in world.host.started] == [ID]
    assert world.row().status is PluginStatus.ENABLED


async def test_a_package_that_no_row_names_leaves_the_shelf_after_an_hour(world: World) -> None:
    await world.installed()
    asked: list[int] = []
    shelf_names = world.shelf.names

    async def names(kind: str, before: Any) -> list[str]:
        asked.append(before)
        return await shelf_names(kind, before)

    world.shelf.names = names  # type: ignore[method-assign]
    world.shelf.kept["package", "f" * 64] = b"of an install that was killed"
    await world.restart().start_all()
    assert list(world.shelf.kept) == [("package", world.table.stored[ID, "1.0.0"].package_sha256)]
    assert asked == [world.clock.now() - 3_600_000]


async def test_the_desk_follows_by_itself_when_it_hears_of_a_change(
    nodes: tuple[World, World],
) -> None:
    first, second = nodes
    running = asyncio.create_task(second.desk.run())
    await first.enabled()
    second.desk.heard()
    await until(lambda: second.host.started)
    running.cancel()
    await asyncio.wait([running])


async def test_a_table_that_cannot_be_read_is_asked_again(nodes: tuple[World, World]) -> None:
    first, second = nodes
    await first.enabled()
    calls = 0

    class Away(DictPluginTable):
        async def plugins(self) -> Any:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise StoreUnavailable
            return await first.table.plugins()

        async def releases(self, plugin_id: Any = None) -> Any:
            return await first.table.releases(plugin_id)

    second.table = Away()
    desk = second.restart()
    running = asyncio.create_task(desk.run())
    desk.heard()
    await until(lambda: calls)

    def has_started() -> bool:
        second.clock.advance(2)
        return bool(second.host.started)

    await until(has_started)
    running.cancel()
    await asyncio.wait([running])


async def test_a_store_that_is_away_at_the_start_ends_nothing_and_is_asked_again(
    world: World,
) -> None:
    """It once ended the whole gateway: the server restarted while a node came up."""
    await world.enabled()
    world.host = FakePluginHost()  # of a process that has just begun

    class Away(DictPluginTable):
        is_away = True

        async def plugins(self) -> Any:
            if self.is_away:
                raise StoreUnavailable
            return await DictPluginTable.plugins(self)

    away = Away()
    away.rows, away.stored = world.table.rows, world.table.stored
    world.table = away
    desk = world.restart()
    await desk.start_all()
    assert world.host.started == []
    running = asyncio.create_task(desk.run())
    await asyncio.sleep(0)
    away.is_away = False

    def has_started() -> bool:
        world.clock.advance(2)
        return bool(world.host.started)

    await until(has_started)
    running.cancel()
    await asyncio.wait([running])
