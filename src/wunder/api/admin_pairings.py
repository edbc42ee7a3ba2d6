"""Pairings: strangers who asked to talk to an account, and letting them in."""

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath

from wunder.api.admin_request import AdminRequest
from wunder.api.query import Cursor, Limit
from wunder.ports import Page
from wunder.upkeep.pairing import Decided, Pairing, PairingFilter, PairingState

PATH = "/wunder/admin/channels/pairings"
TAGS = ["Pairings"]


class PairingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pairings; absent fields match everything. `pending` are those whose code is good now."""

    state: PairingState | None = None
    channel: str = ""
    account_id: str = ""
    limit: Limit = 50
    cursor: Cursor = ""


@get(
    PATH,
    operation_id="list_pairings",
    tags=TAGS,
    summary="List who asked to be let in",
    opt={"query": PairingQuery},
)
async def list_pairings(request: AdminRequest) -> Page[Pairing]:
    """Strangers with their codes, and what was decided, newest first."""
    query = request.read_query(PairingQuery)
    where = PairingFilter(query.state or "", query.channel, query.account_id)
    return await request.parts.upkeep.pairings.list(where, query.limit, query.cursor)


@post(
    f"{PATH}/{{pairing:str}}/approve",
    operation_id="approve_pairing",
    tags=TAGS,
    summary="Let somebody in",
    status_code=200,
)
async def approve_pairing(pairing: FromPath[str], request: AdminRequest) -> Decided:
    """Let the person behind a code talk to the account; what they said is answered now.

    `pairing` is the code as the person tells it, or the id from the list.
    """
    return await request.parts.upkeep.pairings.decide(pairing, "approved", request.by)


@post(
    f"{PATH}/{{pairing:str}}/reject",
    operation_id="reject_pairing",
    tags=TAGS,
    summary="Keep somebody out",
    status_code=200,
)
async def reject_pairing(pairing: FromPath[str], request: AdminRequest) -> Decided:
    """Answer this person no more, also where they were let in before; they are not told."""
    return await request.parts.upkeep.pairings.decide(pairing, "rejected", request.by)


@delete(
    f"{PATH}/{{pairing:str}}",
    operation_id="forget_pairing",
    tags=TAGS,
    summary="Forget what was decided",
)
async def forget_pairing(pairing: FromPath[str], request: AdminRequest) -> None:
    """Make the person a stranger again: their next message is answered by a code."""
    await request.parts.upkeep.pairings.forget(pairing, request.by)


HANDLERS = (list_pairings, approve_pairing, reject_pairing, forget_pairing)
