"""From SQLite to PostgreSQL, and from a backup into an empty database: all of it, verified, or nothing."""

import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.contracts.store_world import POLICY, World, open_postgres, open_sqlite, stand_for
from tests.contracts.test_plugin_table import release
from tests.fakes.clock import FakeClock
from tests.postgres_server import postgres
from wunder.attachments.desk import Uploading
from wunder.attachments.files import BlobFiles
from wunder.attachments.library import Library
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.room import AttachmentRoom
from wunder.errors import Conflict, DataDirRefused, StoreBroken
from wunder.model.delivery import DeliveryState
from wunder.model.ids import AccountUid, At
from wunder.store.archive import CONTENTS, Archive, Contents
from wunder.store.backups import manifest_path
from wunder.store.postgres.address import Address
from wunder.store.postgres.archiving import write_backup
from wunder.store.postgres.loading import load, restore
from wunder.store.postgres.migrations import schema_version, steps
from wunder.store.sqlite.export import export, undo

ODD = "tab\t newline\n return\r back\\slash \\N \\. bell\x07 \b\f\v quote' 二 \ud800 \x00 end"


def quiet(_words: str) -> None:
    return


class Source(World):
    """A store of SQLite with something of everything, as a gateway left it."""

    async def fill(self) -> "Source":
        for number in range(40):
            turn = await self.turn(f"{ODD} {number}", peer=f"p{number % 5}")
            await self.answer(turn, f"answer {number}")
        for _ in range(3):
            await self.settle(await self.claim_one())
        await self.take(self.new("waits", peer="late"))
        self.under_way = await self.claim_one()
        await self.store.accounts.add(self.account())
        await self.store.history.state_put(release().plugin_id, "a", "k", {"x": ODD}, None)
        await self.store.key_check.put(b"\x00\xff" * 16)
        package = release("1.0.0", "ab" * 32)
        await self.store.plugins.add_release(package, "Demo")
        await self.store.shelf.put(
            "package", "ab" * 32, lambda at, n: (b"zip" * 200_000)[at : at + n]
        )
        files = Library(BlobFiles(self.dir), None, 0)
        room = AttachmentRoom(
            self.store.attachments,
            files,
            b"k",
            lambda: "",
            self.clock,
            AttachmentPolicy(free_floor_bytes=0),
        )
        path = self.dir / "upload"
        path.write_bytes(b"picture")
        self.blob = await room.desk.upload(Uploading(path, "x", account_uid=AccountUid("acc-1")))
        await self.store.close()
        return self


@pytest.fixture
async def source(tmp_path: Path) -> Source:
    made = Source(open_sqlite, tmp_path / "old", FakeClock())
    await made.open()
    return await made.fill()


@pytest.fixture
async def url() -> str:
    return await postgres().empty_database()


def address(url: str) -> Address:
    return Address(url, POLICY)


