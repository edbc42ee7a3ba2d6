"""Opening a store: one holder, local disks only, and a damaged or newer file is left as it is."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.contracts.store_world import POLICY, World, open_sqlite
from tests.fakes.clock import FakeClock
from wunder.errors import DataDirRefused, StoreBroken
from wunder.store.data_dir import file_system_of
from wunder.store.machine import Machine
from wunder.store.sqlite.store import SqliteStore, open_store

FREE = Machine(free=lambda _path: 10**12)


async def open_at(path: Path, **given) -> SqliteStore:
    return await open_store(
        path, FakeClock(), given.get("policy", POLICY), machine=given.get("machine", FREE)
    )


@pytest.fixture
async def world(tmp_path: Path):
    return await World(open_sqlite, tmp_path / "data", FakeClock()).open()


async def test_a_new_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    store = await open_at(tmp_path / "a" / "data")
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "data" / "wunder.db").stat().st_mode & 0o777 == 0o600
    await store.close()


async def test_a_second_gateway_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    store = await open_at(tmp_path)
    with pytest.raises(DataDirRefused, match=str(os.getpid())):
        await open_at(tmp_path)
    await store.close()
    await (await open_at(tmp_path)).close()


@pytest.mark.process
async def test_another_process_is_refused_and_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLD, str(tmp_path), stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    async with asyncio.timeout(20):
        assert await holder.stdout.readline() == b"held\n"
        with pytest.raises(DataDirRefused):
            await open_at(tmp_path)
        holder.kill()
        await holder.wait()
    await (await open_at(tmp_path)).close()


_HOLD = """
import sys, time
from pathlib import Path
from wunder.store.data_dir import DirLock
DirLock(Path(sys.argv[1])).take()
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
async def test_network_file_systems_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataDirRefused, match=kind):
        await open_at(tmp_path, machine=Machine(file_system=lambda _path: kind))


def test_the_file_system_of_a_path_is_known() -> None:
    if Path("/proc/self/mountinfo").exists():
        assert file_system_of(Path("/proc")) == "proc"


async def test_each_start_raises_the_epoch_and_keeps_the_incarnation(tmp_path: Path) -> None:
    first = await open_at(tmp_path)
    await first.close()
    second = await open_at(tmp_path)
    assert second.life.epoch == first.life.epoch + 1
    assert second.life.incarnation == first.life.incarnation != ""
    await second.close()


@pytest.mark.parametrize("at", [0, 4096, 20_000])
async def test_a_damaged_file_is_refused_and_left_as_it_is(world: World, at: int) -> None:
    await world.queue("precious")
    await world.store.close()
    path = world.dir / "wunder.db"
    with path.open("r+b") as file:
        file.seek(at)
        file.write(os.urandom(3_000))
    damaged = path.read_bytes()
    with pytest.raises(StoreBroken):
        await world.open()
    assert path.read_bytes() == damaged


