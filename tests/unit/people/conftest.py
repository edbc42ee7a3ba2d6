"""People over a real store, with hashes that cost nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST

from tests.fakes.clock import FakeClock
from tests.store_template import lay_out
from wunder.people import lazy
from wunder.people.argon2id import Argon2id
from wunder.people.drafts import UserDraft
from wunder.people.noticed import NoticedEvents
from wunder.people.policy import PeoplePolicy
from wunder.people.room import Room, open_room
from wunder.people.sign_in import Opened, Whence
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.store import SqliteStore, open_store

GOOD = "purple giraffe umbrella"
HERE = Whence("192.0.2.1", "Browser")


@dataclass
class People:
    room: Room
    store: SqliteStore
    clock: FakeClock
    owners: set[str]

    async def make(
        self, name: str = "ann", role: str = "admin", password: str | None = GOOD
    ) -> str:
        draft = UserDraft(name=name, role=role, password=password)
        return (await self.room.users.create(draft, "test")).user_id

    async def sign_in(self, name: str = "ann", whence: Whence = HERE) -> Opened:
        return await self.room.sign_in.by_password(name, GOOD, whence)


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "argon2id", lambda: Argon2id(CHEAPEST))


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    clock = FakeClock()
    store = await open_store(lay_out(tmp_path / "data"), clock, StorePolicy(ballast_bytes=0))
    owners: set[str] = set()
    events = NoticedEvents(store.events)
    room = open_room(store, events, clock, PeoplePolicy(), owners.__contains__, str)
    yield People(room, store, clock, owners)
    await store.close()
