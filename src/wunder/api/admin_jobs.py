"""Jobs: work that was ordered and goes on in small steps; how far it is, and stopping it."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from wunder.api.admin_request import AdminRequest
from wunder.api.query import Cursor, Limit
from wunder.ports import Page
from wunder.upkeep.jobs import Job

PATH = "/wunder/admin/jobs"
TAGS = ["Jobs"]


class JobQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many jobs, and from where on."""

    limit: Limit = 50
    cursor: Cursor = ""


@get(PATH, operation_id="list_jobs", tags=TAGS, summary="List the jobs", opt={"query": JobQuery})
async def list_jobs(request: AdminRequest) -> Page[Job]:
    """Jobs, newest first."""
    query = request.read_query(JobQuery)
    return await request.parts.upkeep.jobs.list(query.limit, query.cursor)


@get(f"{PATH}/{{job_id:str}}", operation_id="get_job", tags=TAGS, summary="Show a job")
async def get_job(job_id: FromPath[str], request: AdminRequest) -> Job:
    """How far a job is: `done` and `skipped` of `total`."""
    return await request.parts.upkeep.jobs.get(job_id)


@post(
    f"{PATH}/{{job_id:str}}/cancel",
    operation_id="cancel_job",
    tags=TAGS,
    summary="Stop a job",
    status_code=200,
)
async def cancel_job(job_id: FromPath[str], request: AdminRequest) -> Job:
    """End a job at its next step; what it did stays done."""
    return await request.parts.upkeep.jobs.cancel(job_id, request.by)


HANDLERS = (list_jobs, get_job, cancel_job)
