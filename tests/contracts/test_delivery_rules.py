"""What every store promises beside its doors (delivery semantics): rows, batches, small clock steps."""

import asyncio
import random

import msgspec
import pytest

from tests.contracts import raw_rows
from tests.contracts.store_world import UID, World
from tests.contracts.test_plugin_table import release, row
from wunder.accounts.keyring import open_keyring
from wunder.inbound.spool import Spool, SpoolPolicy
from wunder.model.account import Account
from wunder.model.delivery import DeliveryState, Evidence
from wunder.model.ids import At
from wunder.model.intake import Taken
from wunder.model.provider import RawRequest


async def test_a_new_channel_adds_no_table_and_no_column(world: World) -> None:
    """Installed, with an account, a conversation and a delivery: what it stores are rows."""
    before = await raw_rows.schema(world)
    assert len(before) > 100
    await world.store.plugins.add_release(release(), "Demo")
    await world.store.plugins.put_plugin(row())
    account = msgspec.structs.replace(world.account(), channel="demo")
    await world.store.accounts.add(account)
    await world.queue("x")
    await world.sends_in_order()
    assert await raw_rows.schema(world) == before


async def test_what_was_claimed_and_never_marked_is_pending_again_after_a_death(
    world: World,
) -> None:
    (delivery_id,) = await world.queue("hello")
    await world.claim_one()
    await raw_rows.run(world, "UPDATE channel_outbox SET state = 'claimed'")
    await world.die_and_return()
    assert await world.state(delivery_id) is DeliveryState.PENDING
    assert await world.sends_in_order() == ["hello"]


@pytest.mark.parametrize("seed", range(3))
async def test_a_shuffled_batch_with_duplicates_tells_everybody_their_own_result(
    world: World, seed: int
) -> None:
    """Equal keys are folded before the statement, results are found by id and never by position."""
    names = [f"pm-{number}" for number in range(12) for _ in range(3)]
    random.Random(seed).shuffle(names)
    asked = [world.new(name, f"peer-{name}", platform_id=name) for name in names]
    taken = await asyncio.gather(*(world.store.intake.take_in(world.unit(new), 1) for new in asked))
    first: set[str] = set()
    for name, new, found in zip(names, asked, taken, strict=True):
        is_first = name not in first
        first.add(name)
        expected = Taken.ACCEPTED if is_first else Taken.DUPLICATE
        assert found.results == {new.message.message_id: expected}
        claimed = [turn.message.message_id for turn in found.claimed]
        assert claimed == ([new.message.message_id] if is_first else [])
        texts = [turn.message.content.text for turn in found.claimed]
        assert texts == ([name] if is_first else [])


async def test_a_step_of_the_clock_within_five_seconds_is_none(world: World) -> None:
    (delivery_id,) = await world.queue("x", ttl_ms=3_000)
    world.clock.step_wall(4.5)
    await world.store.sweep()
    assert await world.state(delivery_id) is DeliveryState.EXPIRED


async def test_what_is_spooled_is_sealed_and_comes_back_as_it_came(world: World) -> None:
    keyring = await open_keyring(
        world.dir, world.store.key_check, holds_ciphertext=False, credentials_dir=None
    )
    spool = Spool(world.store.intake, keyring, world.clock, world.store.events, SpoolPolicy())
    body = b"a text that nobody else should read"
    request = RawRequest("POST", "/hook", (("a", "1"),), (("x", "y"),), body, "::1", world.now)
    assert await spool.keep(Account(world.account(), {}), request)
    world.clock.advance(600)
    ((sealed,),) = await raw_rows.run(world, "SELECT sealed FROM channel_spool")
    assert body not in bytes(sealed)
    assert b"/hook" not in bytes(sealed)
    (due,) = await spool.due(9)
    assert (spool.unseal(due), due.account_uid) == (request, UID)
    assert due.received_at == request.received_at


async def test_late_proof_of_one_call_opens_no_lane_that_rests_for_a_later_one(
    world: World,
) -> None:
    await world.queue("1", "2", "3")
    tombstone_ms = int(world.policy.tombstone_s * 1000)
    first = await world.claim_one()
    await world.settle(first, DeliveryState.UNKNOWN, lane_until=At(world.now + tombstone_ms))
    world.clock.advance(world.policy.tombstone_s + 1)
    second = await world.claim_one()
    await world.settle(second, DeliveryState.UNKNOWN, lane_until=At(world.now + tombstone_ms))
    assert await world.store.outbox.confirm(Evidence(first.attempt_id, "m-1", world.now))
    assert await world.state(first.delivery_id) is DeliveryState.SENT
    assert await world.claim() == [], "the second call may still be running"
    assert await world.store.outbox.confirm(Evidence(second.attempt_id, "m-2", world.now))
    assert await world.sends_in_order() == ["3"]
