"""Users' own part: channels that are open to them, their accounts, rules and logs; nobody else's."""

from typing import Annotated

import msgspec
from litestar import delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from wunder.accounts.drafts import AccountImpact, AccountView
from wunder.accounts.own import OfferedAgent, OwnBinding, OwnChanges, OwnDraft
from wunder.api.activity import Activity, activity_of
from wunder.api.admin_accounts import RemovedAccount
from wunder.api.admin_monitor import ProviderView, view_of_provider
from wunder.api.admin_request import IF_MATCH, AdminRequest
from wunder.api.admin_tallies import Counted
from wunder.api.query import Cursor, Limit
from wunder.api.secret_scope import writes_secrets
from wunder.errors import FieldFault, Invalid
from wunder.model.binding import Binding
from wunder.model.ids import ChannelId
from wunder.model.provider import ConfigVerdict
from wunder.model.trail import Event
from wunder.ports import Page

PATH = "/wunder/channels"
ACCOUNT = f"{PATH}/accounts/{{channel:str}}/{{account_id:str}}"
BINDING = f"{PATH}/bindings/{{binding_id:str}}"
TAGS = ["Users"]
_EXAMPLE = {
    "channel": "parrot",
    "display_name": "My parrot",
    "provider_config": {"app_id": "1024", "app_secret": "write-only"},
}
_RULE = {"channel": "parrot", "account_id": "my-1a2b3c4d", "agent_id": "helper"}


class RuntimeLogQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which own account."""

    channel: Annotated[str, msgspec.Meta(max_length=64)]
    account_id: Annotated[str, msgspec.Meta(max_length=64)]
    limit: Limit = 50
    cursor: Cursor = ""


@get(
    f"{PATH}/providers", operation_id="list_own_providers", tags=TAGS, summary="List open channels"
)
async def list_own_providers(request: AdminRequest) -> Page[ProviderView]:
    """Channels that serve and that an administrator opened to users, with their account form."""
    parts = request.parts
    shown = await parts.own.visible_channels()
    found = (
        view_of_provider(facts, parts, is_user_visible=True)
        for facts in parts.providers.known()
        if facts.channel in shown
    )
    return Page(tuple(view for view in found if view.is_serving))


@get(f"{PATH}/agents", operation_id="list_offered_agents", tags=TAGS, summary="List open agents")
async def list_offered_agents(request: AdminRequest) -> Page[OfferedAgent]:
    """Agents that users may bind to."""
    return Page(tuple(await request.parts.own.agents()))


@get(f"{PATH}/accounts", operation_id="list_own_accounts", tags=TAGS, summary="List own accounts")
async def list_own_accounts(request: AdminRequest) -> Page[AccountView]:
    """One's own accounts; a secret shows as `{"set": true}`."""
    return Page(tuple(await request.parts.own.accounts(request.user_id)))


@get(ACCOUNT, operation_id="get_own_account", tags=TAGS, summary="Show an own account")
async def get_own_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> AccountView:
    """One own account, with the key of its webhook address; anybody else's is 404."""
    return await request.parts.own.account(request.user_id, channel, account_id)


@post(
    f"{PATH}/accounts",
    operation_id="create_own_account",
    tags=TAGS,
    summary="Connect a channel",
    opt={"example": _EXAMPLE},
)
async def create_own_account(data: JSONBody[OwnDraft], request: AdminRequest) -> AccountView:
    """Make an account of an open channel; without `account_id` it is given a random one."""
    _ask_again(data.channel, data.provider_config, request)
    return await request.parts.own.create(request.user_id, data, request.by)


@put(
    ACCOUNT,
    operation_id="replace_own_account",
    tags=TAGS,
    summary="Write an own account anew",
    opt={"example": _EXAMPLE, "headers": [IF_MATCH]},
)
async def replace_own_account(
    channel: FromPath[str],
    account_id: FromPath[str],
    data: JSONBody[OwnDraft],
    request: AdminRequest,
) -> AccountView:
    """Replace everything but secrets that are absent or `{"set": true}`: those stay."""
    own = request.parts.own
    view = await own.account(request.user_id, channel, account_id)
    if data.channel != channel or data.account_id not in {"", account_id}:
        fault = FieldFault("/account_id", "immutable", "an account cannot be renamed")
        raise Invalid("Path and body name different accounts.", [fault])
    _ask_again(channel, data.provider_config, request)
    return await own.replace(request.user_id, view, data, request.seen_rev(), request.by)


@patch(
    ACCOUNT,
    operation_id="change_own_account",
    tags=TAGS,
    summary="Change an own account",
    opt={"example": {"is_enabled": False}, "headers": [IF_MATCH]},
)
async def change_own_account(
    channel: FromPath[str],
    account_id: FromPath[str],
    data: JSONBody[OwnChanges],
    request: AdminRequest,
) -> AccountView:
    """Change what is named; in `provider_config`, null removes a field or clears a secret."""
    own = request.parts.own
    view = await own.account(request.user_id, channel, account_id)
    _ask_again(channel, data.provider_config, request)
    return await own.patch(view, data, request.seen_rev(), request.by)


