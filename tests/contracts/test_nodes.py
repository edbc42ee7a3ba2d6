"""What every store keeps of its nodes, of plugins on them, and of the large bytes they share."""

import hashlib
from pathlib import Path

import msgspec

from tests.contracts.store_world import World
from wunder.model.ids import At, PluginId
from wunder.model.plugin import PluginCounters
from wunder.store.schema import migrations
from wunder.upkeep.nodes import Node

ID = PluginId("demo")


def this_node(world: World, **given: object) -> Node:
    node = Node(
        node_id=world.store.nodes.node_id,
        epoch=world.store.life.epoch,
        state="serving",
        version="1.2.3",
        host="a-machine",
        platform="linux-amd64",
        python="3.11.7",
        url="http://127.0.0.1:8080",
        schema_version=3,
        started_at=world.now,
        seen_at=world.now,
    )
    return msgspec.structs.replace(node, **given)


async def test_a_node_is_seen_as_it_introduced_itself(world: World) -> None:
    await world.store.nodes.introduce(this_node(world))
    (seen,) = await world.store.nodes.all()
    assert seen.is_alive
    # Where there are leases, the last renewal is when it was seen, by the database's clock.
    same = msgspec.structs.replace(seen, lease_until=None, seen_at=world.now)
    assert same == this_node(world)
    assert seen.seen_at >= world.now


async def test_a_node_says_that_it_drains_and_that_it_left(world: World) -> None:
    await world.store.nodes.introduce(this_node(world))
    world.clock.advance(5)
    await world.store.nodes.say("draining", 1, world.now)
    assert (await world.store.nodes.all())[0].state == "draining"
    await world.store.nodes.say("stopped", 1, world.now)
    (gone,) = await world.store.nodes.all()
    assert (gone.state, gone.stopped_at) == ("stopped", world.now)
    await world.store.nodes.introduce(this_node(world))
    assert (await world.store.nodes.all())[0].stopped_at is None


async def test_why_a_plugin_does_not_run_is_noted_beside_what_its_process_counts(
    world: World,
) -> None:
    nodes, history = world.store.nodes, world.store.history
    await nodes.note(ID, "1.0.0", "runtime_mismatch", "it needs another Python")
    (noted,) = await nodes.plugins(ID)
    assert (noted.node_id, noted.version, noted.noted_at) == (nodes.node_id, "1.0.0", world.now)
    counted = PluginCounters(ID, "1.0.0", "ready", "ok", 1, 2, "exit 1", At(7))
    await history.put_counters(counted)
    (both,) = await nodes.plugins()
    assert (both.last_error_code, both.state, both.crashes) == ("runtime_mismatch", "ready", 2)
    await nodes.note(ID, "1.0.0", "", "")
    (over,) = await nodes.plugins(ID)
    assert (over.last_error_code, over.last_error, over.state) == ("", "", "ready")
    assert await history.counters() == [counted]
    assert await nodes.plugins(PluginId("other")) == []


async def test_plugins_of_this_node_are_alive_before_it_introduced_itself(world: World) -> None:
    await world.store.nodes.note(ID, "1.0.0", "", "")
    assert (await world.store.nodes.plugins(ID))[0].is_alive


# --- the shelf ----------------------------------------------------------------------------------------

NAME = "ab" * 32


def reader(whole: bytes):
    return lambda offset, limit: whole[offset : offset + limit]


async def fetched(world: World, name: str = NAME) -> bytes:
    pieces: list[bytes] = []
    size = await world.store.shelf.fetch("package", name, pieces.append)
    whole = b"".join(pieces)
    assert size == len(whole)
    return whole


async def test_large_bytes_come_back_as_they_were_put(world: World) -> None:
    whole = hashlib.shake_256(b"seed").digest(700_001)
    await world.store.shelf.put("package", NAME, reader(whole))
    assert await fetched(world) == whole
    assert await fetched(world, "cd" * 32) == b""


async def test_putting_again_repairs_and_leaves_nothing_of_before(world: World) -> None:
    await world.store.shelf.put("package", NAME, reader(b"x" * 700_000))
    await world.store.shelf.put("package", NAME, reader(b"short"))
    assert await fetched(world) == b"short"


async def test_what_is_forgotten_is_gone_and_nothing_else(world: World) -> None:
    other = "cd" * 32
    for name in (NAME, other):
        await world.store.shelf.put("package", name, reader(name.encode()))
    await world.store.shelf.put("attachment", NAME, reader(b"same name, another kind"))
    await world.store.shelf.forget("package", [NAME, "ef" * 32])
    assert await fetched(world) == b""
    assert await fetched(world, other) == other.encode()
    assert await world.store.shelf.fetch("attachment", NAME, lambda _piece: None)


async def test_names_are_those_put_before_a_time(world: World) -> None:
    await world.store.shelf.put("package", NAME, reader(b"x"))
    assert await world.store.shelf.names("package", At(1)) == []
    assert await world.store.shelf.names("package", At(2**53)) == [NAME]
    assert await world.store.shelf.names("attachment", At(2**53)) == []


async def test_a_shelf_survives_its_gateway(world: World) -> None:
    await world.store.shelf.put("package", NAME, reader(b"x" * 300_000))
    await world.die_and_return()
    assert await fetched(world) == b"x" * 300_000


async def test_a_name_that_is_none_of_ours_leads_nowhere(world: World, tmp_path: Path) -> None:
    assert await fetched(world, "../../../etc/passwd") == b""


async def test_the_schema_is_told_where_other_nodes_may_change_it(world: World) -> None:
    known = migrations()[-1].number
    assert await world.store.nodes.schema_version() in (0, known)
