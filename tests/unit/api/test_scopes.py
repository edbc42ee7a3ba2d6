"""The table of scopes, walked in both directions."""

import pytest

from tests.unit.api.conftest import Door, FakeTokens, OpenDoor
from wunder.api.admin import HANDLERS, get_openapi
from wunder.api.scopes import PUBLIC, SCOPES, SETUP, TURN, holds
from wunder.model.token import SCOPES as ALL_SCOPES

GUARDED = {key: scope for key, scope in SCOPES.items() if scope not in {PUBLIC, SETUP, TURN}}


@pytest.fixture
async def tokens() -> FakeTokens:
    return FakeTokens()


@pytest.fixture
async def door(open_door: OpenDoor, tokens: FakeTokens) -> Door:
    return await open_door(tokens=tokens)


def routes() -> set[str]:
    return {
        f"{method} {path.replace(':str', '')}"
        for handler in [*HANDLERS, get_openapi]
        for path in handler.paths
        for method in handler.http_methods
    }


async def ask(door: Door, key: str, token: str | None) -> int:
    method, path = key.split(" ")
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    async with door.http.request(method, path.format_map(_Any()), headers=headers) as answer:
        return answer.status


class _Any(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "x"


def test_every_route_is_in_the_table_and_every_line_has_a_route() -> None:
    assert routes() == set(SCOPES)


def test_every_scope_of_the_table_can_be_given_to_a_token() -> None:
    assert set(GUARDED.values()) <= set(ALL_SCOPES)


def test_only_routes_that_cannot_have_a_token_are_open() -> None:
    assert set(SCOPES) - set(GUARDED) == {
        "GET /wunder/openapi.json",
        "POST /wunder/admin/setup",
        "POST /wunder/agent/turns/{turn_id}/replies",
    }


async def test_every_guarded_route_is_401_without_a_token(door: Door) -> None:
    assert {key: await ask(door, key, None) for key in GUARDED} == dict.fromkeys(GUARDED, 401)


async def test_every_guarded_route_is_401_with_a_wrong_token(door: Door) -> None:
    assert {key: await ask(door, key, "wndr_no") for key in GUARDED} == dict.fromkeys(GUARDED, 401)


async def test_every_guarded_route_is_403_without_its_scope(door: Door, tokens: FakeTokens) -> None:
    seen = {}
    for key, scope in GUARDED.items():
        others = [one for one in ALL_SCOPES if one != scope]
        if scope in {"read", "send"}:
            others.remove("admin")
        seen[key] = await ask(door, key, tokens.give(*others))
    assert seen == dict.fromkeys(GUARDED, 403)


async def test_every_guarded_route_lets_its_scope_through(door: Door, tokens: FakeTokens) -> None:
    for key, scope in GUARDED.items():
        assert await ask(door, key, tokens.give(scope)) not in {401, 403}, key


async def test_a_401_says_which_scheme(door: Door) -> None:
    async with door.http.get("/wunder/admin/channel_plugins") as answer:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await answer.json(content_type=None))["code"] == "token_needed"


async def test_two_authorization_headers_are_none(door: Door, tokens: FakeTokens) -> None:
    token = tokens.give("read")
    raw = await door.raw(
        b"GET /wunder/admin/channel_plugins HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        + f"Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    assert raw.startswith(b"HTTP/1.1 401")


def test_admin_covers_read_and_send_but_nothing_that_is_asked_for_by_name() -> None:
    admin = FakeTokens().made("admin")
    assert {scope for scope in ALL_SCOPES if holds(admin, scope)} == {"admin", "read", "send"}