@pytest.fixture
async def moved(source: Source, url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The same store on PostgreSQL, opened by a node."""
    file = tmp_path / "moved.tar"
    export(source.dir, file, source.now, quiet)
    await load(address(url), file, source.now, quiet, is_restore=False)
    stand_for(tmp_path / "new", url)
    world = await World(open_postgres, tmp_path / "new", source.clock).open()
    yield world
    await world.store.close()


async def rows_of(url: str, sql: str) -> list[tuple[Any, ...]]:
    conn = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await conn.fetch(sql)]
    finally:
        await conn.close()


# --- moving ------------------------------------------------------------------------------------------


async def test_a_moved_store_goes_on_where_it_was(moved: World, source: Source) -> None:
    figures = moved.store.health.figures()
    assert figures["channel_outbox_sent"] == 3
    assert figures["channel_messages_received"] == 1
    assert await moved.state(source.under_way.delivery_id) is DeliveryState.UNKNOWN
    order = await moved.sends_in_order()
    numbers: dict[int, list[int]] = {}
    for text in order:
        number = int(text.removeprefix("answer "))
        numbers.setdefault(number % 5, []).append(number)
    assert all(lane == sorted(lane) for lane in numbers.values())
    assert len(order) == 40 - 3 - 1
    (turn,) = await moved.store.turns.claim(9, moved.now)
    assert turn.message.content.text == "waits"
    await moved.answer(turn, "and is answered")
    assert (await moved.claim_one()).message.text == "and is answered"


async def test_new_rows_come_behind_those_that_moved(moved: World) -> None:
    highest = await rows_of(database(moved), "SELECT max(seq) FROM channel_messages")
    turn = await moved.turn("new", peer="somebody new")
    await moved.answer(turn, "hi")
    later = await rows_of(database(moved), "SELECT max(seq) FROM channel_messages")
    assert later > highest
    steps_of = await moved.store.ledger.trail(turn.message.message_id)
    assert [step.step for step in steps_of][:1] == ["received"]


async def test_packages_and_attachments_move_too(moved: World, source: Source) -> None:
    got: list[bytes] = []
    assert await moved.store.shelf.fetch("package", "ab" * 32, got.append) == 600_000
    assert b"".join(got) == b"zip" * 200_000
    library = Library(BlobFiles(moved.dir), moved.store.shelf, 0)
    library.files.prepare()
    assert await library.read(source.blob, 0, 100) == b"picture"


async def test_the_check_value_of_the_key_moves(moved: World) -> None:
    assert await moved.store.key_check.get() == b"\x00\xff" * 16


def database(world: World) -> str:
    opened: Any = world.store
    url: str = opened._opened and opened.health._address._url
    return url


async def test_a_store_that_was_moved_is_never_served_again_by_mistake(
    source: Source, tmp_path: Path
) -> None:
    file = tmp_path / "moved.tar"
    export(source.dir, file, source.now, quiet)
    with pytest.raises(DataDirRefused, match="export --undo"):
        await source.open()
    with pytest.raises(Conflict, match="moved"):
        export(source.dir, tmp_path / "again.tar", source.now, quiet)
    assert undo(source.dir) == str(file)
    await source.open()
    assert await source.state(source.under_way.delivery_id) is DeliveryState.UNKNOWN
    await source.store.close()


async def test_an_export_that_fails_leaves_a_store_that_serves(
    source: Source, tmp_path: Path
) -> None:
    (tmp_path / "taken.tar").write_text("somebody's")
    with pytest.raises(Conflict):
        export(source.dir, tmp_path / "taken.tar", source.now, quiet)
    await source.open()
    await source.store.close()


async def test_a_running_gateway_is_not_exported(source: Source, tmp_path: Path) -> None:
    await source.open()
    with pytest.raises(DataDirRefused):
        export(source.dir, tmp_path / "x.tar", source.now, quiet)
    await source.store.close()


async def test_what_is_missing_is_named(source: Source, tmp_path: Path) -> None:
    BlobFiles(source.dir).remove(source.blob.blob_id)
    contents = export(source.dir, tmp_path / "x.tar", source.now, quiet)
    assert contents.missing == (f"attachment/{source.blob.blob_id}",)


# --- all or nothing ------------------------------------------------------------------------------------


@pytest.fixture
def archive(source: Source, tmp_path: Path) -> Path:
    export(source.dir, tmp_path / "moved.tar", source.now, quiet)
    return tmp_path / "moved.tar"


def changed(archive: Path, change: dict[str, Any], texts: dict[str, bytes] | None = None) -> Path:
    """Another archive with other contents."""
    target = archive.with_name("changed.tar")
    with tarfile.open(archive) as old, tarfile.open(target, "w") as new:
        for entry in old:
            file = old.extractfile(entry)
            assert file is not None
            content = (texts or {}).get(entry.name) or file.read()
            if entry.name == CONTENTS:
                contents = msgspec.json.decode(content, type=Contents)
                content = msgspec.json.encode(msgspec.structs.replace(contents, **change))
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return target


async def test_rows_that_do_not_read_back_the_same_are_refused_and_nothing_is_left(
    archive: Path, url: str, source: Source
) -> None:
    with Archive(archive) as opened:
        text = b"".join(opened.pieces("tables/channel_accounts"))
    bad = changed(archive, {}, {"tables/channel_accounts": text.replace(b"enabled", b"disabled")})
    with pytest.raises(StoreBroken, match="channel_accounts"):
        await load(address(url), bad, source.now, quiet, is_restore=False)
    assert await rows_of(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    await load(address(url), archive, source.now, quiet, is_restore=False)
    assert await rows_of(url, "SELECT count(*) FROM channel_accounts") == [(1,)]


async def test_large_bytes_that_do_not_read_back_the_same_are_refused(
    archive: Path, url: str, source: Source
) -> None:
    bad = changed(archive, {}, {f"shelf/package/{'ab' * 32}": b"another"})
    with pytest.raises(StoreBroken, match="package"):
        await load(address(url), bad, source.now, quiet, is_restore=False)
    assert await rows_of(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


async def test_an_archive_that_was_cut_short_is_none(archive: Path, url: str) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreBroken, match="cut short"):
        await load(address(url), archive, At(1), quiet, is_restore=False)


async def test_a_newer_archive_is_refused(archive: Path, url: str) -> None:
    bad = changed(archive, {"schema_version": 999})
    with pytest.raises(StoreBroken, match="newer program"):
        await load(address(url), bad, At(1), quiet, is_restore=False)


async def test_a_database_that_holds_a_store_is_not_filled(
    archive: Path, url: str, source: Source
) -> None:
    await load(address(url), archive, source.now, quiet, is_restore=False)
    with pytest.raises(Conflict, match="empty database"):
        await load(address(url), archive, source.now, quiet, is_restore=False)


async def test_a_database_that_was_only_migrated_is_empty(archive: Path, source: Source) -> None:
    url = await postgres().new_database()
    await load(address(url), archive, source.now, quiet, is_restore=False)
    assert await rows_of(url, "SELECT count(*) FROM channel_accounts") == [(1,)]


async def test_a_database_on_which_nodes_run_is_not_filled(
    archive: Path, source: Source, tmp_path: Path
) -> None:
    url = await postgres().new_database()
    stand_for(tmp_path / "node", url)
    world = await World(open_postgres, tmp_path / "node", source.clock).open()
    with pytest.raises(Conflict, match="stop them"):
        await load(address(url), archive, source.now, quiet, is_restore=False)
    await world.store.close()


# --- backups of databases ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", range(1, steps()[-1].number + 1))
async def test_a_backup_of_every_earlier_schema_is_restored(version: int, tmp_path: Path) -> None:
    old, new = await postgres().empty_database(), await postgres().empty_database()
    conn = await asyncpg.connect(old)
    for step in steps()[:version]:
        await conn.execute(step.sql)
    await conn.execute("INSERT INTO meta VALUES ('schema_version', $1)", str(version))
    await conn.execute(
        "INSERT INTO channel_accounts (account_uid, channel, account_id, status, webhook_key,"
        " created_at, updated_at) VALUES ('u', 'c', 'a', 'enabled', 'k', 1, 1)"
    )
    await conn.close()
    file = tmp_path / "backup.tar"
    await write_backup(address(old), file, At(5), quiet)
    await restore(address(new), file, At(9), quiet)
    conn = await asyncpg.connect(new)
    assert await schema_version(conn) == steps()[-1].number
    assert await conn.fetchval("SELECT account_id FROM channel_accounts") == "a"
    await conn.close()


async def test_a_backup_of_a_database_is_verified_before_it_is_restored(
    moved: World, url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    await write_backup(address(url), file, moved.now, quiet)
    with file.open("r+b") as opened:
        opened.seek(3_000)
        opened.write(b"\xff" * 10)
    empty = await postgres().empty_database()
    with pytest.raises(StoreBroken, match="hash"):
        await restore(address(empty), file, moved.now, quiet)
    manifest_path(file).unlink()
    with pytest.raises(StoreBroken):
        await restore(address(empty), file, moved.now, quiet)


async def test_yesterdays_backup_holds_what_waited_then(
    moved: World, url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    await write_backup(address(url), file, moved.now, quiet)
    sent_since = await moved.sends_in_order()
    empty = await postgres().empty_database()
    await restore(address(empty), file, At(moved.now + 86_400_000), quiet)
    stand_for(tmp_path / "back", empty)
    moved.clock.advance(3_600)
    back = await World(open_postgres, tmp_path / "back", moved.clock).open()
    assert await back.claim(9) == []
    assert await back.store.turns.claim(9, back.now) == []
    held = back.store.health.figures()["channel_outbox_held"]
    assert held == len(sent_since)
    assert await back.store.outbox_desk.release_held(None, back.now, "ann") == held + 1
    assert back.store.life.incarnation != moved.store.life.incarnation
    await back.store.close()
