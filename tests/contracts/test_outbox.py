"""What every Outbox promises: delivery lanes, T3, T4, parts, the unknown, evidence (delivery semantics)."""

import asyncio
import random

import msgspec
import pytest

from tests.contracts.store_world import DAY_MS, OTHER_RELEASE, RELEASE, UID, World
from wunder.errors import Conflict
from wunder.model.account import DeliverySettings
from wunder.model.delivery import DELIVERY_MOVES, ClaimedDelivery, DeliveryState, Evidence
from wunder.model.ids import AccountUid, At, AttemptId, DeliveryId
from wunder.model.trail import StepName

S = DeliveryState


def evidence(world: World, delivery: ClaimedDelivery, provider_id: str = "", **given) -> Evidence:
    return Evidence(delivery.attempt_id, provider_id, world.now, **given)


# --- lanes -----------------------------------------------------------------------------------------


async def test_deliveries_of_a_conversation_go_out_in_order(world: World) -> None:
    await world.queue("1", "2")
    await world.queue("3")
    await world.send_first("4")
    assert await world.sends_in_order() == ["1", "2", "3", "4"]


async def test_place_decides_and_neither_ids_nor_clocks(world: World) -> None:
    """The three naive orders (by id, by uuid, by time) each reorder this conversation."""
    texts = [str(n) for n in range(12)]
    for text in texts:
        world.clock.step_wall(random.Random(text).choice([-600, 600]))
        await world.send_first(text)
    world.clock.step_wall(3600)
    assert await world.sends_in_order() == texts


async def test_only_the_head_of_a_conversation_may_be_claimed(world: World) -> None:
    await world.queue("1", "2", "3")
    assert [d.message.text for d in await world.claim(9)] == ["1"]
    assert await world.claim(9) == []


async def test_a_head_that_waits_for_its_retry_holds_its_own_lane(world: World) -> None:
    await world.queue("1", "2")
    await world.queue("other", peer="p2")
    first = await world.claim_one()
    assert first.message.text == "1"
    await world.settle(first, S.PENDING, retry_s=30, uses_retry=True)
    assert [d.message.text for d in await world.claim(9)] == ["other"]
    world.clock.advance(30)
    assert [d.message.text for d in await world.claim(9)] == ["1"]


@pytest.mark.parametrize("state", [S.SENT, S.FAILED, S.EXPIRED, S.CANCELLED, S.UNKNOWN])
async def test_a_finished_head_releases_its_lane(world: World, state: DeliveryState) -> None:
    await world.queue("1", "2")
    await world.settle(await world.claim_one(), state)
    assert (await world.claim_one()).message.text == "2"


async def test_a_held_head_keeps_its_lane(world: World) -> None:
    await world.queue("1", "2")
    await world.settle(await world.claim_one(), S.HELD)
    assert await world.claim(9) == []


async def test_an_unknown_whose_call_may_still_run_keeps_the_lane_until_then(world: World) -> None:
    await world.queue("1", "2")
    first = await world.claim_one()
    until = At(world.now + 60_000)
    await world.settle(first, S.UNKNOWN, lane_until=until, take_next=True)
    await world.send_first("3")
    assert await world.claim(9) == []
    assert (await world.store.outbox.ready(world.now)).next_at == until
    world.clock.advance(60)
    assert await world.sends_in_order() == ["2", "3"]


async def test_a_resting_empty_lane_is_not_free_for_a_reply_born_sending(world: World) -> None:
    await world.queue("1")
    first = await world.claim_one()
    await world.settle(first, S.UNKNOWN, lane_until=At(world.now + 60_000))
    committed = await world.answer(await world.turn(), "2", grant=world.grant())
    assert committed.claimed == ()
    assert await world.claim(9) == []
    world.clock.advance(60)
    assert await world.sends_in_order() == ["2"]


async def test_late_proof_opens_a_resting_lane(world: World) -> None:
    await world.queue("1", "2")
    first = await world.claim_one()
    await world.settle(first, S.UNKNOWN, lane_until=At(world.now + 60_000))
    assert await world.store.outbox.confirm(evidence(world, first))
    assert (await world.claim_one()).message.text == "2"


