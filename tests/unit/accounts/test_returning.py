"""Drafts: saved while the channel was away, judged when it is back, and said so either way."""

import asyncio

import msgspec
import pytest

from tests.unit.accounts.test_desk import GOOD, create
from wunder.accounts.drafts import AccountChanges
from wunder.accounts.returning import LOOK_EVERY_S, Drafts
from wunder.model.fault import FaultKind
from wunder.model.provider import ConfigVerdict


@pytest.fixture
def drafts(world) -> Drafts:
    return Drafts(world.accounts, world.book, world.providers, world.events, world.clock)


async def status(world, account_id: str = "main") -> str:
    return (await world.accounts.get("chat", account_id)).status


async def test_a_draft_enables_itself_when_its_channel_is_back(world, drafts):
    world.provider.fault = FaultKind.PLUGIN_CRASHED
    await create(world)
    assert await drafts.look() == 0
    assert await status(world) == "draft"
    world.provider.fault = None
    world.provider.verdict = ConfigVerdict(is_ok=True, external_id="ext", display_name="Shop")
    assert await drafts.look() == 1
    view = await world.accounts.get("chat", "main")
    assert (view.status, view.external_id, view.display_name) == ("enabled", "ext", "Shop")
    assert world.book.named("chat", "main").row.status == "enabled"
    assert world.events.names()[-1] == "draft_enabled"
    assert await drafts.look() == 0


async def test_a_draft_that_is_wrong_stays_one_and_it_is_said_once(world, drafts):
    world.provider.fault = FaultKind.BUSY
    await create(world)
    world.provider.fault = None
    world.provider.refuse("/app_id", "there is no such app")
    for _ in range(3):
        assert await drafts.look() == 0
    assert await status(world) == "draft"
    said = [event for event in world.events.seen if event.name == "draft_refused"]
    assert [(event.level, event.fields["fields"]) for event in said] == [
        ("warning", ["/provider_config/app_id"])
    ]
    assert len(world.provider.asked) == 2, "asked once when saved, once when back"


async def test_a_change_or_another_release_is_judged_anew(world, drafts):
    world.provider.fault = FaultKind.BUSY
    await create(world)
    world.provider.fault = None
    world.provider.refuse("/app_id", "no")
    await drafts.look()
    facts = world.provider.facts
    other = msgspec.structs.replace(facts.release, version="9.9.9")
    world.provider.facts = msgspec.structs.replace(facts, release=other)
    world.provider.verdict = ConfigVerdict(is_ok=True)
    assert await drafts.look() == 1


async def test_a_login_that_is_in_use_meanwhile_is_not_enabled_twice(world, drafts):
    world.provider.fault = FaultKind.BUSY
    await create(world)
    world.provider.fault = None
    await create(world, "two", {**GOOD})
    assert await drafts.look() == 0
    assert (await status(world), await status(world, "two")) == ("draft", "enabled")
    assert world.events.names()[-1] == "draft_refused"


async def test_what_was_disabled_by_hand_stays_so(world, drafts):
    await create(world)
    await world.accounts.patch("chat", "main", AccountChanges(is_enabled=False), None, "ann")
    assert await drafts.look() == 0
    assert await status(world) == "disabled"


async def test_it_looks_by_itself(world, drafts):
    world.provider.fault = FaultKind.BUSY
    await create(world)
    world.provider.fault = None
    async with asyncio.TaskGroup() as tg:
        task = tg.create_task(drafts.run())
        while await status(world) != "enabled":
            world.clock.advance(LOOK_EVERY_S)
            await asyncio.sleep(0.01)
        task.cancel()
