"""Which scope each endpoint asks for: the one table; a test walks it in both directions."""

from collections.abc import Mapping

from wunder.model.token import ApiToken

#: Needs no token of ours.
PUBLIC = "public"
#: Needs the first-run token (rule 16).
SETUP = "setup"
#: Needs the token that one turn was given.
TURN = "turn"

_P = "/wunder/admin/channel_plugins"
_C = "/wunder/admin/channels"

#: Method and path -> scope. `read` and `send` are part of `admin`; the others are asked for by name.
SCOPES: Mapping[str, str] = {
    "GET /wunder/openapi.json": PUBLIC,
    "POST /wunder/admin/setup": SETUP,
    "POST /wunder/agent/turns/{turn_id}/replies": TURN,
    # plugins
    f"GET {_P}": "read",
    f"POST {_P}/upload": "admin",
    f"GET {_P}/{{plugin_id}}": "read",
    f"POST {_P}/{{plugin_id}}/approve": "approve",
    f"POST {_P}/{{plugin_id}}/enable": "admin",
    f"POST {_P}/{{plugin_id}}/disable": "admin",
    f"POST {_P}/{{plugin_id}}/source": "admin",
    f"DELETE {_P}/{{plugin_id}}/{{version}}": "admin",
    f"GET {_P}/{{plugin_id}}/runtime": "read",
    f"GET {_P}/{{plugin_id}}/logs": "read",
    # channels
    f"GET {_C}/providers": "read",
    f"GET {_C}/monitor": "read",
    f"GET {_C}/events": "read",
    f"GET {_C}/accounts": "read",
    f"POST {_C}/accounts": "admin",
    f"GET {_C}/accounts/{{channel}}/{{account_id}}": "read",
    f"PUT {_C}/accounts/{{channel}}/{{account_id}}": "admin",
    f"PATCH {_C}/accounts/{{channel}}/{{account_id}}": "admin",
    f"DELETE {_C}/accounts/{{channel}}/{{account_id}}": "admin",
    f"POST {_C}/accounts/{{channel}}/{{account_id}}/test": "admin",
    f"GET {_C}/accounts/{{channel}}/{{account_id}}/impact": "read",
    f"GET {_C}/bindings": "read",
    f"POST {_C}/bindings": "admin",
    f"PUT {_C}/bindings/{{binding_id}}": "admin",
    f"DELETE {_C}/bindings/{{binding_id}}": "admin",
    f"POST {_C}/bindings/test": "read",
    f"GET {_C}/sessions": "read",
    f"GET {_C}/messages": "read",
    f"GET {_C}/messages/{{message_id}}": "read",
    f"GET {_C}/messages/{{message_id}}/trail": "read",
    f"POST {_C}/messages/{{message_id}}/reroute": "admin",
    f"POST {_C}/messages": "send",
    f"POST {_C}/attachments": "send",
    f"GET {_C}/attachments/{{blob_id}}": "read",
    f"GET {_C}/outbox": "read",
    f"GET {_C}/outbox/{{delivery_id}}": "read",
    f"GET {_C}/outbox/{{delivery_id}}/attempts": "read",
    f"GET {_C}/pairings": "read",
    f"POST {_C}/pairings/{{pairing}}/approve": "operate",
    f"POST {_C}/pairings/{{pairing}}/reject": "operate",
    f"DELETE {_C}/pairings/{{pairing}}": "operate",
    f"POST {_C}/outbox/replay": "admin",
    f"POST {_C}/outbox/release": "admin",
    # agents
    "GET /wunder/admin/agents": "read",
    "POST /wunder/admin/agents": "admin",
    "GET /wunder/admin/agents/{agent_id}": "read",
    "PUT /wunder/admin/agents/{agent_id}": "admin",
    "DELETE /wunder/admin/agents/{agent_id}": "admin",
    "POST /wunder/admin/agents/{agent_id}/try": "admin",
    # tokens
    "GET /wunder/admin/tokens": "admin",
    "POST /wunder/admin/tokens": "admin",
    "DELETE /wunder/admin/tokens/{token_id}": "admin",
}
_PART_OF_ADMIN = frozenset({"read", "send"})


def holds(token: ApiToken, scope: str) -> bool:
    """Tell whether a token may do what asks for `scope`."""
    return scope in token.scopes or (scope in _PART_OF_ADMIN and "admin" in token.scopes)
