"""After an outage: everything that failed goes out again, by a job that can be watched and stopped."""

import asyncio
from pathlib import Path
from typing import Any

from tests.fakes.sealer import FakeSealer
from tests.journeys.corridor import Corridor, corridor
from tests.journeys.http_gateway import HttpGateway, http_gateway
from tests.journeys.test_http_main_job import ready
from tests.waiting import until
from wunder.errors import WunderError
from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.upkeep.doors import Doors
from wunder.upkeep.replay import JobPolicy, ReplayFilter
from wunder.upkeep.room import Around, Upkeep, UpkeepPolicy

S = DeliveryState
FAILED = {"filter": {"states": ["failed"]}}


async def outage(gateway: HttpGateway, count: int) -> None:
    for _ in range(count):
        gateway.platform.fail(FaultKind.PROVIDER_REJECTED)
    for number in range(count):
        item = {"id": f"m{number}", "peer": f"u{number % 7}", "text": f"text {number}"}
        assert await gateway.webhook(item) == 200
    await until_count(gateway, "failed", count)


async def until_count(gateway: HttpGateway, state: str, count: int) -> None:
    while True:
        _, page = await gateway.call("GET", f"channels/outbox?state={state}&limit=200")
        if len(page["items"]) == count:
            return
        await asyncio.sleep(0.01)


async def job_of(gateway: HttpGateway, job_id: str, *states: str) -> dict[str, Any]:
    while True:
        _, job = await gateway.call("GET", f"jobs/{job_id}")
        if job["state"] in states:
            return job
        await asyncio.sleep(0.01)