async def test_a_head_is_claimed_once_however_many_ask(world: World) -> None:
    for n in range(10):
        await world.queue("x", peer=f"p{n}")
    claims = await asyncio.gather(*(world.claim(3) for _ in range(8)))
    ids = [d.delivery_id for claimed in claims for d in claimed]
    assert len(ids) == len(set(ids)) == 10


# --- who has work ------------------------------------------------------------------------------------


async def test_ready_names_accounts_with_due_heads_and_the_next_look(world: World) -> None:
    assert (await world.store.outbox.ready(world.now)).accounts == {}
    await world.answer(await world.turn(uid=AccountUid("a")), "x")
    await world.answer(await world.turn(uid=AccountUid("b")), "x")
    ready = await world.store.outbox.ready(world.now)
    assert (ready.accounts, ready.next_at) == ({"a": 1, "b": 1}, None)
    delivery = await world.claim_one(uid="a")
    await world.settle(delivery, S.PENDING, retry_s=7)
    ready = await world.store.outbox.ready(world.now)
    assert (ready.accounts, ready.next_at) == ({"b": 1}, world.now + 7_000)


async def test_the_account_that_waited_longest_is_named_first(world: World) -> None:
    for uid in ("c", "a", "b"):
        await world.answer(await world.turn(uid=AccountUid(uid)), "x")
        world.clock.advance(1)
    ready = await world.store.outbox.ready(world.now)
    assert list(ready.accounts) == ["c", "a", "b"]


async def test_ready_tells_how_many_heads_are_due_so_that_no_slot_is_kept_from_others(
    world: World,
) -> None:
    for n in range(18):
        await world.answer(await world.turn(f"{n}", peer=f"p{n}"), "x")
        if n < 3:
            ready = await world.store.outbox.ready(world.now)
            assert list(ready.accounts.values()) == [n + 1]
    assert list((await world.store.outbox.ready(world.now)).accounts.values()) == [16]


async def test_claims_keep_to_their_grants(world: World) -> None:
    for n in range(4):
        await world.queue("x", peer=f"a{n}")
        await world.answer(await world.turn(peer=f"b{n}", uid=AccountUid("acc-2")), "x")
    grants = [world.grant(2), world.grant(3, "acc-2"), world.grant(9, "nobody")]
    claimed = await world.store.outbox.claim(grants, world.now)
    uids = [d.message.conversation.account_uid for d in claimed]
    assert (uids.count(UID), uids.count(AccountUid("acc-2"))) == (2, 3)


# --- T3 ----------------------------------------------------------------------------------------------


async def test_a_claim_commits_the_attempt_before_anything_is_sent(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    assert await world.state(delivery_id) is S.SENDING
    (attempt,) = await world.attempts(delivery_id)
    assert (attempt.attempt_id, attempt.attempt_no) == (claimed.attempt_id, 1)
    assert (attempt.plugin_id, attempt.version) == (RELEASE.plugin_id, RELEASE.version)
    assert (attempt.account_uid, attempt.account_id) == (UID, "main")
    assert (attempt.outcome, attempt.settled_at) == ("", None)


async def test_the_fence_grows_with_each_claim(world: World) -> None:
    await world.queue("x")
    first = await world.claim_one()
    await world.settle(first, S.PENDING, retry_s=0)
    second = await world.claim_one()
    assert second.fence > first.fence
    assert (second.attempt_no, second.idempotency_key) == (2, first.idempotency_key)


async def test_an_expired_head_ends_on_the_way_and_frees_its_lane(world: World) -> None:
    (old,) = await world.queue("old", ttl_ms=1_000)
    (new,) = await world.queue("new")
    world.clock.advance(2)
    assert (await world.claim_one()).delivery_id == new
    assert await world.state(old) is S.EXPIRED


async def test_a_head_waiting_for_a_retry_beyond_its_ttl_expires_in_time(world: World) -> None:
    (delivery_id,) = await world.queue("1", ttl_ms=10_000)
    await world.settle(await world.claim_one(), S.PENDING, retry_s=3600)
    assert (await world.store.outbox.ready(world.now)).next_at == world.now + 10_000
    world.clock.advance(11)
    assert await world.claim(1) == []
    assert await world.state(delivery_id) is S.EXPIRED


async def test_deliveries_of_an_account_that_cannot_send_expire_all_the_same(world: World) -> None:
    first, second = await world.queue("1", "2", ttl_ms=1_000)
    world.clock.advance(2)
    assert await world.store.sweep() == 2
    assert [await world.state(d) for d in (first, second)] == [S.EXPIRED, S.EXPIRED]
    assert (await world.store.outbox.ready(world.now)).accounts == {}


# --- T4 ----------------------------------------------------------------------------------------------


async def test_a_success_is_recorded_with_what_the_platform_said(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(
        await world.claim_one(), provider_message_id="m-1", raw_result={"ok": True}, took_ms=41
    )
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.provider_message_id) == (S.SENT, "m-1")
    assert delivery.settled_at == world.now
    (attempt,) = await world.attempts(delivery_id)
    assert (attempt.outcome, attempt.provider_message_id, attempt.took_ms) == ("sent", "m-1", 41)
    assert attempt.raw_result == {"ok": True}


async def test_a_raw_result_is_bounded(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), raw_result={"x": "y" * 20_000})
    (attempt,) = await world.attempts(delivery_id)
    assert attempt.raw_result == {"dropped_bytes": 20_008}


