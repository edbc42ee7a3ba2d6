"""What every OutboxDesk promises: replay, selection, and letting go after a restore."""

import msgspec
import pytest

from tests.contracts.store_world import DAY_MS, World
from wunder.model.delivery import DeliveryState
from wunder.model.ids import At, DeliveryId, MessageId, SessionId, new_id
from wunder.model.trail import StepName
from wunder.upkeep.ledger import Correction, DeliveryFilter, SessionFilter

S = DeliveryState


async def finished(
    world: World, state: DeliveryState, text: str = "x", peer: str = "p1"
) -> DeliveryId:
    (delivery_id,) = await world.queue(text, peer=peer)
    await world.settle(await world.claim_one(), state)
    return delivery_id


@pytest.mark.parametrize("state", [S.FAILED, S.UNKNOWN, S.EXPIRED])
async def test_a_replay_is_the_same_row_with_the_same_key_at_the_tail(
    world: World, state: DeliveryState
) -> None:
    delivery_id = await finished(world, state, "replayed")
    await world.queue("waiting")
    world.clock.advance(3600)
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == [delivery_id]
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.replays, delivery.retries_used) == (S.PENDING, 1, 0)
    assert delivery.expires_at == world.now + DAY_MS, "its time begins anew"
    order = []
    for _ in range(2):
        claimed = await world.claim_one()
        order.append((claimed.message.text, claimed.idempotency_key == claimed.delivery_id))
        await world.settle(claimed)
    assert order == [("waiting", True), ("replayed", True)]


@pytest.mark.parametrize("state", [S.SENT, S.CANCELLED])
async def test_what_arrived_or_was_cancelled_is_not_replayed(
    world: World, state: DeliveryState
) -> None:
    delivery_id = await finished(world, state)
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == []


