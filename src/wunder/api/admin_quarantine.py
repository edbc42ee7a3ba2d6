"""The quarantine: what arrived and could not become a message; look at it, try it again, drop it."""

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath

from wunder.api.admin_request import AdminRequest
from wunder.api.query import Cursor, Limit
from wunder.ports import Page
from wunder.upkeep.quarantine import QuarantineFilter, QuarantineItem, ShownItem

PATH = "/wunder/admin/channels/quarantine"
TAGS = ["Quarantine"]


class QuarantineQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which items; absent fields match everything."""

    channel: str = ""
    account_id: str = ""
    reason: str = ""
    limit: Limit = 50
    cursor: Cursor = ""


@get(
    PATH,
    operation_id="list_quarantine",
    tags=TAGS,
    summary="List what was set aside",
    opt={"query": QuarantineQuery},
)
async def list_quarantine(request: AdminRequest) -> Page[QuarantineItem]:
    """What could not be parsed or stored, newest first, without its content."""
    query = request.read_query(QuarantineQuery)
    where = QuarantineFilter(query.channel, query.account_id, query.reason)
    return await request.parts.upkeep.quarantine.list(where, query.limit, query.cursor)


@get(
    f"{PATH}/{{quarantine_id:str}}",
    operation_id="get_quarantine_item",
    tags=TAGS,
    summary="Show what was set aside",
)
async def get_quarantine_item(quarantine_id: FromPath[str], request: AdminRequest) -> ShownItem:
    """One item with what it holds, as text; a stranger wrote it."""
    return await request.parts.upkeep.quarantine.show(quarantine_id)


@post(
    f"{PATH}/{{quarantine_id:str}}/retry",
    operation_id="retry_quarantine_item",
    tags=TAGS,
    summary="Try it again",
    status_code=200,
)
async def retry_quarantine_item(
    quarantine_id: FromPath[str], request: AdminRequest
) -> QuarantineItem:
    """Parse a request again, or store a message that was refused; it leaves the quarantine."""
    return await request.parts.upkeep.quarantine.retry(quarantine_id, request.by)


@delete(
    f"{PATH}/{{quarantine_id:str}}",
    operation_id="drop_quarantine_item",
    tags=TAGS,
    summary="Drop it",
)
async def drop_quarantine_item(quarantine_id: FromPath[str], request: AdminRequest) -> None:
    """Forget it for good."""
    await request.parts.upkeep.quarantine.drop(quarantine_id, request.by)


HANDLERS = (list_quarantine, get_quarantine_item, retry_quarantine_item, drop_quarantine_item)