async def test_a_retry_keeps_the_key_and_counts_only_when_told(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), S.PENDING, retry_s=0, error_kind="busy")
    await world.settle(
        await world.claim_one(), S.PENDING, retry_s=0, uses_retry=True, error_kind="internal"
    )
    third = await world.claim_one()
    assert (third.attempt_no, third.retries_used, third.idempotency_key) == (3, 1, delivery_id)
    assert [a.error_kind for a in await world.attempts(delivery_id)] == ["busy", "internal", ""]


async def test_the_next_head_is_marked_in_the_same_commit_when_asked(world: World) -> None:
    _, second = await world.queue("1", "2")
    await world.queue("other", peer="p2")
    (following,) = await world.settle(await world.claim_one(), take_next=True)
    assert (following.delivery_id, following.attempt_no) == (second, 1)
    assert following.release == RELEASE
    assert await world.state(second) is S.SENDING


async def test_a_settlement_of_an_old_claim_changes_no_state(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    first = await world.claim_one()
    await world.settle(first, S.PENDING, retry_s=0, outcome="unknown")
    second = await world.claim_one()
    await world.settle(first, S.FAILED)
    assert await world.state(delivery_id) is S.SENDING
    await world.settle(second)
    assert await world.state(delivery_id) is S.SENT


async def test_a_settlement_twice_is_a_no_op(world: World) -> None:
    (delivery_id, _) = await world.queue("1", "2")
    claimed = await world.claim_one()
    await world.settle(claimed, provider_message_id="m")
    await world.settle(claimed, provider_message_id="m")
    assert await world.sends_in_order() == ["2"]
    assert len(await world.attempts(delivery_id)) == 1


async def test_states_move_only_as_the_transition_table_says(world: World) -> None:
    for state in DeliveryState:
        if state in DELIVERY_MOVES[S.SENDING] or state is S.SENDING:
            continue
        (delivery_id,) = await world.queue("x", peer=state)
        with pytest.raises(Conflict):
            await world.settle(await world.claim_one(), state)
        assert await world.state(delivery_id) is S.SENDING


async def test_the_trail_tells_the_whole_way_to_the_platform(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), S.PENDING, retry_s=0, error_kind="internal")
    await world.settle(await world.claim_one(), provider_message_id="m-1")
    await world.receipt("m-1", "delivered")
    root = (await world.delivery(delivery_id)).root_message_id
    assert root is not None
    steps = await world.store.ledger.trail(root)
    assert [s.step for s in steps][3:] == [
        StepName.QUEUED,
        StepName.SENDING,
        StepName.RETRIED,
        StepName.SENDING,
        StepName.SENT,
        StepName.RECEIPT,
    ]
    sent = steps[7]
    assert (sent.delivery_id, sent.attempt_no, sent.plugin_id, sent.version, sent.account_uid) == (
        delivery_id,
        2,
        RELEASE.plugin_id,
        RELEASE.version,
        UID,
    )


# --- parts -------------------------------------------------------------------------------------------


