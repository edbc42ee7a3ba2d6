"""The audit: who changed what; read here, written beside every change."""

from typing import Annotated

import msgspec
from litestar import get

from wunder.api.admin_request import AdminRequest
from wunder.api.query import Cursor, Limit, Moment
from wunder.model.ids import At
from wunder.people.audit import AuditEntry
from wunder.people.tables import AuditFilter
from wunder.ports import Page

Exactly = Annotated[str, msgspec.Meta(max_length=256)]


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries; absent fields match everything."""

    actor: Exactly = ""
    action: Exactly = ""
    subject: Exactly = ""
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = 50
    cursor: Cursor = ""


@get(
    "/wunder/admin/audit",
    operation_id="list_audit",
    tags=["Audit"],
    summary="List who changed what",
    opt={"query": AuditQuery},
)
async def list_audit(request: AdminRequest) -> Page[AuditEntry]:
    """Every change, newest first; secrets as `{set, hmac8}`, never as they are."""
    query = request.read_query(AuditQuery)
    where = AuditFilter(
        actor=query.actor,
        action=query.action,
        subject=query.subject,
        since=None if query.since is None else At(query.since),
        until=None if query.until is None else At(query.until),
    )
    return await request.parts.audit.entries(where, query.limit, query.cursor)


HANDLERS = (list_audit,)
