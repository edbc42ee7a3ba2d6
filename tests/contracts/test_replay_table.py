"""What every ReplayTable promises: previews by group, steps that are done once, order within a lane."""

import pytest

from tests.contracts.store_world import DAY_MS, UID, World
from tests.contracts.test_outbox_desk import corrected, finished
from wunder.model.delivery import DeliveryState
from wunder.model.ids import At, new_id
from wunder.upkeep.jobs import ClaimedJob, NewJob
from wunder.upkeep.ledger import DeliveryFilter
from wunder.upkeep.replay import Found, ReplayFilter

S = DeliveryState
ALL = ReplayFilter(states=(S.FAILED, S.UNKNOWN, S.EXPIRED))


async def job_over(world: World, ends_at: int) -> ClaimedJob:
    jobs = world.store.upkeep.jobs
    await jobs.add(NewJob(new_id(), "replay", {"filter": {}}, 1, ends_at, "ann", world.now))
    claimed = await jobs.claim("replay", 15.0)
    assert claimed is not None
    return claimed


async def test_a_preview_counts_by_account_plugin_and_state(world: World) -> None:
    await finished(world, S.FAILED)
    await finished(world, S.FAILED, peer="p2")
    await finished(world, S.UNKNOWN, peer="p3")
    await finished(world, S.SENT, peer="p4")
    preview, _ = await world.store.upkeep.replays.preview(ALL)
    assert preview.total == 3
    assert [(one.account_id, one.plugin_id, one.state, one.count) for one in preview.groups] == [
        ("main", "ch", S.FAILED, 2),
        ("main", "ch", S.UNKNOWN, 1),
    ]
    only, _ = await world.store.upkeep.replays.preview(ReplayFilter())
    assert only.total == 2
    nothing, _ = await world.store.upkeep.replays.preview(ReplayFilter(account_id="other"))
    assert (nothing.total, nothing.groups) == (0, ())


async def test_a_preview_says_of_what_and_a_filter_takes_one_cause(world: World) -> None:
    for number, kind in enumerate(("timeout", "plugin_crashed", "timeout")):
        await world.queue("x", peer=f"p{number}")
        await world.settle(await world.claim_one(), S.FAILED, error_kind=kind)
    table = world.store.upkeep.replays
    preview, ends_at = await table.preview(ALL)
    counted = [(one.error_kind, one.count) for one in preview.groups]
    assert counted == [("plugin_crashed", 1), ("timeout", 2)]
    timeouts = ReplayFilter((S.FAILED,), error_kind="timeout")
    assert (await table.preview(timeouts))[0].total == 2
    assert len(await table.batch(timeouts, 0, ends_at, 9)) == 2
    where = DeliveryFilter((S.FAILED, S.UNKNOWN), error_kind="plugin_crashed")
    listed = await world.store.ledger.deliveries(where, 9, "")
    assert [one.peer_id for one in listed.items] == ["p1"]


async def test_times_are_those_at_which_deliveries_ended(world: World) -> None:
    (delivery_id,) = await world.queue("x")
    world.clock.advance(3600)
    outage = world.now
    await world.settle(await world.claim_one(), S.FAILED)
    table = world.store.upkeep.replays
    since, _ = await table.preview(ReplayFilter(since=outage))
    assert since.total == 1, "queued before the outage, failed in it"
    before, ends_at = await table.preview(ReplayFilter(until=outage))
    assert before.total == 0
    assert [one.delivery_id for one in await table.batch(ALL, 0, ends_at, 9)] == [delivery_id]


async def test_a_preview_of_named_ones_counts_those_that_may_go_out(world: World) -> None:
    failed = await finished(world, S.FAILED)
    sent = await finished(world, S.SENT, peer="p2")
    preview = await world.store.upkeep.replays.preview_ids([failed, failed, sent, "nobody"])
    assert (preview.total, preview.groups[0].count) == (1, 1)


