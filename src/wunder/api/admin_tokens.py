"""Tokens: the first one from the first-run token, the others from those who hold their scopes."""

from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.scopes import holds
from wunder.errors import NotAllowed
from wunder.model.ids import At
from wunder.model.token import ApiToken
from wunder.ports import Page

PATH = "/wunder/admin/tokens"
TAGS = ["Tokens"]


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first-run token, from the file whose path the gateway printed."""

    token: Annotated[str, msgspec.Meta(max_length=200)]
    name: Annotated[str, msgspec.Meta(max_length=100)] = "first administrator"


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ttl_s` absent: until it is revoked."""

    name: Annotated[str, msgspec.Meta(max_length=100)]
    scopes: tuple[str, ...]
    ttl_s: int | None = None


class TokenView(msgspec.Struct, frozen=True):
    """A token as shown: never its text, nor the hash of it."""

    token_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: At
    created_by: str
    expires_at: At | None
    revoked_at: At | None
    is_valid: bool


class Issued(msgspec.Struct, frozen=True):
    """A new token. `token` is shown here and never again."""

    token: str
    view: TokenView


@post(
    "/wunder/admin/setup",
    operation_id="set_up",
    tags=TAGS,
    summary="Turn the first-run token into an API token",
    opt={"example": {"token": "from the file", "name": "alice"}},
)
async def set_up(data: JSONBody[Setup], request: AdminRequest) -> Issued:
    """Give an API token with every scope; works once, within 24 hours (rule 16)."""
    token, text = await request.parts.tokens.redeem_setup(data.token, data.name)
    return Issued(text, _view(token, request))


@get(PATH, operation_id="list_tokens", tags=TAGS, summary="List the tokens")
async def list_tokens(request: AdminRequest) -> Page[TokenView]:
    """Every token, revoked ones too, newest first."""
    return Page(tuple(_view(token, request) for token in await request.parts.tokens.list()))


@post(
    PATH,
    operation_id="create_token",
    tags=TAGS,
    summary="Make a token",
    opt={"example": {"name": "shop backend", "scopes": ["send"], "ttl_s": 7_776_000}},
)
async def create_token(data: JSONBody[NewToken], request: AdminRequest) -> Issued:
    """Make a token with scopes that the caller holds: nobody hands out more than they have."""
    missing = [scope for scope in data.scopes if not holds(request.caller, scope)]
    if missing:
        raise NotAllowed("A token can give only scopes that it holds itself.")
    token, text = await request.parts.tokens.create(data.name, data.scopes, data.ttl_s, request.by)
    return Issued(text, _view(token, request))


@delete(
    f"{PATH}/{{token_id:str}}", operation_id="revoke_token", tags=TAGS, summary="Revoke a token"
)
async def revoke_token(token_id: FromPath[str], request: AdminRequest) -> None:
    """End a token at once."""
    await request.parts.tokens.revoke(token_id, request.by)


def _view(token: ApiToken, request: AdminRequest) -> TokenView:
    return TokenView(
        token_id=token.token_id,
        name=token.name,
        scopes=token.scopes,
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        is_valid=token.is_valid(request.parts.clock.now()),
    )


HANDLERS = (set_up, list_tokens, create_token, revoke_token)
