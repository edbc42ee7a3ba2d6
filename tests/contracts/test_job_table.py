"""What every JobTable promises: one node at a time, under a fence, over restarts, until cancelled."""

from typing import Any

from tests.contracts.store_world import World
from wunder.model.ids import At, new_id
from wunder.upkeep.jobs import ClaimedJob, Job, NewJob

LEASE_S = 15.0


async def ordered(world: World, ends_at: int = 10, **given: Any) -> Job:
    new = NewJob(new_id(), "replay", given or {"ids": ["a"]}, 3, ends_at, "ann", world.now)
    return await world.store.upkeep.jobs.add(new)


async def claim(world: World) -> ClaimedJob | None:
    return await world.store.upkeep.jobs.claim("replay", LEASE_S)


async def step(world: World, job: ClaimedJob, cursor: int) -> bool:
    return await world.store.upkeep.replays.step(job, (), cursor, LEASE_S)


async def shown(world: World, job_id: str) -> Job:
    job = await world.store.upkeep.jobs.job(job_id)
    assert job is not None
    return job


async def test_a_job_is_taken_once_and_ends_where_it_was_to(world: World) -> None:
    job = await ordered(world)
    assert (job.state, job.total, job.created_by) == ("waiting", 3, "ann")
    claimed = await claim(world)
    assert claimed is not None and claimed.job_id == job.job_id
    assert claimed.spec == {"ids": ["a"]}
    assert await claim(world) is None
    assert await step(world, claimed, 4)
    assert (await shown(world, job.job_id)).state == "running"
    assert await step(world, claimed, 10)
    done = await shown(world, job.job_id)
    assert (done.state, done.finished_at) == ("done", world.now)
    assert not await step(world, claimed, 11)
    assert await claim(world) is None


async def test_jobs_are_taken_in_the_order_they_were_ordered(world: World) -> None:
    first, second = await ordered(world), await ordered(world)
    for wanted in (first, second):
        claimed = await claim(world)
        assert claimed is not None and claimed.job_id == wanted.job_id
        await step(world, claimed, 10)


async def test_a_restart_goes_on_where_it_was(world: World) -> None:
    job = await ordered(world)
    claimed = await claim(world)
    assert claimed is not None
    await step(world, claimed, 7)
    await world.die_and_return()
    world.clock.advance(LEASE_S + 1)
    again = await claim(world)
    while again is None:  # on PostgreSQL leases go by the database's clock: made short for the test
        await world.store._writer.work(_let_leases_run_out)
        again = await claim(world)
    assert (again.job_id, again.cursor) == (job.job_id, 7)
    assert again.fence > claimed.fence
    assert not await step(world, claimed, 9), "who was replaced does nothing any more"
    assert await step(world, again, 9)


async def _let_leases_run_out(tx: Any) -> None:
    await tx.run("UPDATE jobs SET lease_until = 0 WHERE state = 'running'")


async def test_a_cancelled_job_stops_at_its_next_step(world: World) -> None:
    job = await ordered(world)
    claimed = await claim(world)
    assert claimed is not None
    assert await world.store.upkeep.jobs.cancel(job.job_id, world.now)
    assert not await step(world, claimed, 5)
    assert (await shown(world, job.job_id)).state == "cancelled"
    assert not await world.store.upkeep.jobs.cancel(job.job_id, world.now)
    assert not await world.store.upkeep.jobs.cancel("nobody", world.now)


async def test_a_job_that_nobody_took_on_can_be_cancelled(world: World) -> None:
    job = await ordered(world)
    assert await world.store.upkeep.jobs.cancel(job.job_id, world.now)
    assert await claim(world) is None
    figures = world.store.health.figures()
    assert (figures["jobs_waiting"], figures["jobs_cancelled"]) == (0, 1)


async def test_jobs_are_listed_newest_first_and_paged(world: World) -> None:
    made = [(await ordered(world)).job_id for _ in range(5)]
    table = world.store.upkeep.jobs
    first = await table.jobs(3, "")
    rest = await table.jobs(3, first.next_cursor)
    assert [job.job_id for job in (*first.items, *rest.items)] == list(reversed(made))
    assert rest.next_cursor == ""
    assert await table.job("nobody") is None


async def test_figures_follow_a_job_to_its_end(world: World) -> None:
    await ordered(world, ends_at=1)
    claimed = await claim(world)
    assert claimed is not None
    await step(world, claimed, 1)
    figures = world.store.health.figures()
    assert figures["jobs_done"] == 1
    assert figures["jobs_waiting"] == figures["jobs_running"] == 0
    assert At(world.now) == (await shown(world, claimed.job_id)).updated_at


async def test_a_job_that_cannot_go_on_ends_and_says_why(world: World) -> None:
    job = await ordered(world)
    claimed = await claim(world)
    assert claimed is not None
    jobs = world.store.upkeep.jobs
    await jobs.fail(claimed, "no such column")
    failed = await shown(world, job.job_id)
    assert (failed.state, failed.error, failed.finished_at) == (
        "failed",
        "no such column",
        world.now,
    )
    assert not await step(world, claimed, 5)
    await jobs.fail(claimed, "again")
    assert (await shown(world, job.job_id)).error == "no such column"
    (event,) = (await world.store.events.events("", "", 9, "")).items
    assert (event.name, event.level) == ("job_failed", "error")
    assert world.store.health.figures()["jobs_failed"] == 1