async def test_a_text_in_parts_goes_on_under_the_same_claim(world: World) -> None:
    (delivery_id,) = await world.queue("long")
    first = await world.claim_one()
    (second,) = await world.settle(
        first, S.SENDING, next_state={"at": 100}, provider_message_id="m0"
    )
    assert (second.part, second.part_state, second.attempt_no) == (1, {"at": 100}, 2)
    assert second.idempotency_key == f"{delivery_id}#1"
    assert second.begun_by == RELEASE
    await world.settle(second, provider_message_id="m1")
    attempts = await world.attempts(delivery_id)
    assert [(a.part, a.outcome, a.provider_message_id) for a in attempts] == [
        (0, "sent", "m0"),
        (1, "sent", "m1"),
    ]


async def test_a_retry_repeats_only_the_unfinished_part(world: World) -> None:
    (delivery_id,) = await world.queue("long")
    (second,) = await world.settle(await world.claim_one(), S.SENDING, next_state={"at": 1})
    await world.settle(second, S.PENDING, retry_s=1, uses_retry=True)
    world.clock.advance(1)
    again = await world.claim_one(release=OTHER_RELEASE)
    assert (again.part, again.part_state) == (1, {"at": 1})
    assert again.idempotency_key == f"{delivery_id}#1"
    assert (again.begun_by, again.release) == (RELEASE, OTHER_RELEASE)


async def test_a_text_in_parts_stays_with_who_began_it_whoever_sent_a_part_of_it(
    world: World,
) -> None:
    await world.queue("long")
    (second,) = await world.settle(await world.claim_one(), S.SENDING, next_state={})
    await world.settle(second, S.PENDING, retry_s=1)
    world.clock.advance(1)
    again = await world.claim_one(release=OTHER_RELEASE)
    (third,) = await world.settle(again, S.SENDING, next_state={})
    assert (third.part, third.begun_by) == (2, RELEASE)


async def test_what_may_have_arrived_once_may_have_arrived_however_it_ended(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), S.PENDING, outcome="unknown", retry_s=1)
    world.clock.advance(1)
    await world.settle(await world.claim_one(), S.FAILED)
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
    assert (await world.claim_one()).had_unknown


async def test_each_part_opens_its_own_idempotency_window(world: World) -> None:
    await world.queue("long")
    first = await world.claim_one()
    await world.settle(first, S.PENDING, retry_s=5, outcome="unknown")
    world.clock.advance(5)
    retried = await world.claim_one()
    assert (retried.first_sending_at, retried.had_unknown) == (first.first_sending_at, True)
    world.clock.advance(5)
    (second,) = await world.settle(retried, S.SENDING, next_state={})
    assert (second.first_sending_at, second.had_unknown) == (world.now, False)


# --- collisions and ordinals ---------------------------------------------------------------------------


async def test_reply_ordinals_count_the_deliveries_to_one_inbound_message(world: World) -> None:
    ids = await world.queue("1", "2", "3")
    assert [(await world.delivery(d)).reply_ordinal for d in ids] == [1, 2, 3]
    assert (await world.delivery(await world.send_first("x"))).reply_ordinal == 0


async def test_a_collision_takes_the_next_ordinal_of_its_message(world: World) -> None:
    await world.queue("1", "2")
    first = await world.claim_one()
    await world.settle(first, S.PENDING, retry_s=0, new_ordinal=True, error_kind="duplicate")
    again = await world.claim_one()
    assert (again.reply_ordinal, again.collisions) == (3, 1)
    assert again.idempotency_key == first.idempotency_key


async def test_a_collision_of_what_was_sent_first_takes_the_next_ordinal_too(world: World) -> None:
    await world.send_first("x")
    first = await world.claim_one()
    await world.settle(first, S.PENDING, retry_s=0, new_ordinal=True, error_kind="duplicate")
    assert (await world.claim_one()).reply_ordinal == first.reply_ordinal + 1


# --- the unknown ---------------------------------------------------------------------------------------


async def test_a_try_that_may_have_arrived_is_remembered(world: World) -> None:
    await world.queue("x")
    await world.settle(await world.claim_one(), S.PENDING, retry_s=0, outcome="unknown")
    again = await world.claim_one()
    assert again.had_unknown
    await world.settle(again, S.PENDING, retry_s=0)
    assert (await world.claim_one()).had_unknown, (
        "a later try that did not arrive takes it not back"
    )


async def test_a_parked_unknown_is_not_sent_again_by_itself(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), S.UNKNOWN)
    world.clock.advance(86_400)
    await world.store.sweep()
    assert await world.claim(9) == []
    assert await world.state(delivery_id) is S.UNKNOWN


