"""How a node knows that what it claimed is still its own, and what time the database has."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.clock import FakeClock
from tests.postgres_server import postgres
from wunder.model.ids import At
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.store import PostgresStore, open_store

POLICY = StorePolicy(ballast_bytes=0, lease_s=15)
HOUR_MS = 3_600_000


class Node:
    """One node, its clock, and what it heard of the database's."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.times: list[At] = []

    async def open(self, place: Path, url: str) -> PostgresStore:
        address = Address(url, POLICY)
        return await open_store(address, place, self.clock, on_time=self._heard)

    def _heard(self, at: At, _asked_s: float) -> None:
        self.times.append(at)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
async def store(node: Node, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    opened = await node.open(tmp_path / "data", await postgres().lend_database())
    yield opened
    await opened.close()


async def test_a_lease_that_was_not_prolonged_in_time_is_not_relied_on(
    node: Node, store: PostgresStore
) -> None:
    epoch = store.life.epoch
    assert store.life.tenure.holds(epoch)
    node.clock.advance(14)
    assert store.life.tenure.holds(epoch)
    node.clock.advance(2)
    assert not store.life.tenure.holds(epoch)
    await store.look_after_leases()
    assert store.life.tenure.holds(epoch), "nobody took it: it goes on"


async def test_a_new_life_holds_nothing_of_the_old_one(
    store: PostgresStore, tmp_path: Path
) -> None:
    old = store.life.epoch
    await store._writer.commit(store.life.release)
    other = await Node().open(tmp_path / "other", store.health._address._url)
    await other.close()
    await store.look_after_leases()
    assert store.life.epoch > old
    assert not store.life.tenure.holds(old)
    assert store.life.tenure.holds(store.life.epoch)


async def test_the_databases_time_is_heard_before_anything_is_written_and_with_each_commit(
    node: Node, store: PostgresStore
) -> None:
    before = len(node.times)
    assert before
    await store.look_after_leases()
    assert len(node.times) > before
    assert all(abs(at - node.times[0]) < HOUR_MS for at in node.times)
