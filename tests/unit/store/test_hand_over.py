"""One hand-over a tick, and who has patience goes with the next."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from wunder.store.hand_over import HandOver, Job


class Batches:
    """A thread that notes what it was handed."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.thread: HandOver[Named] = HandOver("batches", 10, 10, self._work)

    def _work(self, jobs: list["Named"]) -> None:
        self.seen.append([job.name for job in jobs])

    async def do(self, name: str, patience_s: float = 0.0) -> None:
        job = Named(asyncio.get_running_loop().create_future(), name)
        self.thread.submit(job, patience_s)
        async with asyncio.timeout(5):
            await job.future


class Named(Job):
    def __init__(self, future: asyncio.Future[None], name: str) -> None:
        super().__init__(future)
        self.name = name


@pytest.fixture
async def batches() -> AsyncIterator[Batches]:
    batches = Batches()
    batches.thread.start()
    yield batches
    await batches.thread.close()


async def test_jobs_of_a_tick_are_handed_over_together(batches: Batches) -> None:
    await asyncio.gather(batches.do("a"), batches.do("b"))
    assert batches.seen == [["a", "b"]]


async def test_a_patient_job_goes_with_the_next_and_keeps_its_place(batches: Batches) -> None:
    patient = asyncio.create_task(batches.do("patient", 3600))
    await asyncio.sleep(0)
    await asyncio.gather(patient, batches.do("hurried"))
    assert batches.seen == [["patient", "hurried"]]


async def test_a_patient_job_that_nobody_joins_is_done_in_its_time(batches: Batches) -> None:
    await batches.do("patient", 0.01)
    assert batches.seen == [["patient"]]


async def test_what_is_patient_is_finished_when_the_store_closes(batches: Batches) -> None:
    patient = asyncio.create_task(batches.do("patient", 3600))
    await asyncio.sleep(0)
    await batches.thread.close()
    await patient
    assert batches.seen == [["patient"]]
