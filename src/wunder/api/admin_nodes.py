"""Nodes: which gateways share the store, how each is, and what runs on it."""

from litestar import get

from wunder.api.admin_request import AdminRequest
from wunder.ports import Page
from wunder.upkeep.nodes import NodeView


@get("/wunder/admin/nodes", operation_id="list_nodes", tags=["Nodes"], summary="List the nodes")
async def list_nodes(request: AdminRequest) -> Page[NodeView]:
    """Every gateway that shares the store, the longest running first; one where it has a file."""
    return Page(tuple(await request.parts.members.nodes()))


HANDLERS = (list_nodes,)