@delete(
    ACCOUNT,
    operation_id="remove_own_account",
    tags=TAGS,
    summary="Remove an own account",
    status_code=200,
)
async def remove_own_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> RemovedAccount:
    """Remove it with the rules that name it; what waits to be sent is cancelled."""
    own = request.parts.own
    view = await own.account(request.user_id, channel, account_id)
    return RemovedAccount(await own.remove(view, request.by))


@post(
    f"{ACCOUNT}/test",
    operation_id="test_own_account",
    tags=TAGS,
    summary="Test an own account",
    status_code=200,
)
async def test_own_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> ConfigVerdict:
    """Ask the platform whether the account works."""
    own = request.parts.own
    return await own.test(await own.account(request.user_id, channel, account_id))


@post(
    f"{ACCOUNT}/reconnect",
    operation_id="reconnect_own_account",
    tags=TAGS,
    summary="Begin with the platform anew",
    status_code=200,
)
async def reconnect_own_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> ConfigVerdict:
    """Drop what is kept of the platform, on every node, and ask whether the account works.

    The account is never off meanwhile; 409 `account_not_enabled` where it is.
    """
    own = request.parts.own
    view = await own.account(request.user_id, channel, account_id)
    return await own.reconnect(view, request.by)


@get(
    f"{ACCOUNT}/impact",
    operation_id="get_own_account_impact",
    tags=TAGS,
    summary="Show what removing an own account ends",
)
async def get_own_account_impact(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> AccountImpact:
    """Rules that name it, and deliveries that would be cancelled."""
    own = request.parts.own
    return await own.impact(await own.account(request.user_id, channel, account_id))


@get(
    f"{ACCOUNT}/activity",
    operation_id="get_own_account_activity",
    tags=TAGS,
    summary="Show whether messages come for an own account",
)
async def get_own_account_activity(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> Activity:
    """Whether the first message came, when the last one did; nothing of what was said."""
    view = await request.parts.own.account(request.user_id, channel, account_id)
    return await activity_of(view, request.parts)


@get(
    f"{PATH}/tallies",
    operation_id="list_own_tallies",
    tags=TAGS,
    summary="Show how much goes through own accounts",
)
async def list_own_tallies(request: AdminRequest) -> Counted:
    """Messages of the last 24 hours and the time of the last one, of own accounts and own rules."""
    own = request.parts.own
    mine = {str(uid) for uid in await own.uids(request.user_id)}
    mine |= {one.binding_id for one in await own.bindings(request.user_id)}
    since, tallies = await request.parts.upkeep.tallies.list()
    return Counted(since, tuple(one for one in tallies if one.subject in mine))


@get(f"{PATH}/bindings", operation_id="list_own_bindings", tags=TAGS, summary="List own rules")
async def list_own_bindings(request: AdminRequest) -> Page[Binding]:
    """One's own rules, oldest first."""
    return Page(tuple(await request.parts.own.bindings(request.user_id)))


@post(
    f"{PATH}/bindings",
    operation_id="create_own_binding",
    tags=TAGS,
    summary="Make an own rule",
    opt={"example": _RULE},
)
async def create_own_binding(data: JSONBody[OwnBinding], request: AdminRequest) -> Binding:
    """Bind conversations of exactly one own account to an agent meant for users."""
    return await request.parts.own.bind(request.user_id, data, None, request.by)


@put(
    BINDING,
    operation_id="replace_own_binding",
    tags=TAGS,
    summary="Write an own rule anew",
    opt={"example": _RULE, "headers": [IF_MATCH]},
)
async def replace_own_binding(
    binding_id: FromPath[str], data: JSONBody[OwnBinding], request: AdminRequest
) -> Binding:
    """Replace one of one's own rules; anybody else's is 404."""
    own = request.parts.own
    return await own.bind(request.user_id, data, request.seen_rev(), request.by, binding_id)


@delete(BINDING, operation_id="remove_own_binding", tags=TAGS, summary="Remove an own rule")
async def remove_own_binding(binding_id: FromPath[str], request: AdminRequest) -> None:
    """Remove one of one's own rules."""
    await request.parts.own.unbind(request.user_id, binding_id, request.by)


@get(
    f"{PATH}/runtime_logs",
    operation_id="list_own_runtime_logs",
    tags=TAGS,
    summary="List what happened to an own account",
    opt={"query": RuntimeLogQuery},
)
async def list_own_runtime_logs(request: AdminRequest) -> Page[Event]:
    """Events of one own account, newest first."""
    query = request.read_query(RuntimeLogQuery)
    view = await request.parts.own.account(request.user_id, query.channel, query.account_id)
    return await request.parts.events.events("", view.account_uid, query.limit, query.cursor)


def _ask_again(channel: str, config: object, request: AdminRequest) -> None:
    """Secrets ask for the password of a session that is older than 5 minutes (rule 16)."""
    facts = request.parts.providers.facts(ChannelId(channel))
    if writes_secrets(facts.account_schema if facts else None, config):
        request.require_fresh()


HANDLERS = (
    list_own_providers,
    list_offered_agents,
    list_own_accounts,
    get_own_account,
    create_own_account,
    replace_own_account,
    change_own_account,
    remove_own_account,
    test_own_account,
    reconnect_own_account,
    get_own_account_impact,
    get_own_account_activity,
    list_own_tallies,
    list_own_bindings,
    create_own_binding,
    replace_own_binding,
    remove_own_binding,
    list_own_runtime_logs,
)
