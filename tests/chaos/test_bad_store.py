"""A full, locked, read-only, damaged or foreign store: said clearly, nothing lost, never overwritten."""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.chaos.held_platform import HeldPlatform, held_platform
from tests.chaos.rough_channel import package
from tests.chaos.small_disk import MIB, fill, free_bytes, make_read_only, need_mounts, small_disk
from tests.chaos.world import enable, until
from tests.journeys.gateway_process import GatewayProcess

pytestmark = [pytest.mark.process, pytest.mark.chaos]
CHANNEL = "calm_sea"
QUICK = {
    "WUNDER_RETRY_BASE_S": "0.1",
    "WUNDER_RETRY_CAP_S": "0.5",
    "WUNDER_DISPATCHER_STORE_RETRY_S": "0.1",
}


@dataclass
class Shop:
    """A gateway with one channel, one account, and its platform."""

    gateway: GatewayProcess
    platform: HeldPlatform

    def post(self, number: int, peer: str = "") -> tuple[int, dict[str, str], bytes]:
        """Deliver a message; status, headers and body of the answer."""
        note = {
            "id": f"m-{number}",
            "peer_kind": "user",
            "peer": peer or f"peer-{number}",
            "text": f"m-{number}",
        }
        url = f"{self.gateway.url}/wunder/channel/{CHANNEL}/main/webhook"
        request = Request(url, json.dumps(note).encode(), method="POST")
        try:
            with urlopen(request, timeout=20) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except HTTPError as error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    async def accept(self, number: int) -> None:
        """Deliver a message that must be taken."""
        status, _, body = await asyncio.to_thread(self.post, number)
        assert status == 200, body

    def is_taken(self, number: int) -> bool:
        """Deliver a message; True when it was accepted."""
        return self.post(number)[0] == 200

    def states(self) -> list[str]:
        """States of all deliveries, oldest first."""
        page = self.gateway.get("channels/outbox", limit="200")
        return [row["state"] for row in reversed(page["items"])]

    def ready(self) -> int:
        """What /readyz answers."""
        try:
            with urlopen(f"{self.gateway.url}/readyz", timeout=10) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code


@asynccontextmanager
async def shop(data_dir: Path, **settings: str) -> AsyncIterator[Shop]:
    """Start everything."""
    async with held_platform() as platform:
        gateway = GatewayProcess(data_dir, **{**QUICK, **settings})
        with gateway:
            await asyncio.to_thread(open_channel, gateway, platform.port)
            yield Shop(gateway, platform)


def open_channel(gateway: GatewayProcess, port: int) -> None:
    """Install the channel and make its account."""
    enable(gateway, CHANNEL, package(CHANNEL, idempotency={"window_s": 300}))
    config = {"port": port, "folds": True}
    account = {"channel": CHANNEL, "account_id": "main", "provider_config": config}
    gateway.call("POST", "channels/accounts", account)


# --- while it runs -----------------------------------------------------------------------------------


async def test_a_full_disk_refuses_intake_keeps_outcomes_and_recovers_by_itself(
    tmp_path: Path,
) -> None:
    sizes = {
        "WUNDER_STORE_BALLAST_BYTES": str(4 * MIB),
        "WUNDER_STORE_FREE_FLOOR_BYTES": str(8 * MIB),
    }
    with small_disk(tmp_path / "disk", 64 * MIB) as disk:
        async with shop(disk / "data", **sizes) as here:
            here.platform.hold()
            for number in range(8):
                await here.accept(number)
            await until(lambda: len(here.platform.arrived) == 8, 10)
            filler = await asyncio.to_thread(fill, disk)
            assert free_bytes(disk) == 0

            status, headers, body = await asyncio.to_thread(here.post, 100)
            assert (status, headers["content-type"]) == (503, "application/problem+json"), body
            assert int(headers["retry-after"]) > 0
            assert await asyncio.to_thread(here.ready) == 503
            assert await asyncio.to_thread(here.gateway.get, "/healthz")

            here.platform.let_go()
            await until(lambda: here.states() == ["sent"] * 8, 20)
            assert (await asyncio.to_thread(here.post, 101))[0] == 503

            filler.unlink()
            await until(lambda: here.is_taken(102), 20)
            await until(lambda: here.states() == ["sent"] * 9, 20)
            await until(lambda: here.ready() == 200, 5)
        assert sorted(here.platform.texts) == sorted([*(f"m-{n}" for n in range(8)), "m-102"])


