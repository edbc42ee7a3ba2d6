"""What every StoreHealth promises: probes, kept counters, backups while serving, restore."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.store_world import World, stand_for
from tests.contracts.test_session_table import session
from tests.contracts.test_user_table import user
from tests.fakes.clock import FakeClock
from tests.fakes.store_health import FakeStoreHealth
from tests.postgres_server import postgres
from wunder.errors import Conflict, DataDirRefused, StoreBroken, StoreFull
from wunder.model.delivery import DeliveryState
from wunder.model.ids import At, TokenId
from wunder.model.message import MessageState
from wunder.model.token import ApiToken
from wunder.store.backups import manifest_path
from wunder.store.postgres.address import Address
from wunder.store.postgres.loading import restore as restore_archive
from wunder.store.sqlite.backup import restore
from wunder.store.sqlite.store import SqliteStore
from wunder.upkeep.doors import StoreHealth


@pytest.fixture(params=["fake", "store"])
async def health(request: pytest.FixtureRequest, world: World) -> AsyncIterator[StoreHealth]:
    yield FakeStoreHealth() if request.param == "fake" else world.store.health


async def test_a_probe_of_a_sound_store_commits(health: StoreHealth) -> None:
    before = health.figures()["commits"]
    await health.probe()
    await health.probe()
    assert health.figures()["commits"] == before + 2


async def test_figures_are_numbers_by_name(health: StoreHealth) -> None:
    figures = health.figures()
    assert figures
    assert all(isinstance(value, float) for value in figures.values())


async def test_a_backup_is_written_where_it_was_asked_for(
    health: StoreHealth, tmp_path: Path
) -> None:
    target = tmp_path / "copy.db"
    await health.backup(str(target))
    assert target.stat().st_size > 0


# --- what only a real store can show -----------------------------------------------------------------


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "one.db"


async def restored(world: World, backup: Path) -> World:
    """A world on another data directory, made from a backup."""
    place = world.dir.with_name("restored")
    opened: Any = world.store
    if isinstance(opened, SqliteStore):
        await asyncio.to_thread(restore, backup, place, world.now)
    else:
        url = await postgres().empty_database()
        stand_for(place, url)
        await restore_archive(Address(url, world.policy), backup, world.now, lambda _words: None)
    clock = FakeClock(world.now)
    return await World(world.opener, place, clock).open()


@pytest.fixture
def in_a_file(world: World) -> None:
    if not isinstance(world.store, SqliteStore):
        pytest.skip("tests/unit/store/postgres/test_loading.py says the same of databases")


async def test_a_probe_fails_while_intake_would(world: World) -> None:
    world.free_bytes = 0
    with pytest.raises(StoreFull):
        await world.store.health.probe()


async def test_a_disk_that_cannot_be_looked_at_counts_as_full(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is gone must not end the writer's thread: everybody would wait for ever."""

    def gone(_path: Path) -> int:
        raise FileNotFoundError(2, "gone")

    delivery = await world.queue("said before")
    monkeypatch.setattr(world, "free", gone)
    async with asyncio.timeout(20):
        with pytest.raises(StoreFull):
            await world.take(world.new("hello"))
        assert await world.sends_in_order() == ["said before"]
    assert await world.state(delivery[0]) is DeliveryState.SENT


async def test_counters_are_kept_with_the_transactions(world: World) -> None:
    turn = await world.turn()
    await world.take(world.new("2"), world.new("quiet", state=MessageState.NO_ANSWER))
    await world.answer(turn, "a", "b")
    await world.settle(await world.claim_one())

    def seen() -> dict[str, float]:
        figures = world.store.health.figures()
        return {name: n for name, n in figures.items() if name.startswith("channel_") and n}

    expected = {
        "channel_dedupe": 3,
        "channel_messages_received": 1,
        "channel_messages_answered": 1,
        "channel_messages_no_answer": 1,
        "channel_messages_out": 2,
        "channel_outbox_sent": 1,
        "channel_outbox_pending": 1,
        "channel_sessions": 1,
    }
    assert seen() == expected
    await world.die_and_return()
    assert seen() == expected, "counted on, never anew"


async def test_what_fails_is_not_counted(world: World) -> None:
    await world.take(world.new(meta={"x": object()}))
    figures = world.store.health.figures()
    assert "channel_messages_received" not in figures
    assert "channel_dedupe" not in figures


async def test_a_backup_is_taken_while_messages_flow(world: World, backup: Path) -> None:
    async def traffic() -> None:
        for n in range(50):
            await world.take(world.new(peer=f"p{n}"))

    async with asyncio.TaskGroup() as tg:
        tg.create_task(traffic())
        tg.create_task(world.store.health.backup(str(backup)))
    assert manifest_path(backup).exists()
    other = await restored(world, backup)
    await other.store.close()


async def test_a_backup_overwrites_nothing(world: World, backup: Path) -> None:
    await world.store.health.backup(str(backup))
    with pytest.raises(Conflict):
        await world.store.health.backup(str(backup))


