"""How much goes through each account and each binding: kept figures, read at once."""

import msgspec
from litestar import get

from wunder.api.admin_request import AdminRequest
from wunder.model.ids import At
from wunder.upkeep.tally import Tally

PATH = "/wunder/admin/channels/tallies"


class Counted(msgspec.Struct, frozen=True):
    """`since`: the beginning of the first of 24 hours, the running one included.

    `items` has a line for each account (`subject` is its `account_uid`) and each binding
    (`binding_id`) that ever had a message.
    """

    since: At
    items: tuple[Tally, ...]


@get(
    PATH,
    operation_id="list_tallies",
    tags=["Channels"],
    summary="Show how much goes through accounts and bindings",
)
async def list_tallies(request: AdminRequest) -> Counted:
    """Messages of the last 24 hours and the time of the last one; a few seconds behind the traffic."""
    since, tallies = await request.parts.upkeep.tallies.list()
    return Counted(since, tuple(tallies))


HANDLERS = (list_tallies,)