async def test_a_store_locked_by_another_program_is_waited_for_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path / "data") as here:
        here.platform.hold()
        await here.accept(1)
        await until(lambda: here.platform.texts == ["m-1"], 10)
        with closing(sqlite3.connect(database(here.gateway.data_dir), timeout=30)) as other:
            other.isolation_level = None
            other.execute("BEGIN IMMEDIATE")
            here.platform.let_go()
            status, headers, body = await asyncio.to_thread(here.post, 2)
            assert status == 503, body
            assert int(headers["retry-after"]) > 0
            assert await asyncio.to_thread(here.ready) == 503
            assert here.states() == ["sending"]
            other.execute("ROLLBACK")
        await until(lambda: here.is_taken(2), 20)
        await until(lambda: here.states() == ["sent", "sent"], 20)
        assert here.platform.texts == ["m-1", "m-2"]


async def test_a_second_gateway_on_the_same_data_dir_is_refused_and_the_first_goes_on(
    tmp_path: Path,
) -> None:
    async with shop(tmp_path / "data") as here:
        code, said = await asyncio.to_thread(refused_start, here.gateway.data_dir)
        assert code not in (0, None)
        assert str(here.gateway.pid) in said
        assert "in use" in said
        await here.accept(1)
        await until(lambda: here.platform.texts == ["m-1"], 10)


# --- at start ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def left_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that was used and left in good order: once for all who spoil it."""

    async def use(data_dir: Path) -> None:
        async with shop(data_dir) as here:
            for number in range(20):
                await here.accept(number)
            await until(lambda: here.states() == ["sent"] * 20, 20)

    made = tmp_path_factory.mktemp("left") / "data"
    asyncio.run(use(made))
    return made


@pytest.fixture
def used_dir(left_dir: Path, tmp_path: Path) -> Path:
    """One of a test's own."""
    return shutil.copytree(left_dir, tmp_path / "data", symlinks=True)


def spoil_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"this was a database once" * 4)


def spoil_pages(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for at in range(4096, size, 8192):
            file.seek(at)
            file.write(b"\xa5" * 512)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def replace_with_text(path: Path) -> None:
    path.write_text("dear diary\n" * 1000)


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9999")


@pytest.mark.parametrize("spoil", [spoil_header, spoil_pages, cut_short, replace_with_text])
async def test_a_damaged_store_is_refused_at_start_and_left_as_it_is(used_dir: Path, spoil) -> None:
    spoil(database(used_dir))
    before = contents(used_dir)
    code, said = await asyncio.to_thread(refused_start, used_dir)
    assert code not in (0, None)
    assert "backup" in said, said
    assert "Traceback" not in said
    assert contents(used_dir) == before


async def test_a_store_of_a_newer_program_is_refused_and_left_as_it_is(used_dir: Path) -> None:
    make_newer(database(used_dir))
    before = contents(used_dir)
    code, said = await asyncio.to_thread(refused_start, used_dir)
    assert code not in (0, None)
    assert "9999" in said
    assert "newer" in said
    assert contents(used_dir) == before


async def test_a_store_that_is_good_starts_again(used_dir: Path) -> None:
    with GatewayProcess(used_dir) as gateway:
        assert len(gateway.get("channels/outbox", limit="200")["items"]) == 20


async def test_a_read_only_data_dir_is_refused_at_start(tmp_path: Path) -> None:
    need_mounts()
    with small_disk(tmp_path / "disk", 16 * MIB) as disk:
        (disk / "data").mkdir()
        make_read_only(disk)
        code, said = await asyncio.to_thread(refused_start, disk / "data")
        assert code not in (0, None)
        assert str(disk / "data") in said
        assert "writable" in said or "ead-only" in said
        assert "Traceback" not in said


async def test_a_used_data_dir_that_became_read_only_is_refused_and_left_as_it_is(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 64 * MIB) as disk:
        async with shop(disk / "data") as here:
            await here.accept(1)
            await until(lambda: here.states() == ["sent"], 10)
        make_read_only(disk)
        before = contents(disk / "data")
        code, said = await asyncio.to_thread(refused_start, disk / "data")
        assert code not in (0, None)
        assert "Traceback" not in said
        assert contents(disk / "data") == before


def database(data_dir: Path) -> Path:
    """The one database file."""
    return next(data_dir.glob("*.db"))


def contents(data_dir: Path) -> dict[str, str]:
    """Hash of the database and of what SQLite keeps beside it that is no scratch memory."""
    files = [path for path in data_dir.glob("*.db*") if not path.name.endswith("-shm")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused_start(data_dir: Path) -> tuple[int | None, str]:
    """Start a gateway that must not start; exit code and what it said."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("WUNDER_")}
    environ |= {"WUNDER_DATA_DIR": str(data_dir), "WUNDER_SERVER_PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "wunder.cli.main", "serve"],
        env=environ,
        capture_output=True,
        timeout=40,
        check=False,
        text=True,
    )
    return ended.returncode, ended.stdout + ended.stderr