async def test_a_send_under_way_when_the_process_died_is_parked_and_alerted(world: World) -> None:
    first, _ = await world.queue("1", "2")
    await world.claim_one()
    await world.die_and_return()
    assert world.store.recovered.unknown == (first,)
    assert await world.state(first) is S.UNKNOWN
    (attempt,) = await world.attempts(first)
    assert attempt.outcome == "unknown"
    (event,) = (await world.store.events.events("", UID, 9, "")).items
    assert (event.name, event.level, event.delivery_id) == ("delivery_unknown", "error", first)
    assert (event.plugin_id, event.version) == (RELEASE.plugin_id, RELEASE.version)
    assert await world.sends_in_order() == ["2"]


async def test_a_platform_that_knows_repeats_gets_the_same_key_again(world: World) -> None:
    (delivery_id,) = await world.queue("1")
    first = await world.claim_one(window_s=3600)
    await world.die_and_return()
    assert world.store.recovered.resent == (delivery_id,)
    world.clock.advance(2)
    again = await world.claim_one(window_s=3600)
    assert again.idempotency_key == first.idempotency_key
    assert (again.retries_used, again.had_unknown) == (1, True)
    assert again.first_sending_at == first.first_sending_at


async def test_the_window_is_counted_from_the_first_sending(world: World) -> None:
    (delivery_id,) = await world.queue("1")
    await world.settle(
        await world.claim_one(window_s=600), S.PENDING, retry_s=500, outcome="unknown"
    )
    world.clock.advance(500)
    await world.claim_one(window_s=600)
    world.clock.advance(101)
    await world.die_and_return()
    assert await world.state(delivery_id) is S.UNKNOWN


async def test_idempotency_of_replies_does_not_cover_what_is_sent_first(world: World) -> None:
    (reply,) = await world.queue("reply")
    first = await world.send_first("first", "p2")
    await world.claim(9, window_s=3600, applies_to="replies")
    await world.die_and_return()
    assert (await world.state(reply), await world.state(first)) == (S.PENDING, S.UNKNOWN)


async def test_a_reply_born_sending_follows_the_same_rule(world: World) -> None:
    turn = await world.turn()
    (born,) = (await world.answer(turn, "x", grant=world.grant(window_s=60))).claimed
    await world.die_and_return()
    assert await world.state(born.delivery_id) is S.PENDING


async def test_a_repeat_after_a_crash_uses_up_a_retry_and_ends(world: World) -> None:
    (delivery_id,) = await world.queue("1")
    for _ in range(5):
        await world.claim_one(window_s=DAY_MS)
        await world.die_and_return()
        assert await world.state(delivery_id) is S.PENDING
        world.clock.advance(2)
    await world.claim_one(window_s=DAY_MS)
    await world.die_and_return()
    assert await world.state(delivery_id) is S.UNKNOWN


async def test_an_account_may_choose_one_repeat_of_an_unknown(world: World) -> None:
    await world.store.accounts.add(
        world.account(delivery=DeliverySettings(on_unknown="retry_once"))
    )
    (delivery_id,) = await world.queue("1")
    await world.claim_one()
    await world.die_and_return()
    assert await world.state(delivery_id) is S.PENDING
    world.clock.advance(2)
    await world.claim_one()
    await world.die_and_return()
    assert await world.state(delivery_id) is S.UNKNOWN, "once"


# --- evidence --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [S.UNKNOWN, S.FAILED, S.EXPIRED, S.CANCELLED])
async def test_a_late_success_settles_to_sent_from_any_state(
    world: World, state: DeliveryState
) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    await world.settle(claimed, state)
    assert await world.store.outbox.confirm(evidence(world, claimed, "m-9"))
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.provider_message_id) == (S.SENT, "m-9")
    (attempt,) = await world.attempts(delivery_id)
    assert (attempt.outcome, attempt.provider_message_id) == ("sent", "m-9")


async def test_a_late_success_cancels_the_pending_retry(world: World) -> None:
    (delivery_id, _) = await world.queue("1", "2")
    first = await world.claim_one()
    await world.settle(first, S.PENDING, retry_s=60, outcome="unknown")
    assert await world.store.outbox.confirm(evidence(world, first))
    assert await world.state(delivery_id) is S.SENT
    assert await world.sends_in_order() == ["2"]


