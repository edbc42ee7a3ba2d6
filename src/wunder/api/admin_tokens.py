"""Tokens: the first one from the first-run token, the others from those who hold their scopes."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.cookies import put_session
from wunder.api.sign_in import signed_in
from wunder.errors import NotAllowed
from wunder.model.ids import At
from wunder.model.token import ApiToken
from wunder.people.drafts import Password, SignedIn, UserDraft
from wunder.ports import Page

PATH = "/wunder/admin/tokens"
TAGS = ["Tokens"]


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first-run token, from the file whose path the gateway printed.

    With `password`, `name` is the sign-in name of the first administrator.
    """

    token: Annotated[str, msgspec.Meta(max_length=200)]
    name: Annotated[str, msgspec.Meta(max_length=100)] = "first administrator"
    password: Password | None = None


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
    summary="Use the first-run token",
    opt={
        "example": {
            "token": "from the file",
            "name": "alice",
            "password": "purple giraffe umbrella",
        }
    },
)
async def set_up(data: JSONBody[Setup], request: AdminRequest) -> Response[Issued | SignedIn]:
    """Make the first administrator and sign them in; without `password`, give an API token instead.

    The token works once, within 24 hours (rule 16). An API token made so has every scope.
    """
    tokens, people = request.parts.tokens, request.parts.people
    if data.password is None:
        token, text = await tokens.redeem_setup(data.token, data.name)
        return Response(Issued(text, _view(token, request)), status_code=201)
    draft = UserDraft(name=data.name, role="admin", password=data.password)
    people.users.refuse(draft)  # before the token is used up
    await tokens.use_setup(data.token)
    user = await people.users.create(draft, "setup", is_first=True)
    opened = await people.sign_in.open(user, request.whence)
    answer: Response[Issued | SignedIn] = Response(
        signed_in(opened, people.policy), status_code=201
    )
    put_session(answer, opened, request)
    return answer


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
    """Make a token with scopes that the caller holds: nobody hands out more than they have.

    A console session gives its password again first (`password_needed`).
    """
    request.require_fresh()
    missing = [scope for scope in data.scopes if not request.caller.holds(scope)]
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
