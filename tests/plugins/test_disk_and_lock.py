import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.raw_zip import STORED, Raw
from tests.unit.plugins.world import World, until
from wunder.errors import Conflict, StoreFull
from wunder.observe.clock import SystemClock
from wunder.plugins.install_lock import LOCK_NAME

pytestmark = [pytest.mark.process, pytest.mark.chaos]

HOLDER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[World]:
    """A desk whose plugin folder is a disk of 2 MiB."""
    place = tmp_path / "data" / "channel_plugins"
    place.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=200", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield World(tmp_path)
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    "more",
    [
        [Raw("noise", os.urandom(3_000_000), STORED)],  # no room for the private copy
        [Raw(f"t{n}", os.urandom(20_000) * 20) for n in range(8)],  # none for the content
        [Raw(f"f{n}", b"") for n in range(400)],  # no more files
    ],
    ids=["copy", "content", "inodes"],
)
async def test_a_full_disk_refuses_the_install_and_keeps_the_old_version(
    small_disk: World, more: list[Raw]
) -> None:
    world = small_disk
    await world.enabled()
    before = world.files_on_disk()
    with pytest.raises(StoreFull):
        await world.installed(*more, version="2.0.0")
    assert world.files_on_disk() == before
    assert list(world.folders.staging.iterdir()) == []
    world.host.started.clear()
    await world.restart().start_all()
    assert [spec.version for spec in world.host.started] == ["1.0.0"]


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the install lock until its stdin is closed."""
    folder = tmp_path / "data" / "channel_plugins"
    folder.mkdir(parents=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder / LOCK_NAME)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    yield holder
    holder.kill()
    holder.communicate()


async def test_another_process_that_installs_is_waited_for(
    tmp_path: Path, other_process: "subprocess.Popen[bytes]"
) -> None:
    world = World(tmp_path, clock=SystemClock())  # type: ignore[arg-type]  # waits for a real lock
    installing = asyncio.create_task(world.installed())
    await until(lambda: list(world.top.glob("upload.zip")))
    assert world.table.stored == {}
    other_process.kill()
    assert (await installing).version == "1.0.0"


async def test_a_process_that_keeps_the_lock_is_given_up_on(
    tmp_path: Path, other_process: "subprocess.Popen[bytes]"
) -> None:
    world = World(tmp_path)
    installing = asyncio.create_task(world.installed())
    while not installing.done():
        world.clock.advance(1)
        await asyncio.sleep(0.001)
    with pytest.raises(Conflict) as caught:
        await installing
    assert caught.value.reason == "install_busy"
    assert other_process.poll() is None