async def test_a_late_success_counts_while_the_retry_is_under_way(world: World) -> None:
    (delivery_id, _) = await world.queue("1", "2")
    first = await world.claim_one()
    await world.settle(first, S.PENDING, retry_s=0, outcome="unknown")
    second = await world.claim_one()
    await world.store.outbox.confirm(evidence(world, first, "m-1"))
    assert await world.state(delivery_id) is S.SENT
    await world.settle(second, S.FAILED)
    assert await world.state(delivery_id) is S.SENT, "monotone"
    assert await world.sends_in_order() == ["2"]


async def test_a_sent_settlement_of_a_lost_claim_is_evidence(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    await world.die_and_return()
    assert await world.state(delivery_id) is S.UNKNOWN
    await world.settle(claimed, provider_message_id="m-1")
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.provider_message_id) == (S.SENT, "m-1")


async def test_a_late_part_lets_the_next_one_follow(world: World) -> None:
    (delivery_id,) = await world.queue("long")
    first = await world.claim_one()
    await world.settle(first, S.UNKNOWN)
    await world.queue("after")
    assert await world.store.outbox.confirm(evidence(world, first, next_state={"at": 9}))
    after = await world.claim_one()
    assert after.message.text == "after", "its place in the lane was given up"
    await world.settle(after)
    again = await world.claim_one()
    assert (again.delivery_id, again.part, again.part_state) == (delivery_id, 1, {"at": 9})


async def test_a_late_part_lets_the_next_one_begin_with_a_window_of_its_own(world: World) -> None:
    await world.queue("long")
    first = await world.claim_one()
    await world.settle(first, S.UNKNOWN)
    world.clock.advance(100)
    assert await world.store.outbox.confirm(evidence(world, first, next_state={}))
    again = await world.claim_one()
    assert (again.first_sending_at, again.had_unknown) == (world.now, False)