async def test_a_damaged_file_is_left_as_it_is_with_the_log_that_was_not_moved(
    world: World, tmp_path: Path
) -> None:
    """Whoever rescues what is left needs both: what a kill left in the log is not in the file."""
    for peer in "abcdef":
        await world.queue("precious" * 100, peer=peer)
    await world.die_and_return()
    await world.queue("said since")
    killed = tmp_path / "killed"
    killed.mkdir()
    left = {name: (world.dir / name).read_bytes() for name in ("wunder.db", "wunder.db-wal")}
    log, file = left["wunder.db-wal"], bytearray(left["wunder.db"])
    frames = range(32, len(log), 24 + 4096)  # a header, then each page behind its number
    logged = {int.from_bytes(log[at : at + 4], "big") for at in frames}
    lost = max(page for page in range(2, len(file) // 4096 + 1) if page not in logged)
    file[(lost - 1) * 4096 : lost * 4096] = b"\xff" * 4096
    left["wunder.db"] = bytes(file)
    for name, content in left.items():
        (killed / name).write_bytes(content)
    with pytest.raises(StoreBroken):
        await open_at(killed)
    assert {name: (killed / name).read_bytes() for name in left} == left


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "wunder.db"
    path.write_bytes(b"my diary " * 1000)
    with pytest.raises(StoreBroken):
        await open_at(tmp_path)
    assert path.read_bytes() == b"my diary " * 1000


async def test_a_store_of_a_newer_program_is_left_as_it_is(world: World) -> None:
    await world.store.close()
    conn = sqlite3.connect(world.dir / "wunder.db")
    conn.execute("PRAGMA user_version = 9999")
    conn.close()
    before = (world.dir / "wunder.db").read_bytes()
    with pytest.raises(StoreBroken, match="9999"):
        await world.open()
    assert (world.dir / "wunder.db").read_bytes() == before


async def test_a_lost_file_with_a_log_beside_it_is_not_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "wunder.db-wal").write_bytes(b"committed work")
    with pytest.raises(StoreBroken):
        await open_at(tmp_path)
    assert (tmp_path / "wunder.db-wal").read_bytes() == b"committed work"


async def test_a_store_that_was_moved_refuses_to_live_on(world: World) -> None:
    await world.store.close()
    conn = sqlite3.connect(world.dir / "wunder.db")
    conn.execute("INSERT INTO meta VALUES ('migrated_to', 'postgresql')")
    conn.commit()
    conn.close()
    with pytest.raises(DataDirRefused, match="postgresql"):
        await world.open()


async def test_a_refused_start_gives_the_lock_back(tmp_path: Path) -> None:
    (tmp_path / "wunder.db").write_bytes(b"x" * 5000)
    for _ in range(2):
        with pytest.raises(StoreBroken):
            await open_at(tmp_path)


async def test_a_recovery_that_is_itself_interrupted_loses_nothing(world: World) -> None:
    """The epoch and what follows from it are one transaction."""
    (delivery_id,) = await world.queue("x")
    await world.claim_one()
    for _ in range(3):
        await world.die_and_return()
    assert (await world.delivery(delivery_id)).attempts == 1
    assert world.store.recovered.unknown == ()
    await world.store.close()


async def test_housekeeping_runs_until_cancelled(world: World) -> None:
    await world.queue("x", ttl_ms=1_000)
    async with asyncio.TaskGroup() as tg:
        task = tg.create_task(world.store.run())
        for _ in range(200):
            await asyncio.sleep(0)
        world.clock.advance(6)
        async with asyncio.timeout(5):
            while not world.store.health.figures().get("channel_outbox_expired"):
                await world.store.health.probe()
        task.cancel()
    await world.store.close()


async def test_the_ballast_is_made_freed_and_made_again(world: World) -> None:
    await world.store.close()
    world.policy = msgspec.structs.replace(POLICY, ballast_bytes=1_048_576)
    await world.open()
    ballast = world.dir / "ballast"
    assert ballast.stat().st_blocks * 512 >= 1_048_576, "allocated, not sparse"
    os.truncate(ballast, 0)
    await world.store.sweep()
    assert ballast.stat().st_size == 1_048_576
    await world.store.close()


async def test_no_ballast_is_taken_from_a_disk_that_is_low(tmp_path: Path) -> None:
    policy = msgspec.structs.replace(POLICY, ballast_bytes=1_048_576)
    store = await open_at(tmp_path, policy=policy, machine=Machine(free=lambda _path: 10**6))
    assert not (tmp_path / "ballast").exists()
    await store.close()


async def test_a_large_file_is_checked_while_serving_and_damage_is_fatal(world: World) -> None:
    for n in range(40):
        await world.queue("x" * 2_000, peer=f"p{n}")
    await world.store.close()
    path = world.dir / "wunder.db"
    a_page_of_the_trail = path.read_bytes().rfind(b"accepted") // 4096 * 4096
    with path.open("r+b") as file:
        file.seek(a_page_of_the_trail)
        file.write(os.urandom(4096))
    world.policy = msgspec.structs.replace(POLICY, check_at_open_up_to_bytes=0)
    await world.open()
    told = asyncio.Event()
    world.store.on_fatal(lambda _error: told.set())
    async with asyncio.timeout(10), asyncio.TaskGroup() as tg:
        task = tg.create_task(world.store.run())
        await told.wait()
        task.cancel()
    with pytest.raises(StoreBroken, match="damaged"):
        await world.store.health.probe()
    await world.store.close()


async def test_a_check_under_way_does_not_hold_up_the_end(world: World) -> None:
    await world.store.close()
    world.policy = msgspec.structs.replace(POLICY, check_at_open_up_to_bytes=0)
    await world.open()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tg:
        task = tg.create_task(world.store.run())
        await asyncio.sleep(0)
        task.cancel()
    await world.store.health.probe()
    await world.store.close()
