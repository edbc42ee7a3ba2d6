"""What every QuarantineTable promises: lists, one item with its body, back to the spool, gone."""

from typing import Any

from tests.contracts.store_world import UID, World
from wunder.model.ids import AccountUid
from wunder.model.intake import NewQuarantine, SpoolVerdict
from wunder.upkeep.quarantine import QuarantineFilter, QuarantineItem


async def items(world: World, **where: Any) -> list[QuarantineItem]:
    table = world.store.upkeep.quarantine
    return list((await table.items(QuarantineFilter(**where), 100, "")).items)


async def set_aside(world: World, reason: str = "malformed", body: bytes = b"{bad") -> None:
    unit = world.unit(quarantine=[NewQuarantine(reason, body, "words")])
    await world.store.intake.take_in(unit)


async def test_what_was_set_aside_is_listed_newest_first(world: World) -> None:
    await set_aside(world)
    await set_aside(world, "too_deep", b"[[[")
    newest, oldest = await items(world)
    assert (newest.reason, oldest.reason) == ("too_deep", "malformed")
    assert (oldest.account_uid, oldest.detail, oldest.size_bytes) == (UID, "words", 4)
    assert oldest.is_request is False
    assert [one.reason for one in await items(world, reason="malformed")] == ["malformed"]
    assert await items(world, account_id="nobody") == []


async def test_one_item_comes_with_its_body(world: World) -> None:
    await set_aside(world, body=b"\x00\xff{bad")
    (item,) = await items(world)
    found = await world.store.upkeep.quarantine.item(item.quarantine_id)
    assert found == (item, b"\x00\xff{bad")
    assert await world.store.upkeep.quarantine.item("nobody") is None


async def test_lists_are_paged(world: World) -> None:
    for number in range(5):
        await set_aside(world, f"r{number}")
    table = world.store.upkeep.quarantine
    first = await table.items(QuarantineFilter(), 3, "")
    rest = await table.items(QuarantineFilter(), 3, first.next_cursor)
    reasons = [one.reason for one in (*first.items, *rest.items)]
    assert reasons == ["r4", "r3", "r2", "r1", "r0"]
    assert rest.next_cursor == ""


async def test_a_request_goes_back_to_the_spool_as_it_came(world: World) -> None:
    request = world.spooled()
    await world.store.intake.spool(request)
    verdict = SpoolVerdict.QUARANTINED
    await world.store.intake.settle_spooled(request, verdict, world.now, "internal")
    (item,) = await items(world)
    assert (item.quarantine_id, item.is_request) == (request.spool_id, True)
    table = world.store.upkeep.quarantine
    assert await table.respool(item.quarantine_id)
    assert await items(world) == []
    (back,) = await world.store.intake.due_spooled(world.now, 9)
    assert back == request
    figures = world.store.health.figures()
    assert (figures["channel_spool"], figures["channel_quarantine"]) == (1, 0)
    assert not await table.respool(item.quarantine_id)


async def test_what_is_dropped_is_gone(world: World) -> None:
    await set_aside(world)
    (item,) = await items(world)
    table = world.store.upkeep.quarantine
    assert await table.remove(item.quarantine_id)
    assert not await table.remove(item.quarantine_id)
    assert await items(world) == []
    assert world.store.health.figures()["channel_quarantine"] == 0


async def test_another_accounts_items_are_its_own(world: World) -> None:
    await set_aside(world)
    await world.store.intake.spool(world.spooled(uid=AccountUid("acc-2")))
    assert len(await items(world, channel="ch", account_id="main")) == 1
