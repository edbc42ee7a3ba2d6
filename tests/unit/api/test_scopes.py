"""The table of scopes, walked in both directions."""

import pytest

from tests.unit.api.conftest import Door, FakeTokens, OpenDoor
from wunder.api.admin import HANDLERS, get_openapi
from wunder.api.caller import csrf_of
from wunder.api.event_stream import PATHS as STREAMS
from wunder.api.scopes import NEEDS_NOBODY, OWN, PERSON, ROLE_SCOPES, SCOPES, holds
from wunder.model.token import SCOPES as ALL_SCOPES
from wunder.people.person import ROLES, Role

GUARDED = {key: scope for key, scope in SCOPES.items() if scope not in NEEDS_NOBODY}
#: What a token can be given; the rest is for people.
FOR_TOKENS = {key: scope for key, scope in GUARDED.items() if scope not in {OWN, PERSON}}


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


async def ask(door: Door, key: str, token: str | None = None, role: Role | None = None) -> int:
    method, path = key.split(" ")
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    if role is not None:
        headers = {"Cookie": f"wunder_session={role}", "X-Wunder-CSRF": csrf_of(role)}
    async with door.http.request(method, path.format_map(_Any()), headers=headers) as answer:
        return answer.status


class _Any(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "x"


def test_every_route_is_in_the_table_and_every_line_has_a_route() -> None:
    assert routes() | {f"GET {path}" for path in STREAMS} == set(SCOPES)


def test_every_scope_of_the_table_can_be_given_to_a_token_or_is_for_people() -> None:
    assert set(FOR_TOKENS.values()) <= set(ALL_SCOPES)


def test_no_role_has_a_scope_that_there_is_not() -> None:
    assert {one for scopes in ROLE_SCOPES.values() for one in scopes} == {*ALL_SCOPES, OWN}
    assert set(ROLE_SCOPES) == set(ROLES)


def test_only_routes_that_cannot_have_a_token_are_open() -> None:
    assert set(SCOPES) - set(GUARDED) == {
        "GET /wunder/openapi.json",
        "POST /wunder/admin/setup",
        "POST /wunder/agent/turns/{turn_id}/replies",
        "GET /wunder/session/options",
        "POST /wunder/session",
        "GET /wunder/session/oidc",
        "GET /wunder/session/oidc/callback",
    }


async def test_every_guarded_route_is_401_without_a_token(door: Door) -> None:
    assert {key: await ask(door, key) for key in GUARDED} == dict.fromkeys(GUARDED, 401)


async def test_every_guarded_route_is_401_with_a_wrong_token(door: Door) -> None:
    assert {key: await ask(door, key, "wndr_no") for key in GUARDED} == dict.fromkeys(GUARDED, 401)


async def test_every_guarded_route_is_403_without_its_scope(door: Door, tokens: FakeTokens) -> None:
    seen = {}
    for key, scope in GUARDED.items():
        others = [one for one in ALL_SCOPES if one != scope]
        if scope in {"read", "operate", "send"}:
            others.remove("admin")
        seen[key] = await ask(door, key, tokens.give(*others))
    assert seen == dict.fromkeys(GUARDED, 403)


async def test_every_guarded_route_lets_its_scope_through(door: Door, tokens: FakeTokens) -> None:
    for key, scope in FOR_TOKENS.items():
        assert await ask(door, key, tokens.give(scope)) not in {401, 403}, key


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_reaches_what_the_table_gives_it_and_nothing_else(
    door: Door, role: Role
) -> None:
    may = ROLE_SCOPES[role]
    wanted = {
        key: scope == PERSON
        or scope in may
        or (scope in {"read", "operate", "send"} and "admin" in may)
        for key, scope in GUARDED.items()
    }
    reached = {key: await ask(door, key, role=role) not in {401, 403} for key in GUARDED}
    assert reached == wanted


@pytest.mark.parametrize("role", ROLES)
async def test_every_unsafe_route_needs_the_csrf_header_of_the_session(
    door: Door, role: Role
) -> None:
    unsafe = [key for key in GUARDED if not key.startswith("GET ")]
    for key in unsafe:
        method, path = key.split(" ")
        for wrong in ({}, {"X-Wunder-CSRF": csrf_of("somebody else")}):
            headers = {"Cookie": f"wunder_session={role}", **wrong}
            url = path.format_map(_Any())
            async with door.http.request(method, url, headers=headers) as answer:
                assert answer.status == 403, key
                assert (await answer.json(content_type=None))["code"] == "csrf"


async def test_a_page_of_another_site_changes_nothing_even_with_the_header(door: Door) -> None:
    headers = {
        "Cookie": "wunder_session=admin",
        "X-Wunder-CSRF": csrf_of("admin"),
        "Sec-Fetch-Site": "cross-site",
    }
    async with door.http.post("/wunder/admin/tokens", headers=headers, json={}) as answer:
        assert (await answer.json(content_type=None))["code"] == "cross_site"
    async with door.http.post(
        "/wunder/session", headers={"Sec-Fetch-Site": "same-site"}, json={}
    ) as answer:
        assert (await answer.json(content_type=None))["code"] == "cross_site"


async def test_two_session_cookies_are_none(door: Door) -> None:
    headers = {"Cookie": "wunder_session=viewer; wunder_session=admin"}
    async with door.http.get("/wunder/session", headers=headers) as answer:
        assert answer.status == 401


async def test_a_token_stands_before_a_cookie(door: Door, tokens: FakeTokens) -> None:
    headers = {
        "Authorization": f"Bearer {tokens.give('send')}",
        "Cookie": "wunder_session=admin",
    }
    async with door.http.get("/wunder/admin/audit", headers=headers) as answer:
        assert answer.status == 403


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


def test_admin_covers_daily_business_but_nothing_that_is_asked_for_by_name() -> None:
    assert {scope for scope in ALL_SCOPES if holds(["admin"], scope)} == {
        "admin",
        "read",
        "operate",
        "send",
    }
