"""kill -9 at any instant, and a disk that is really full: what was acknowledged is there."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.contracts.store_world import POLICY, World, open_sqlite
from tests.fakes.clock import FakeClock
from wunder.errors import StoreFull
from wunder.model.delivery import DeliveryState
from wunder.model.ids import DeliveryId, MessageId
from wunder.model.turn import ClaimedTurn
from wunder.store.policy import MIB
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter

ROOT = Path(__file__).resolve().parents[4]

#: Takes in, answers and sends without end; names each step after its call has returned.
_BUSY = """
import asyncio, itertools, os, sys
from pathlib import Path
from tests.contracts.store_world import World, open_sqlite
from tests.fakes.clock import FakeClock

async def talk(world, peer):
    for n in itertools.count():
        turn = await world.turn(f"{peer} {n}", peer)
        print("in", turn.message.message_id, flush=True)
        done = await world.answer(turn, f"{peer} {n}", grant=world.grant(), session_id=peer)
        print("out", done.claimed[0].delivery_id, flush=True)
        await world.settle(done.claimed[0], provider_message_id=f"{peer}-{n}")
        print("sent", done.claimed[0].delivery_id, flush=True)

async def main():
    world = await World(open_sqlite, Path(sys.argv[1]), FakeClock()).open()
    await asyncio.gather(*(talk(world, f"{os.getpid()}-p{n}") for n in range(8)))

asyncio.run(main())
"""


async def killed_after(data_dir: Path, lines: int) -> dict[str, set[str]]:
    """Run the busy program, kill it after so many steps; everything it acknowledged, by kind."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _BUSY,
        str(data_dir),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    told: dict[str, set[str]] = {"in": set(), "out": set(), "sent": set()}
    async with asyncio.timeout(40):
        for _ in range(lines):
            kind, _, what = (await process.stdout.readline()).decode().strip().partition(" ")
            told[kind].add(what)
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
    for line in rest.decode().splitlines(keepends=True):
        if not line.endswith("\n"):
            break  # torn by the kill: nothing was said
        kind, _, what = line.strip().partition(" ")
        told[kind].add(what)
    return told


async def check(data_dir: Path, told: dict[str, set[str]]) -> None:
    world = await World(open_sqlite, data_dir, FakeClock()).open()
    for message_id in told["in"]:
        assert await world.store.ledger.message(MessageId(message_id)) is not None, "lost"
    page = await world.store.ledger.deliveries(DeliveryFilter(), 100_000, "")
    states = {d.delivery_id: d.state for d in page.items}
    assert told["out"] <= {str(d) for d in states}, "a reply was lost"
    for delivery_id in map(DeliveryId, told["sent"]):
        assert states[delivery_id] is DeliveryState.SENT, "an outcome was lost"
    assert set(states.values()) <= {DeliveryState.SENT, DeliveryState.UNKNOWN}
    kept = world.store.health.figures()
    inbound = await world.store.ledger.messages(MessageFilter(direction="in"), 100_000, "")
    for state in ("answered", "received", "answering"):
        assert kept.get(f"channel_messages_{state}", 0) == sum(
            m.state == state for m in inbound.items
        ), "a counter went astray"
    assert kept.get("channel_outbox_sent", 0) == list(states.values()).count(DeliveryState.SENT)
    await world.store.close()


@pytest.mark.process
@pytest.mark.chaos
async def test_kill_nine_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    for lines in (1, 40, 333):
        await check(tmp_path / "data", await killed_after(tmp_path / "data", lines))


@pytest.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[Path]:
    """A file system of 12 MiB, where the machine lets us make one."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def fill(small_disk: Path) -> tuple[World, list[ClaimedTurn]]:
    """A store that took in what its disk holds; the turns that were accepted."""
    world = World(open_sqlite, small_disk, FakeClock())
    # In the proportions of the defaults: the ballast is four times the log.
    world.policy = msgspec.structs.replace(
        POLICY,
        ballast_bytes=4 * MIB,
        free_floor_bytes=0,
        checkpoint_wal_bytes=MIB // 4,
        restart_wal_bytes=MIB,
        truncate_wal_bytes=2 * MIB,
    )
    await world.open()
    assert (small_disk / "ballast").stat().st_size == 4 * MIB
    turns = []
    with pytest.raises(StoreFull):
        for n in range(10_000):
            turns.append(await world.turn("x" * 20_000, f"p{n}"))  # noqa: PERF401 - ends by raising
    return world, turns


@pytest.mark.chaos
async def test_on_a_disk_that_is_really_full_outcomes_still_commit(small_disk: Path) -> None:
    world, turns = await fill(small_disk)
    for turn in turns:
        await world.answer(turn, "an outcome")
    assert (small_disk / "ballast").stat().st_size == 0


@pytest.mark.chaos
async def test_on_a_full_disk_outcomes_commit_though_the_checkpoints_thread_gets_no_time(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, turns = await fill(small_disk)
    monkeypatch.setattr(world.store._checkpoints, "checkpoint", lambda: None)
    for turn in turns:
        await world.answer(turn, "an outcome")
    assert world.store._checkpoints.wal_bytes() <= 3 * MIB