async def test_what_is_still_under_way_is_not_replayed(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == []
    assert await world.store.outbox_desk.replay([DeliveryId("nobody")], world.now, "ann") == []


async def test_a_replay_remembers_that_the_first_try_may_have_arrived(world: World) -> None:
    delivery_id = await finished(world, S.UNKNOWN)
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
    assert (await world.claim_one()).had_unknown


async def test_deliveries_of_a_deleted_account_are_not_replayed(world: World) -> None:
    account = world.account()
    await world.store.accounts.add(account)
    delivery_id = await finished(world, S.FAILED)
    await world.store.accounts.remove(account.account_uid, world.now)
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == []


async def test_who_replayed_is_in_the_trail(world: World) -> None:
    delivery_id = await finished(world, S.FAILED)
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
    root = (await world.delivery(delivery_id)).root_message_id
    assert root is not None
    step = (await world.store.ledger.trail(root))[-1]
    assert (step.step, step.detail["by"]) == (StepName.REPLAYED, "ann")


async def test_selection_is_by_state_place_and_time_oldest_first(world: World) -> None:
    desk = world.store.outbox_desk
    first = await finished(world, S.FAILED)
    world.clock.advance(60)
    second = await finished(world, S.UNKNOWN, peer="p2")
    await finished(world, S.SENT, peer="p3")
    both = DeliveryFilter(states=(S.FAILED, S.UNKNOWN))
    assert await desk.select(both, 9) == [first, second]
    assert await desk.select(both, 1) == [first]
    assert await desk.select(DeliveryFilter(states=(S.FAILED,)), 9) == [first]
    assert await desk.select(DeliveryFilter(peer_id="p2"), 9) == [second]
    assert await desk.select(DeliveryFilter(channel="none"), 9) == []
    assert await desk.select(DeliveryFilter(states=both.states, since=At(world.now)), 9) == [second]
    assert await desk.select(DeliveryFilter(states=both.states, until=At(world.now)), 9) == [first]


async def test_held_deliveries_go_in_order_once_a_person_lets_them(world: World) -> None:
    await world.queue("1", "2")
    await world.settle(await world.claim_one(), S.HELD)
    await world.queue("other", peer="p2")
    await world.settle(await world.claim_one(), S.HELD)
    assert await world.claim(9) == []
    assert await world.store.outbox_desk.release_held("nothing", world.now, "ann") == 0
    assert await world.store.outbox_desk.release_held("ch", world.now, "ann") == 2
    assert sorted(await world.sends_in_order()) == ["1", "2", "other"]


async def test_what_was_held_goes_in_small_commits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day's worth in one transaction would keep every message waiting, and outlive a node's lease."""
    monkeypatch.setattr("wunder.store.desk._AT_ONCE", 2)
    for number in range(5):
        await world.queue(f"text {number}", peer=f"p{number}")
        await world.settle(await world.claim_one(), S.HELD)
    before = world.store.health.figures()["commits"]
    assert await world.store.outbox_desk.release_held(None, world.now, "ann") == 5
    assert world.store.health.figures()["commits"] - before >= 3
    assert len(await world.sends_in_order()) == 5


async def test_held_deliveries_do_not_expire_by_having_been_held(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), S.HELD)
    world.clock.advance(3 * 86_400)
    await world.store.sweep()
    await world.store.outbox_desk.release_held(None, world.now, "ann")
    assert (await world.delivery(delivery_id)).expires_at == world.now + DAY_MS
    assert await world.sends_in_order() == ["x"]


async def test_a_cancelled_delivery_leaves_its_lane_and_the_next_goes(world: World) -> None:
    first, second, third = await world.queue("1", "2", "3")
    desk = world.store.outbox_desk
    assert await desk.cancel([second], world.now, "ann") == [second], "from the middle"
    assert await desk.cancel([first], world.now, "ann") == [first], "from the head"
    delivery = await world.delivery(first)
    assert (delivery.state, delivery.settled_at) == (S.CANCELLED, world.now)
    assert await world.sends_in_order() == ["3"]
    await world.queue("4")
    assert await world.sends_in_order() == ["4"]
    assert await world.state(third) is S.SENT
    figures = world.store.health.figures()
    assert figures["channel_outbox_cancelled"] == 2
    assert figures.get("channel_outbox_pending", 0) == 0


async def test_a_delivery_that_waits_for_its_retry_is_cancelled_and_never_tried_again(
    world: World,
) -> None:
    (delivery_id,) = await world.queue("late")
    await world.settle(await world.claim_one(), S.PENDING, retry_s=60)
    await world.queue("next")
    assert await world.store.outbox_desk.cancel([delivery_id], world.now, "ann") == [delivery_id]
    assert await world.sends_in_order() == ["next"], "its lane does not wait for the retry"
    world.clock.advance(120)
    assert await world.sends_in_order() == []
    assert (await world.delivery(delivery_id)).retry_at is None


async def test_what_a_restore_held_is_cancelled_and_what_follows_it_is_not(world: World) -> None:
    held, _ = await world.queue("held", "after")
    await world.settle(await world.claim_one(), S.HELD)
    desk = world.store.outbox_desk
    assert await desk.cancel([held], world.now, "ann") == [held]
    assert await desk.release_held(None, world.now, "ann") == 0
    assert await world.sends_in_order() == ["after"]


async def test_what_is_being_sent_or_is_over_is_not_cancelled(world: World) -> None:
    over = [await finished(world, state) for state in (S.SENT, S.FAILED, S.UNKNOWN, S.EXPIRED)]
    (under_way,) = await world.queue("under way", peer="p2")
    claimed = await world.claim_one()
    desk = world.store.outbox_desk
    ids = [*over, under_way, DeliveryId("nobody")]
    assert await desk.cancel(ids, world.now, "ann") == []
    await world.settle(claimed)
    assert await world.state(under_way) is S.SENT


async def test_cancelling_behind_one_that_is_being_sent_leaves_that_one_its_lane(
    world: World,
) -> None:
    await world.queue("under way")
    claimed = await world.claim_one()
    (behind,) = await world.queue("behind")
    await world.queue("last")
    assert await world.store.outbox_desk.cancel([behind], world.now, "ann") == [behind]
    assert await world.claim(9) == [], "the head is still being sent"
    await world.settle(claimed)
    assert await world.sends_in_order() == ["last"]


async def test_a_delivery_is_cancelled_once_and_who_did_it_is_in_the_trail(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    desk = world.store.outbox_desk
    assert await desk.cancel([delivery_id, delivery_id], world.now, "ann") == [delivery_id]
    assert await desk.cancel([delivery_id], world.now, "bob") == []
    root = (await world.delivery(delivery_id)).root_message_id
    assert root is not None
    steps = [one for one in await world.store.ledger.trail(root) if one.delivery_id]
    told = [(one.step, one.detail) for one in steps if one.step is StepName.CANCELLED]
    assert told == [(StepName.CANCELLED, {"by": "ann"})]


@pytest.mark.parametrize("state", [S.SENT, S.FAILED, S.UNKNOWN, S.EXPIRED])
async def test_a_forced_replay_sends_even_what_arrived_once_more_at_the_tail(
    world: World, state: DeliveryState
) -> None:
    delivery_id = await finished(world, state, "again")
    await world.queue("waiting")
    desk = world.store.outbox_desk
    forced = await desk.replay([delivery_id], world.now, "ann", is_forced=True)
    assert forced == [delivery_id]
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.replays, delivery.settled_at) == (S.PENDING, 1, None)
    assert await world.sends_in_order() == ["waiting", "again"]
    root = delivery.root_message_id
    assert root is not None
    steps = await world.store.ledger.trail(root)
    (step,) = [one for one in steps if one.step is StepName.REPLAYED]
    assert step.detail == ({"by": "ann", "forced": True} if state is S.SENT else {"by": "ann"})


async def test_a_forced_replay_does_not_touch_what_is_under_way_or_was_cancelled(
    world: World,
) -> None:
    cancelled = await finished(world, S.CANCELLED)
    (pending,) = await world.queue("x")
    ids = [cancelled, pending]
    assert await world.store.outbox_desk.replay(ids, world.now, "ann", is_forced=True) == []


async def test_a_forced_replay_of_a_long_text_begins_with_its_first_part(world: World) -> None:
    (delivery_id,) = await world.queue("long")
    (second,) = await world.settle(await world.claim_one(), S.SENDING, next_state={"at": 4})
    await world.settle(second)
    assert (await world.delivery(delivery_id)).part == 1
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann", is_forced=True)
    again = await world.claim_one()
    assert (again.part, again.part_state, again.begun_by) == (0, None, None)


async def test_a_forced_replay_has_receipts_of_its_own(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), provider_message_id="m1")
    await world.receipt("m1", "read")
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann", is_forced=True)
    assert (await world.delivery(delivery_id)).receipt == "none"
    await world.settle(await world.claim_one(), provider_message_id="m2")
    await world.receipt("m2", "delivered")
    assert (await world.delivery(delivery_id)).receipt == "delivered"


def corrected(delivery_id: DeliveryId, text: str = "right") -> Correction:
    return Correction(delivery_id, MessageId(new_id()), text)


@pytest.mark.parametrize("state", [S.FAILED, S.UNKNOWN, S.EXPIRED, S.CANCELLED])
async def test_a_corrected_delivery_is_a_new_one_at_the_tail_and_the_old_one_names_it(
    world: World, state: DeliveryState
) -> None:
    old_id = await finished(world, state, "wrong")
    before = await world.delivery(old_id)
    await world.queue("waiting")
    world.clock.advance(3600)
    desk = world.store.outbox_desk
    new_id_ = await desk.correct(corrected(old_id), world.now, "ann")
    assert new_id_ is not None
    old, new = await world.delivery(old_id), await world.delivery(new_id_)
    assert msgspec.structs.replace(old, successor_id="") == before, "it stays as it was"
    assert (old.successor_id, new.predecessor_id) == (new_id_, old_id)
    assert new.message_id != old.message_id
    assert new.root_message_id == old.root_message_id, "one trail"
    assert (new.peer_id, new.account_id, new.channel) == (old.peer_id, old.account_id, old.channel)
    assert (new.state, new.attempts, new.replays) == (S.PENDING, 0, 0)
    assert new.expires_at == world.now + DAY_MS, "its time is its own"
    assert new.reply_ordinal == old.reply_ordinal + 1, "to the platform it is another reply"
    assert await world.sends_in_order() == ["waiting", "right"]
    assert await world.state(old_id) is state
    figures = world.store.health.figures()
    assert (figures["channel_outbox_sent"], figures[f"channel_outbox_{state}"]) == (2, 1)
    assert figures.get("channel_outbox_pending", 0) == 0


async def test_what_arrived_or_is_under_way_is_not_corrected(world: World) -> None:
    sent = await finished(world, S.SENT)
    (pending,) = await world.queue("x")
    await world.claim_one()
    (behind,) = await world.queue("y")
    desk = world.store.outbox_desk
    for one in (sent, pending, behind, DeliveryId("nobody")):
        assert await desk.correct(corrected(one), world.now, "ann") is None
    page = await world.store.ledger.deliveries(DeliveryFilter(), 9, "")
    assert len(page.items) == 3, "nothing was made"


async def test_a_delivery_is_corrected_once_and_the_same_correction_again_is_the_same_delivery(
    world: World,
) -> None:
    old_id = await finished(world, S.FAILED, "wrong")
    desk = world.store.outbox_desk
    correction = corrected(old_id)
    first = await desk.correct(correction, world.now, "ann")
    assert await desk.correct(correction, world.now, "ann") == first, "as after a lost commit"
    assert await desk.correct(corrected(old_id, "other"), world.now, "bob") is None
    assert await world.sends_in_order() == ["right"]


async def test_what_was_corrected_is_not_replayed_and_its_successor_is(world: World) -> None:
    old_id = await finished(world, S.FAILED, "wrong")
    desk = world.store.outbox_desk
    new_id_ = await desk.correct(corrected(old_id), world.now, "ann")
    assert new_id_ is not None
    await world.settle(await world.claim_one(), S.FAILED)
    assert await desk.replay([old_id, new_id_], world.now, "ann") == [new_id_]
    assert await world.sends_in_order() == ["right"]
    assert await desk.replay([old_id], world.now, "ann", is_forced=True) == []


async def test_a_correction_of_a_correction_corrects_the_last_one(world: World) -> None:
    old_id = await finished(world, S.FAILED, "wrong")
    desk = world.store.outbox_desk
    second = await desk.correct(corrected(old_id, "nearly"), world.now, "ann")
    assert second is not None
    assert await desk.cancel([second], world.now, "ann") == [second]
    third = await desk.correct(corrected(second), world.now, "ann")
    assert third is not None
    assert (await world.delivery(third)).predecessor_id == second
    assert await world.sends_in_order() == ["right"]


async def test_the_new_message_has_what_the_old_one_had_but_its_text_and_joins_the_session(
    world: World,
) -> None:
    old_id = await finished(world, S.FAILED, "wrong")
    new_id_ = await world.store.outbox_desk.correct(
        corrected(old_id, "right\x00"), world.now, "ann"
    )
    assert new_id_ is not None
    claimed = await world.claim_one()
    ledger = world.store.ledger
    old = await ledger.message((await world.delivery(old_id)).message_id)
    new = await ledger.message(claimed.message.message_id)
    assert old is not None
    assert new is not None
    own = {"message_id": old.message_id, "text": old.text}
    assert msgspec.structs.replace(new, **own) == old
    assert new.text == "right\ufffd"
    assert claimed.message.reply_to is not None
    history = await world.store.turns.history(SessionId("s1"), 9)
    assert [line.text for line in history] == ["question", "wrong", "right\ufffd"]
    (session,) = (await ledger.sessions(SessionFilter(), 9, "")).items
    assert session.message_count == 3


async def test_who_corrected_and_which_delivery_follows_is_in_the_trail(world: World) -> None:
    old_id = await finished(world, S.FAILED, "wrong")
    new_id_ = await world.store.outbox_desk.correct(corrected(old_id), world.now, "ann")
    assert new_id_ is not None
    root = (await world.delivery(old_id)).root_message_id
    assert root is not None
    steps = await world.store.ledger.trail(root)
    told = [(one.step, one.delivery_id, one.detail) for one in steps[-2:]]
    assert told == [
        (StepName.CORRECTED, old_id, {"by": "ann", "successor": new_id_}),
        (StepName.QUEUED, new_id_, {"by": "ann", "predecessor": old_id}),
    ]
    assert "right" not in str(steps), "texts are never told"


async def test_a_message_sent_first_is_corrected_as_one_sent_first(world: World) -> None:
    old_id = await world.send_first("wrong")
    await world.settle(await world.claim_one(), S.FAILED)
    new_id_ = await world.store.outbox_desk.correct(corrected(old_id), world.now, "ann")
    assert new_id_ is not None
    new = await world.delivery(new_id_)
    assert (new.root_message_id, new.reply_ordinal) == (None, 0)
    assert await world.sends_in_order() == ["right"]
    assert (await world.steps(new.message_id))[0] is StepName.QUEUED
    assert (await world.steps((await world.delivery(old_id)).message_id))[-1] is StepName.CORRECTED


async def test_deliveries_of_a_deleted_account_are_not_corrected(world: World) -> None:
    account = world.account()
    await world.store.accounts.add(account)
    old_id = await finished(world, S.FAILED)
    await world.store.accounts.remove(account.account_uid, world.now)
    assert await world.store.outbox_desk.correct(corrected(old_id), world.now, "ann") is None