async def test_a_late_outcome_changes_no_attempt_that_has_one(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    await world.settle(claimed)
    await world.settle(claimed, S.FAILED, error_kind="internal")
    (attempt,) = await world.attempts(delivery_id)
    assert (attempt.outcome, attempt.error_kind) == ("sent", "")
    assert await world.state(delivery_id) is S.SENT


async def test_late_evidence_keeps_what_the_platform_said_before(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    await world.settle(claimed, S.UNKNOWN, raw_result={"said": "busy"})
    assert await world.store.outbox.confirm(evidence(world, claimed))
    (attempt,) = await world.attempts(delivery_id)
    assert (attempt.outcome, attempt.raw_result) == ("sent", {"said": "busy"})
    told = evidence(world, claimed, raw_result={"said": "done"})
    assert await world.store.outbox.confirm(told)
    assert (await world.attempts(delivery_id))[0].raw_result == {"said": "busy"}, "the first proof"


async def test_evidence_of_an_unknown_attempt_is_refused(world: World) -> None:
    for attempt_id in ("", "x", "x.1", "x.y"):
        told = Evidence(AttemptId(attempt_id), "m", world.now)
        assert not await world.store.outbox.confirm(told)


# --- receipts ----------------------------------------------------------------------------------------------


async def test_receipts_move_forward_only(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), provider_message_id="m")
    seen = []
    for status in ("read", "delivered", "read"):
        await world.receipt("m", status)
        seen.append((await world.delivery(delivery_id)).receipt)
    assert seen == ["read", "read", "read"]
    assert await world.state(delivery_id) is S.SENT


async def test_a_failed_receipt_wins_and_is_the_only_way_from_sent_to_failed(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    await world.settle(await world.claim_one(), provider_message_id="m")
    await world.receipt("m", "read")
    await world.receipt("m", "failed")
    await world.receipt("m", "read")
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.receipt) == (S.FAILED, "failed")
    assert await world.claim(9) == [], "no automatic retry"


@pytest.mark.parametrize("is_early", [False, True])
async def test_a_failure_that_is_told_later_is_an_event_a_person_sees(
    world: World, is_early: bool
) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    if is_early:
        await world.receipt("m", "failed")
    await world.settle(claimed, provider_message_id="m")
    for _ in range(2):
        await world.receipt("m", "failed")

    (told,) = (await world.store.events.events("", "", 9, "")).items
    assert (told.name, told.level, told.delivery_id) == ("delivery_failed", "error", delivery_id)
    assert told.fields == {"kind": "receipt"} and told.account_id == "main"


async def test_a_receipt_that_comes_before_the_answer_is_joined_when_it_settles(
    world: World,
) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    await world.receipt("m", "delivered")
    assert world.store.health.figures()["channel_receipts"] == 1
    await world.settle(claimed, provider_message_id="m")
    delivery = await world.delivery(delivery_id)
    assert (delivery.state, delivery.receipt) == (S.SENT, "delivered")
    assert world.store.health.figures()["channel_receipts"] == 0


async def test_an_early_failed_receipt_fails_the_delivery_when_it_settles(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    claimed = await world.claim_one()
    await world.receipt("m", "failed")
    await world.settle(claimed, provider_message_id="m")
    assert await world.state(delivery_id) is S.FAILED


async def test_unmatched_receipts_are_forgotten_after_a_day(world: World) -> None:
    await world.receipt("nobody", "read")
    world.clock.advance(86_399)
    await world.store.sweep()
    assert world.store.health.figures()["channel_receipts"] == 1
    world.clock.advance(2)
    await world.store.sweep()
    assert world.store.health.figures()["channel_receipts"] == 0


async def test_receipts_of_another_account_match_nothing(world: World) -> None:
    turn = await world.turn(uid=AccountUid("acc-2"))
    await world.answer(turn, "x")
    claimed = await world.claim_one(uid="acc-2")
    await world.settle(claimed, provider_message_id="m")
    await world.receipt("m", "read")  # from acc-1
    assert (await world.delivery(claimed.delivery_id)).receipt == "none"


# --- sent first ----------------------------------------------------------------------------------------------


async def test_the_same_idempotency_key_queues_once(world: World) -> None:
    first, is_new = await world.store.outbox.enqueue(world.new_send("x", key="k"))
    again, is_new_again = await world.store.outbox.enqueue(world.new_send("x", key="k"))
    assert (first, is_new, is_new_again) == (again, True, False)
    assert await world.sends_in_order() == ["x"]


async def test_a_message_sent_first_has_a_trail_of_its_own(world: World) -> None:
    delivery_id = await world.send_first("x")
    delivery = await world.delivery(delivery_id)
    assert delivery.root_message_id is None
    claimed = await world.claim_one()
    assert (claimed.message.reply_to, claimed.root_message_id) == (None, None)
    assert await world.steps(delivery.message_id) == [StepName.QUEUED, StepName.SENDING]


# --- time ------------------------------------------------------------------------------------------------------


async def test_a_step_of_the_clock_expires_nothing_at_once(world: World) -> None:
    (delivery_id,) = await world.queue("x", ttl_ms=60_000)
    world.clock.step_wall(7 * 86_400)
    await world.store.sweep()
    assert await world.state(delivery_id) is S.PENDING
    world.clock.step_wall(-7 * 86_400)
    world.clock.advance(30)
    await world.store.sweep()
    assert await world.sends_in_order() == ["x"]


async def test_expiry_goes_on_when_the_step_was_real(world: World) -> None:
    (delivery_id,) = await world.queue("x", ttl_ms=60_000)
    world.clock.step_wall(7 * 86_400)
    await world.store.sweep()
    world.clock.advance(61)
    await world.store.sweep()
    assert await world.state(delivery_id) is S.EXPIRED


async def test_a_clock_set_back_does_not_postpone_retries_by_hours(world: World) -> None:
    await world.queue("x")
    world.clock.step_wall(86_400)
    await world.store.sweep()
    await world.settle(await world.claim_one(), S.PENDING, retry_s=10)
    world.clock.step_wall(-80_000)
    await world.store.sweep()
    next_at = (await world.store.outbox.ready(world.now)).next_at
    assert next_at == world.now + 60_000
    world.clock.advance(60)
    assert await world.sends_in_order() == ["x"]


async def test_what_is_not_there_is_not_settled(world: World) -> None:
    await world.queue("x")
    claimed = await world.claim_one()
    ghost = msgspec.structs.replace(claimed, delivery_id=DeliveryId("0" * 32))
    assert await world.settle(ghost) == []