async def test_batches_are_oldest_first_over_all_states_and_bounded(world: World) -> None:
    made = [
        await finished(world, state, peer=f"p{number}")
        for number, state in enumerate((S.UNKNOWN, S.FAILED, S.EXPIRED, S.FAILED))
    ]
    table = world.store.upkeep.replays
    _, ends_at = await table.preview(ALL)
    first = await table.batch(ALL, 0, ends_at, 3)
    rest = await table.batch(ALL, first[-1].cursor, ends_at, 3)
    assert [one.delivery_id for one in (*first, *rest)] == made
    late = await finished(world, S.FAILED, peer="late")
    found = await table.batch(ALL, 0, ends_at, 9)
    assert late not in [one.delivery_id for one in found], "only what was there when it was ordered"


async def test_a_step_replays_in_order_and_notes_how_far_it_came(world: World) -> None:
    ids = [await finished(world, S.FAILED, text) for text in ("one", "two", "three")]
    table = world.store.upkeep.replays
    _, ends_at = await table.preview(ALL)
    job = await job_over(world, ends_at)
    found = await table.batch(ALL, 0, ends_at, 9)
    assert await table.step(job, found, ends_at, 15.0)
    assert await world.sends_in_order() == ["one", "two", "three"]
    done = await world.store.upkeep.jobs.job(job.job_id)
    assert done is not None
    assert (done.state, done.done, done.skipped) == ("done", 3, 0)
    root = (await world.delivery(ids[0])).root_message_id
    assert root is not None
    steps = await world.store.ledger.trail(root)
    assert any(step.detail.get("by") == "ann" for step in steps)


async def test_what_ended_well_meanwhile_is_skipped(world: World) -> None:
    failed, gone = await finished(world, S.FAILED), "nobody"
    job = await job_over(world, 2)
    await world.store.outbox_desk.replay([failed], world.now, "bob")
    found = [Found(1, failed), Found(2, gone)]
    assert await world.store.upkeep.replays.step(job, found, 2, 15.0)
    done = await world.store.upkeep.jobs.job(job.job_id)
    assert done is not None and (done.done, done.skipped) == (0, 2)
    assert (await world.delivery(failed)).replays == 1


async def test_the_step_of_a_node_that_was_replaced_does_nothing(world: World) -> None:
    failed = await finished(world, S.FAILED)
    job = await job_over(world, 5)
    await world.store.upkeep.jobs.cancel(job.job_id, world.now)
    assert not await world.store.upkeep.replays.step(job, [Found(1, failed)], 5, 15.0)
    assert await world.state(failed) is S.FAILED


@pytest.mark.parametrize("limit", [1, 2])
async def test_a_replayed_delivery_has_its_whole_time_again(world: World, limit: int) -> None:
    failed = await finished(world, S.EXPIRED)
    world.clock.advance(30 * 86_400)
    job = await job_over(world, limit)
    await world.store.upkeep.replays.step(job, [Found(1, failed)], limit, 15.0)
    assert (await world.delivery(failed)).expires_at == At(world.now + DAY_MS)


async def test_deliveries_of_a_deleted_account_stay_where_they_are(world: World) -> None:
    await world.store.accounts.add(world.account())
    failed = await finished(world, S.FAILED)
    await world.store.accounts.remove(UID, world.now)
    job = await job_over(world, 1)
    await world.store.upkeep.replays.step(job, [Found(1, failed)], 1, 15.0)
    assert await world.state(failed) is S.FAILED


async def test_what_was_corrected_is_neither_counted_nor_taken(world: World) -> None:
    old_id = await finished(world, S.FAILED)
    other = await finished(world, S.FAILED, peer="p2")
    desk, table = world.store.outbox_desk, world.store.upkeep.replays
    await desk.correct(corrected(old_id), world.now, "ann")
    preview, ends_at = await table.preview(ALL)
    assert preview.total == 1
    found = await table.batch(ALL, 0, ends_at, 9)
    assert [one.delivery_id for one in found] == [other]
    assert (await table.preview_ids([old_id, other])).total == 1
    job = await job_over(world, 9)
    assert await table.step(job, [Found(1, old_id)], 1, 15.0)
    assert await world.state(old_id) is S.FAILED
