"""What every PluginTable promises: immutable releases, approvals, switches that do not cross."""

import msgspec
import pytest

from tests.contracts.store_world import World
from wunder.errors import Conflict, NotFound
from wunder.model.ids import At, PluginId
from wunder.model.plugin import Approval, PluginRow, PluginStatus, Release

ID = PluginId("demo")


def release(version: str = "1.0.0", sha256: str = "a" * 64, at: int = 5) -> Release:
    return Release(
        plugin_id=ID,
        version=version,
        package_sha256=sha256,
        manifest={"plugin_id": "demo", "name": {"zh": "演示"}},
        install_path=f"channel_plugins/demo/{sha256}",
        files={"plugin.json": "b" * 64, "a/b.py": "c" * 64},
        size_bytes=1234,
        permission_digest="d" * 64,
        created_at=At(at),
        installed_by="ann",
        signature="sig",
    )


def row(**given) -> PluginRow:
    template = PluginRow(
        plugin_id=ID,
        name="Demo",
        current_version="1.0.0",
        status=PluginStatus.ENABLED,
        source="plugin",
        last_error="",
        last_error_code="",
        created_at=At(5),
        updated_at=At(9),
        epoch=1,
        is_user_visible=True,
    )
    return msgspec.structs.replace(template, **given)


async def test_a_release_comes_back_as_it_was_stored(world: World) -> None:
    await world.store.plugins.add_release(release(), "Demo")
    assert await world.store.plugins.releases(ID) == [release()]
    assert await world.store.plugins.releases() == [release()]
    assert await world.store.plugins.releases(PluginId("other")) == []


async def test_the_first_release_brings_a_disabled_plugin(world: World) -> None:
    await world.store.plugins.add_release(release(), "Demo")
    (plugin,) = await world.store.plugins.plugins()
    assert (plugin.plugin_id, plugin.name, plugin.current_version) == ("demo", "Demo", "")
    assert (plugin.status, plugin.epoch) == (PluginStatus.DISABLED, 0)


async def test_the_same_package_again_is_a_no_op(world: World) -> None:
    await world.store.plugins.add_release(release(), "Demo")
    await world.store.plugins.add_release(release(at=99), "Demo")
    assert await world.store.plugins.releases() == [release()]


async def test_the_same_version_with_another_hash_is_refused(world: World) -> None:
    await world.store.plugins.add_release(release(), "Demo")
    with pytest.raises(Conflict) as refused:
        await world.store.plugins.add_release(release(sha256="e" * 64), "Demo")
    assert refused.value.reason == "same_version_other_hash"


async def test_releases_are_listed_newest_first(world: World) -> None:
    await world.store.plugins.add_release(release("1.0.0", at=1), "Demo")
    await world.store.plugins.add_release(release("1.1.0", "f" * 64, at=2), "Demo")
    assert [r.version for r in await world.store.plugins.releases(ID)] == ["1.1.0", "1.0.0"]


async def test_a_plugin_comes_back_as_it_was_stored(world: World) -> None:
    await world.store.plugins.put_plugin(row())
    assert await world.store.plugins.plugins() == [row()]


async def test_a_switch_that_crosses_another_is_refused(world: World) -> None:
    await world.store.plugins.put_plugin(row(epoch=1), 0)
    await world.store.plugins.put_plugin(row(epoch=2), 1)
    with pytest.raises(Conflict) as refused:
        await world.store.plugins.put_plugin(row(epoch=2, current_version="2"), 1)
    assert (refused.value.reason, refused.value.state) == ("changed_meanwhile", {"epoch": 2})


async def test_an_approval_belongs_to_its_release(world: World) -> None:
    await world.store.plugins.add_release(release(), "Demo")
    approval = Approval("a" * 64, "d" * 64, "ann", At(77))
    await world.store.plugins.approve(ID, "1.0.0", approval)
    (stored,) = await world.store.plugins.releases()
    assert stored.approval == approval
    assert stored.is_approved
    with pytest.raises(NotFound):
        await world.store.plugins.approve(ID, "9.9.9", approval)


async def test_the_plugin_goes_with_its_last_release(world: World) -> None:
    await world.store.plugins.add_release(release("1.0.0"), "Demo")
    await world.store.plugins.add_release(release("1.1.0", "f" * 64), "Demo")
    assert not await world.store.plugins.remove_release(ID, "1.0.0")
    assert len(await world.store.plugins.plugins()) == 1
    assert await world.store.plugins.remove_release(ID, "1.1.0")
    assert await world.store.plugins.plugins() == []
    with pytest.raises(NotFound):
        await world.store.plugins.remove_release(ID, "1.1.0")
