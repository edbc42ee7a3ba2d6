"""Accounts: made, changed, tested, removed; secrets go in and never come out (rule 6)."""

import msgspec
from litestar import delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from wunder.accounts.drafts import AccountChanges, AccountDraft, AccountImpact, AccountView
from wunder.api.activity import Activity, activity_of
from wunder.api.admin_request import IF_MATCH, AdminRequest
from wunder.api.secret_scope import writes_secrets
from wunder.errors import FieldFault, Invalid
from wunder.model.ids import ChannelId
from wunder.model.provider import ConfigVerdict
from wunder.ports import Page

PATH = "/wunder/admin/channels/accounts"
ONE = f"{PATH}/{{channel:str}}/{{account_id:str}}"
TAGS = ["Accounts"]
_EXAMPLE = {
    "channel": "parrot",
    "account_id": "main",
    "display_name": "Parrot, main shop",
    "provider_config": {"app_id": "1024", "app_secret": "write-only"},
}


class RemovedAccount(msgspec.Struct, frozen=True):
    """The account is gone; `cancelled` counts the deliveries that ended with it."""

    cancelled: int


@get(PATH, operation_id="list_accounts", tags=TAGS, summary="List the accounts")
async def list_accounts(request: AdminRequest) -> Page[AccountView]:
    """Every account of every channel; a secret shows as `{"set": true}`."""
    return Page(tuple(await request.parts.accounts.list()))


@get(ONE, operation_id="get_account", tags=TAGS, summary="Show an account")
async def get_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> AccountView:
    """One account, with the key of its webhook address."""
    return await request.parts.accounts.get(channel, account_id)


@post(
    PATH,
    operation_id="create_account",
    tags=TAGS,
    summary="Make an account",
    opt={"example": _EXAMPLE},
)
async def create_account(data: JSONBody[AccountDraft], request: AdminRequest) -> AccountView:
    """Check by schema and by the provider, then keep.

    Where the provider cannot be asked, it is kept as a draft, and `note` says so.
    """
    _ask_for_secrets(data.channel, data.provider_config, request)
    return await request.parts.accounts.create(data, request.by)


@put(
    ONE,
    operation_id="replace_account",
    tags=TAGS,
    summary="Write an account anew",
    opt={"example": _EXAMPLE, "headers": [IF_MATCH]},
)
async def replace_account(
    channel: FromPath[str],
    account_id: FromPath[str],
    data: JSONBody[AccountDraft],
    request: AdminRequest,
) -> AccountView:
    """Replace everything but secrets that are absent or `{"set": true}`: those stay."""
    if (data.channel, data.account_id) != (channel, account_id):
        fault = FieldFault("/account_id", "immutable", "an account cannot be renamed")
        raise Invalid("Path and body name different accounts.", [fault])
    _ask_for_secrets(channel, data.provider_config, request)
    return await request.parts.accounts.replace(
        channel, account_id, data, request.seen_rev(), request.by
    )


@patch(
    ONE,
    operation_id="change_account",
    tags=TAGS,
    summary="Change some fields of an account",
    opt={"example": {"is_enabled": False}, "headers": [IF_MATCH]},
)
async def change_account(
    channel: FromPath[str],
    account_id: FromPath[str],
    data: JSONBody[AccountChanges],
    request: AdminRequest,
) -> AccountView:
    """Change what is named; in `provider_config`, null removes a field or clears a secret."""
    _ask_for_secrets(channel, data.provider_config, request)
    return await request.parts.accounts.patch(
        channel, account_id, data, request.seen_rev(), request.by
    )


@delete(
    ONE,
    operation_id="remove_account",
    tags=TAGS,
    summary="Remove an account",
    status_code=200,
)
async def remove_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> RemovedAccount:
    """Remove it and cancel its deliveries; its name inherits nothing when used again."""
    return RemovedAccount(await request.parts.accounts.remove(channel, account_id, request.by))


@post(
    f"{ONE}/test",
    operation_id="test_account",
    tags=TAGS,
    summary="Test the connection of an account",
    status_code=200,
)
async def test_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> ConfigVerdict:
    """Ask the provider to try the stored configuration on the platform."""
    return await request.parts.accounts.test(channel, account_id)


@post(
    f"{ONE}/reconnect",
    operation_id="reconnect_account",
    tags=TAGS,
    summary="Begin with the platform anew",
    status_code=200,
)
async def reconnect_account(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> ConfigVerdict:
    """Drop what is kept of the platform, on every node, and ask whether the account works.

    The account is never off meanwhile; 409 `account_not_enabled` where it is.
    """
    return await request.parts.accounts.reconnect(channel, account_id, request.by)


@get(
    f"{ONE}/impact",
    operation_id="get_account_impact",
    tags=TAGS,
    summary="Show what removing an account would end",
)
async def get_impact(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> AccountImpact:
    """Bindings that name it, deliveries that still wait."""
    return await request.parts.accounts.impact(channel, account_id)


@get(
    f"{ONE}/activity",
    operation_id="get_account_activity",
    tags=TAGS,
    summary="Show whether messages come for an account",
)
async def get_activity(
    channel: FromPath[str], account_id: FromPath[str], request: AdminRequest
) -> Activity:
    """Whether the first message came, when the last one did, whether the account is parked."""
    return await activity_of(await request.parts.accounts.get(channel, account_id), request.parts)


def _ask_for_secrets(channel: str, config: object, request: AdminRequest) -> None:
    """Ask for the scope `secrets` where a configuration holds any. Raises: NotAllowed."""
    known = (
        facts for facts in request.parts.providers.known() if facts.channel == ChannelId(channel)
    )
    facts = next(known, None)
    if writes_secrets(facts.account_schema if facts else None, config):
        request.require_secrets()


HANDLERS = (
    list_accounts,
    get_account,
    create_account,
    replace_account,
    change_account,
    remove_account,
    test_account,
    reconnect_account,
    get_impact,
    get_activity,
)
