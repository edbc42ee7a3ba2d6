"""Bindings: which conversations of an account go to which agent."""

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from wunder.accounts.bindings import BindingDraft, RouteQuestion
from wunder.api.admin_request import IF_MATCH, AdminRequest
from wunder.model.binding import Binding
from wunder.ports import Page

PATH = "/wunder/admin/channels/bindings"
TAGS = ["Bindings"]
_EXAMPLE = {"channel": "parrot", "account_id": "main", "agent_id": "helper"}


class Route(msgspec.Struct, frozen=True):
    """The binding that would serve the conversation now; null: only the default agent, if any."""

    binding: Binding | None


@get(PATH, operation_id="list_bindings", tags=TAGS, summary="List the bindings")
async def list_bindings(request: AdminRequest) -> Page[Binding]:
    """Every binding, oldest first."""
    return Page(tuple(await request.parts.bindings.list()))


@post(
    PATH,
    operation_id="create_binding",
    tags=TAGS,
    summary="Make a binding",
    opt={"example": _EXAMPLE},
)
async def create_binding(data: JSONBody[BindingDraft], request: AdminRequest) -> Binding:
    """Send the conversations that match to an agent."""
    return await request.parts.bindings.put(data, None, request.by)


@put(
    f"{PATH}/{{binding_id:str}}",
    operation_id="replace_binding",
    tags=TAGS,
    summary="Write a binding anew",
    opt={"example": _EXAMPLE, "headers": [IF_MATCH]},
)
async def replace_binding(
    binding_id: FromPath[str], data: JSONBody[BindingDraft], request: AdminRequest
) -> Binding:
    """Replace every field of it."""
    return await request.parts.bindings.put(data, request.seen_rev(), request.by, binding_id)


@delete(
    f"{PATH}/{{binding_id:str}}",
    operation_id="remove_binding",
    tags=TAGS,
    summary="Remove a binding",
)
async def remove_binding(binding_id: FromPath[str], request: AdminRequest) -> None:
    """Remove it; running turns end as they began."""
    await request.parts.bindings.remove(binding_id, request.by)


@post(
    f"{PATH}/test",
    operation_id="test_bindings",
    tags=TAGS,
    summary="Ask which binding serves a conversation",
    status_code=200,
    opt={
        "example": {
            "channel": "parrot",
            "account_id": "main",
            "peer_kind": "group",
            "peer_id": "g-7",
        }
    },
)
async def test_bindings(data: JSONBody[RouteQuestion], request: AdminRequest) -> Route:
    """Route a conversation as a turn would, without sending anything."""
    return Route(await request.parts.bindings.test(data))


HANDLERS = (list_bindings, create_binding, replace_binding, remove_binding, test_bindings)