async def test_all_that_failed_goes_out_again_in_order(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        await outage(gateway, 60)
        status, job = await gateway.call("POST", "channels/outbox/replay", FAILED)
        assert (status, job["state"], job["total"]) == (202, "waiting", 60)
        done = await job_of(gateway, job["job_id"], "done")
        assert (done["done"], done["skipped"]) == (60, 0)
        await until_count(gateway, "sent", 60)
        for peer in range(7):
            numbers = [int(text.split()[1]) for text in gateway.platform.texts(f"u{peer}")]
            assert numbers == sorted(numbers), "order within a conversation holds"
        names = [event["name"] for event in await gateway.until("channels/events")]
        assert {"job_ordered", "job_done"} <= set(names)
        _, page = await gateway.call("GET", "jobs")
        assert [one["job_id"] for one in page["items"]] == [job["job_id"]]


async def test_a_job_that_is_over_is_not_cancelled(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        _, job = await gateway.call("POST", "channels/outbox/replay", {"ids": ["nobody"]})
        done = await job_of(gateway, job["job_id"], "done")
        assert (done["done"], done["skipped"]) == (0, 1)
        status, said = await gateway.call("POST", f"jobs/{job['job_id']}/cancel")
        assert (status, said["state"]) == (409, {"state": "done"})
        assert (await gateway.call("GET", "jobs/nobody"))[0] == 404
        many = {"ids": ["x"] * 1_001}
        assert (await gateway.call("POST", "channels/outbox/replay", many))[0] == 422
        sent = {"filter": {"states": ["sent"]}}
        assert (await gateway.call("POST", "channels/outbox/replay", sent))[0] == 422


def around(here: Corridor) -> Around:
    return Around(lambda: 1, here.store.intake, FakeSealer())


def upkeep_of(here: Corridor, policy: JobPolicy) -> Upkeep:
    doors = Doors(here.store.events, here.clock, here.dispatcher.wake, here.store.health.figures)
    return Upkeep(here.store.upkeep, doors, around(here), UpkeepPolicy(policy))


async def failed_before(here: Corridor, count: int) -> None:
    for _ in range(count):
        here.platform.fail(FaultKind.PROVIDER_REJECTED)
    for number in range(count):
        await here.post({"id": f"m{number}", "peer": f"u{number}", "text": "x"})
    await here.until_states(*[S.FAILED] * count)


async def test_a_job_survives_a_restart_and_does_nothing_twice(tmp_path: Path) -> None:
    slow = JobPolicy(rows=2, per_s=1.0)
    async with corridor(tmp_path) as here:
        await failed_before(here, 10)
        upkeep = upkeep_of(here, slow)
        job = await upkeep.replays.order((), ReplayFilter(), "ann")
        async with asyncio.TaskGroup() as tg:
            task = tg.create_task(upkeep.run())

            async def some() -> bool:
                here.clock.advance(1)
                return (await upkeep.jobs.get(job.job_id)).done >= 4

            await until(some)
            task.cancel()

        async def nothing_under_way() -> bool:
            return set(await here.states()) <= {S.SENT, S.FAILED}

        # A send that is cut off is parked as unknown: that is another test's business.
        await until(nothing_under_way)
    async with corridor(tmp_path, clock=here.clock, platform=here.platform) as here:
        upkeep = upkeep_of(here, JobPolicy(per_s=1e6))
        async with asyncio.TaskGroup() as tg:
            task = tg.create_task(upkeep.run())

            async def over() -> bool:
                here.clock.advance(1)
                return (await upkeep.jobs.get(job.job_id)).state == "done"

            await until(over)
            task.cancel()
        await here.until_states(*[S.SENT] * 10)
        assert (await upkeep.jobs.get(job.job_id)).done == 10
        assert all(len(here.platform.texts(f"u{number}")) == 1 for number in range(10))


async def test_a_cancelled_job_stops_and_what_it_did_stays(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:
        await failed_before(here, 10)
        upkeep = upkeep_of(here, JobPolicy(rows=2, per_s=1.0))
        job = await upkeep.replays.order((), ReplayFilter(), "ann")
        async with asyncio.TaskGroup() as tg:
            task = tg.create_task(upkeep.run())

            async def begun() -> bool:
                return (await upkeep.jobs.get(job.job_id)).done >= 2

            await until(begun)
            ended = await upkeep.jobs.cancel(job.job_id, "ann")
            here.clock.advance(100)
            await asyncio.sleep(0)
            task.cancel()
        assert ended.state == "cancelled"
        assert 2 <= ended.done < 10
        figures = here.store.health.figures()
        assert figures["channel_outbox_failed"] == 10 - ended.done


async def test_a_job_waits_while_traffic_is_behind(tmp_path: Path) -> None:
    async with corridor(tmp_path, is_running=False) as here:
        figures = {"channel_outbox_pending": 100.0}
        doors = Doors(here.store.events, here.clock, lambda: None, lambda: figures)
        policy = JobPolicy(rows=1, per_s=1e9, pending_up_to=50)
        upkeep = Upkeep(here.store.upkeep, doors, around(here), UpkeepPolicy(policy))
        job = await upkeep.replays.order(("a", "b", "c"), None, "ann")
        async with asyncio.TaskGroup() as tg:
            task = tg.create_task(upkeep.run())

            async def one_step() -> bool:
                return (await upkeep.jobs.get(job.job_id)).skipped == 1

            await until(one_step)
            for _ in range(5):
                here.clock.advance(policy.poll_s)
                await asyncio.sleep(0.01)
            assert (await upkeep.jobs.get(job.job_id)).skipped == 1
            figures["channel_outbox_pending"] = 0.0

            async def over() -> bool:
                here.clock.advance(policy.poll_s)
                return (await upkeep.jobs.get(job.job_id)).state == "done"

            await until(over)
            task.cancel()


async def test_a_job_that_cannot_go_on_fails_and_the_next_one_is_done(tmp_path: Path) -> None:
    async with corridor(tmp_path, is_running=False) as here:
        upkeep = upkeep_of(here, JobPolicy(per_s=1e9))
        broken = await upkeep.replays.order(("a",), None, "ann")
        good = await upkeep.replays.order(("b",), None, "ann")
        table: Any = here.store.upkeep.replays
        plain = table.step

        async def stumbling(job, *given):
            if job.job_id == broken.job_id:
                raise WunderError("no such column")
            return await plain(job, *given)

        table.step = stumbling
        async with asyncio.TaskGroup() as tg:
            task = tg.create_task(upkeep.run())

            async def over() -> bool:
                here.clock.advance(1)
                return (await upkeep.jobs.get(good.job_id)).state == "done"

            await until(over)
            task.cancel()
        failed = await upkeep.jobs.get(broken.job_id)
        assert (failed.state, failed.error) == ("failed", "no such column")
