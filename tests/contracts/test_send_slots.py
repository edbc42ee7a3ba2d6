"""The door SendSlots: a slot names account and release, and comes back."""

from contextlib import asynccontextmanager

import pytest

from tests.fakes.send_slots import FakeSendSlots
from tests.journeys.corridor import corridor
from tests.waiting import until

UID = f"{'main':0<32}"


@asynccontextmanager
async def fake(tmp_path):
    yield FakeSendSlots(free=16)


@asynccontextmanager
async def dispatcher(tmp_path):
    async with corridor(tmp_path) as here:
        await until(lambda: here.dispatcher.reserve(UID) is not None)  # run() has begun
        here.slots.put_back(UID, here.platform.facts.release, 1)
        yield here.dispatcher


@pytest.fixture(params=[fake, dispatcher])
async def slots(request, tmp_path):
    async with request.param(tmp_path) as door:
        yield door


def everything(slots) -> list:
    grants = []
    while (grant := slots.reserve(UID)) is not None:
        grants.append(grant)
    return grants


async def test_a_grant_names_the_account_and_the_release_that_will_write(slots) -> None:
    grant = slots.reserve(UID)
    assert (grant.account_uid, grant.release.plugin_id, grant.limit) == (UID, "chat", 1)
    slots.release(grant)


async def test_slots_run_out_and_come_back(slots) -> None:
    grants = everything(slots)
    assert len(grants) == 16  # of one account (plugin protocol 1, Concurrency)
    assert slots.reserve(UID) is None
    for grant in grants:
        slots.release(grant)
    assert len(everything(slots)) == 16


async def test_waking_never_blocks(slots) -> None:
    slots.wake(UID)
    slots.wake()
