"""Which scope each endpoint asks for: the one table; a test walks it in both directions."""

from collections.abc import Collection, Mapping

from wunder.people.person import Role

#: Needs no token of ours.
PUBLIC = "public"
#: Needs the first-run token (rule 16).
SETUP = "setup"
#: Needs the token that one turn was given.
TURN = "turn"
#: Needs a person with a session, whatever their role.
PERSON = "person"
#: What is one's own: a person's, never a token's.
OWN = "own"
NEEDS_NOBODY = frozenset({PUBLIC, SETUP, TURN})

#: What each role may do. A token is given scopes by name, a person has those of their role; approve,
#: trust and secrets ask a person for the password again (rule 16).
ROLE_SCOPES: Mapping[Role, tuple[str, ...]] = {
    "viewer": ("read",),
    "operator": ("read", "operate", "send", OWN),
    "admin": ("admin", "read", "operate", "send", "approve", "secrets", "trust", OWN),
    "user": (OWN,),
}

_O = "/wunder/channels"
_S = "/wunder/session"
_U = "/wunder/admin/users"
_P = "/wunder/admin/channel_plugins"
_C = "/wunder/admin/channels"

#: Method and path -> scope. `read`, `operate` and `send` are part of `admin`; the others are asked for
#: by name.
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
    f"POST {_P}/{{plugin_id}}/rollback": "admin",
    f"DELETE {_P}/{{plugin_id}}/{{version}}": "admin",
    f"GET {_P}/{{plugin_id}}/runtime": "read",
    f"GET {_P}/{{plugin_id}}/logs": "read",
    # channels
    f"GET {_C}/providers": "read",
    f"PATCH {_C}/providers/{{channel}}": "admin",
    f"GET {_C}/monitor": "read",
    f"GET {_C}/tallies": "read",
    "GET /wunder/admin/events": "read",
    f"GET {_C}/events": "read",
    f"GET {_C}/accounts": "read",
    f"POST {_C}/accounts": "admin",
    f"GET {_C}/accounts/{{channel}}/{{account_id}}": "read",
    f"PUT {_C}/accounts/{{channel}}/{{account_id}}": "admin",
    f"PATCH {_C}/accounts/{{channel}}/{{account_id}}": "admin",
    f"DELETE {_C}/accounts/{{channel}}/{{account_id}}": "admin",
    f"POST {_C}/accounts/{{channel}}/{{account_id}}/test": "operate",
    f"POST {_C}/accounts/{{channel}}/{{account_id}}/reconnect": "operate",
    f"GET {_C}/accounts/{{channel}}/{{account_id}}/impact": "read",
    f"GET {_C}/accounts/{{channel}}/{{account_id}}/activity": "read",
    f"GET {_C}/bindings": "read",
    f"POST {_C}/bindings": "admin",
    f"PUT {_C}/bindings/{{binding_id}}": "admin",
    f"DELETE {_C}/bindings/{{binding_id}}": "admin",
    f"POST {_C}/bindings/test": "read",
    f"GET {_C}/sessions": "read",
    f"GET {_C}/messages": "read",
    f"GET {_C}/messages/{{message_id}}": "read",
    f"GET {_C}/messages/{{message_id}}/trail": "read",
    f"POST {_C}/messages/{{message_id}}/reroute": "operate",
    f"POST {_C}/messages": "send",
    f"POST {_C}/attachments": "send",
    f"GET {_C}/attachments/{{blob_id}}": "read",
    f"GET {_C}/outbox": "read",
    f"GET {_C}/outbox/{{delivery_id}}": "read",
    f"GET {_C}/outbox/{{delivery_id}}/attempts": "read",
    f"GET {_C}/quarantine": "read",
    f"GET {_C}/quarantine/{{quarantine_id}}": "read",
    f"POST {_C}/quarantine/{{quarantine_id}}/retry": "operate",
    f"DELETE {_C}/quarantine/{{quarantine_id}}": "operate",
    f"GET {_C}/pairings": "read",
    f"POST {_C}/pairings/{{pairing}}/approve": "operate",
    f"POST {_C}/pairings/{{pairing}}/reject": "operate",
    f"DELETE {_C}/pairings/{{pairing}}": "operate",
    "GET /wunder/admin/nodes": "read",
    "GET /wunder/admin/jobs": "read",
    "GET /wunder/admin/jobs/{job_id}": "read",
    "POST /wunder/admin/jobs/{job_id}/cancel": "operate",
    f"POST {_C}/outbox/replay": "operate",
    f"POST {_C}/outbox/cancel": "operate",
    f"POST {_C}/outbox/{{delivery_id}}/correct": "operate",
    f"POST {_C}/outbox/release": "operate",
    # agents
    "GET /wunder/admin/agent_kinds": "read",
    "GET /wunder/admin/agents": "read",
    "POST /wunder/admin/agents": "admin",
    "GET /wunder/admin/agents/{agent_id}": "read",
    "PUT /wunder/admin/agents/{agent_id}": "admin",
    "DELETE /wunder/admin/agents/{agent_id}": "admin",
    "POST /wunder/admin/agents/{agent_id}/try": "operate",
    # tokens
    "GET /wunder/admin/tokens": "admin",
    "POST /wunder/admin/tokens": "admin",
    "DELETE /wunder/admin/tokens/{token_id}": "admin",
    # people
    f"GET {_S}/options": PUBLIC,
    f"GET {_S}/oidc": PUBLIC,
    f"GET {_S}/oidc/callback": PUBLIC,
    f"POST {_S}": PUBLIC,
    f"GET {_S}": PERSON,
    f"DELETE {_S}": PERSON,
    f"POST {_S}/confirm": PERSON,
    f"PUT {_S}/password": PERSON,
    f"GET {_S}/others": PERSON,
    f"DELETE {_S}/others": PERSON,
    f"GET {_U}": "admin",
    f"POST {_U}": "admin",
    f"GET {_U}/{{user_id}}": "admin",
    f"PATCH {_U}/{{user_id}}": "admin",
    f"DELETE {_U}/{{user_id}}": "admin",
    f"PUT {_U}/{{user_id}}/password": "admin",
    f"GET {_U}/{{user_id}}/sessions": "admin",
    f"DELETE {_U}/{{user_id}}/sessions": "admin",
    "GET /wunder/admin/audit": "admin",
    # what is one's own
    f"GET {_O}/providers": OWN,
    f"GET {_O}/agents": OWN,
    f"GET {_O}/events": OWN,
    f"GET {_O}/accounts": OWN,
    f"POST {_O}/accounts": OWN,
    f"GET {_O}/accounts/{{channel}}/{{account_id}}": OWN,
    f"PUT {_O}/accounts/{{channel}}/{{account_id}}": OWN,
    f"PATCH {_O}/accounts/{{channel}}/{{account_id}}": OWN,
    f"DELETE {_O}/accounts/{{channel}}/{{account_id}}": OWN,
    f"POST {_O}/accounts/{{channel}}/{{account_id}}/test": OWN,
    f"POST {_O}/accounts/{{channel}}/{{account_id}}/reconnect": OWN,
    f"GET {_O}/accounts/{{channel}}/{{account_id}}/impact": OWN,
    f"GET {_O}/accounts/{{channel}}/{{account_id}}/activity": OWN,
    f"GET {_O}/tallies": OWN,
    f"GET {_O}/bindings": OWN,
    f"POST {_O}/bindings": OWN,
    f"PUT {_O}/bindings/{{binding_id}}": OWN,
    f"DELETE {_O}/bindings/{{binding_id}}": OWN,
    f"GET {_O}/runtime_logs": OWN,
}
_PART_OF_ADMIN = frozenset({"read", "operate", "send"})


def holds(scopes: Collection[str], scope: str) -> bool:
    """Tell whether these scopes let do what asks for `scope`."""
    return scope in scopes or (scope in _PART_OF_ADMIN and "admin" in scopes)


def scopes_of(role: Role) -> tuple[str, ...]:
    """Return what a role may do."""
    return ROLE_SCOPES[role]