async def test_after_a_restore_nothing_leaves_until_a_person_lets_it(
    world: World, backup: Path
) -> None:
    pending, _ = await world.queue("1", "2")
    (sending,) = await world.queue("3", peer="p2")
    await world.claim(9)
    await world.store.health.backup(str(backup))
    other = await restored(world, backup)
    assert [await other.state(d) for d in (pending, sending)] == [DeliveryState.HELD] * 2
    assert await other.claim(9) == []
    assert other.store.health.figures()["channel_outbox_held"] == 3
    assert await other.store.outbox_desk.release_held(None, other.now, "ann") == 3
    assert sorted(await other.sends_in_order()) == ["1", "2", "3"]
    await other.store.close()


async def test_after_a_restore_a_send_that_was_under_way_may_have_arrived(
    world: World, backup: Path
) -> None:
    await world.queue("1")
    await world.claim_one()
    await world.store.health.backup(str(backup))
    other = await restored(world, backup)
    await other.store.outbox_desk.release_held(None, other.now, "ann")
    assert (await other.claim_one()).had_unknown
    await other.store.close()


async def test_after_a_restore_unanswered_messages_stand_still_too(
    world: World, backup: Path
) -> None:
    running = await world.turn("1")
    await world.take(world.new("2"))
    await world.store.health.backup(str(backup))
    other = await restored(world, backup)
    assert await other.store.turns.claim(9, other.now) == []
    assert await other.message_state(running.message.message_id) == ("failed", "restored")
    assert await other.store.outbox_desk.release_held(None, other.now, "ann") == 2
    (turn,) = await other.store.turns.claim(9, other.now)
    assert turn.message.content.text == "1"
    await other.store.close()


async def test_after_a_restore_spooled_requests_are_set_aside_until_a_person_lets_them_go(
    world: World, backup: Path
) -> None:
    """Parsed by itself, each would be answered once more: the gap between backup and loss knew it."""
    first, second = world.spooled(), world.spooled()
    for request in (first, second):
        await world.store.intake.spool(request)
    await world.store.health.backup(str(backup))
    other = await restored(world, backup)
    assert await other.store.intake.due_spooled(other.now, 9) == []
    figures = other.store.health.figures()
    assert (figures["channel_spool"], figures["channel_quarantine"]) == (0, 2)
    found = await other.store.upkeep.quarantine.item(first.spool_id)
    assert found is not None and (found[0].reason, found[1]) == ("restored", first.sealed)
    assert await other.store.outbox_desk.release_held("another", other.now, "ann") == 0
    assert await other.store.outbox_desk.release_held(None, other.now, "ann") == 2
    (due,) = await other.store.intake.due_spooled(other.now, 9)
    assert (due.spool_id, due.sealed) == (first.spool_id, first.sealed), "in their old order"
    figures = other.store.health.figures()
    assert (figures["channel_spool"], figures["channel_quarantine"]) == (2, 0)
    await other.store.close()


@pytest.mark.usefixtures("in_a_file")
async def test_after_a_restore_nobody_is_signed_in_any_more(world: World, backup: Path) -> None:
    await world.store.users.add(user())
    await world.store.sessions.add(session())
    await world.store.health.backup(str(backup))
    other = await restored(world, backup)
    assert await other.store.users.all() == [user()]
    assert await other.store.sessions.of(user().user_id) == []
    await other.store.close()


async def test_a_restore_begins_a_new_life_and_ends_tokens(world: World, backup: Path) -> None:
    token = ApiToken(TokenId("t"), "ci", b"h", ("admin",), world.now, "ann")
    await world.store.tokens.add(token)
    await world.store.health.backup(str(backup))
    other = await restored(world, backup)
    assert other.store.life.incarnation != world.store.life.incarnation
    assert other.store.life.epoch > world.store.life.epoch
    (ended,) = await other.store.tokens.all()
    assert not ended.is_valid(At(other.now))
    await other.store.close()


@pytest.mark.usefixtures("in_a_file")
async def test_a_restore_overwrites_no_store_and_disturbs_no_gateway(
    world: World, backup: Path
) -> None:
    await world.store.health.backup(str(backup))
    with pytest.raises(DataDirRefused):
        restore(backup, world.dir, world.now)
    other = await restored(world, backup)
    await other.store.close()
    with pytest.raises(DataDirRefused):
        restore(backup, other.dir, world.now)


@pytest.mark.usefixtures("in_a_file")
async def test_a_changed_backup_is_refused(world: World, backup: Path, tmp_path: Path) -> None:
    await world.store.health.backup(str(backup))
    with backup.open("r+b") as file:
        file.seek(5_000)
        file.write(b"\xff" * 100)
    with pytest.raises(StoreBroken):
        restore(backup, tmp_path / "new", world.now)
    assert not (tmp_path / "new" / "wunder.db").exists()
