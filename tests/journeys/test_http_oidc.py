"""Sign-in by another server, over real sockets on both sides."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from tests.journeys.http_gateway import HttpGateway, http_gateway
from tests.standins.oidc import OidcServer

OIDC = "/wunder/session/oidc"


@pytest.fixture
async def server() -> AsyncIterator[OidcServer]:
    async with OidcServer() as server:
        yield server


@pytest.fixture
async def gateway(tmp_path: Path, server: OidcServer) -> AsyncIterator[HttpGateway]:
    secret = tmp_path / "secret"
    secret.write_text(f"{server.secret}\n", "utf-8")
    settings = {
        "WUNDER_OIDC_ISSUER": server.url,
        "WUNDER_OIDC_CLIENT_ID": server.client_id,
        "WUNDER_OIDC_CLIENT_SECRET_FILE": str(secret),
        "WUNDER_OIDC_ROLE_CLAIM": "realm.roles",
        "WUNDER_OIDC_ADMIN_VALUES": "gateway-admins",
        "WUNDER_OIDC_USER_VALUES": "staff,interns",
        "WUNDER_EGRESS_ALLOW_HOSTS": server.url.removeprefix("http://"),
    }
    async with http_gateway(tmp_path / "data", settings=settings) as gateway:
        yield gateway


@pytest.fixture
async def browser(gateway: HttpGateway) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(gateway.http._base_url, cookie_jar=jar) as http:
        yield http


async def went(browser: aiohttp.ClientSession, path: str) -> str:
    async with browser.get(path, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        return answer.headers["Location"]


async def come_back(browser: aiohttp.ClientSession, server: OidcServer, **claims: Any) -> str:
    away = await went(browser, OIDC)
    return await went(browser, f"{OIDC}/callback?{server.arrive(away, **claims)}")


ANN = {"preferred_username": "Ann.Other", "name": "Ann 安", "realm": {"roles": ["staff"]}}


async def who(browser: aiohttp.ClientSession) -> Any:
    async with browser.get("/wunder/session") as answer:
        return await answer.json(content_type=None) if answer.status == 200 else None


async def test_a_person_signs_in_elsewhere_and_has_the_role_of_their_group(
    browser: aiohttp.ClientSession, server: OidcServer, gateway: HttpGateway
) -> None:
    async with browser.get("/wunder/session/options") as answer:
        assert (await answer.json())["oidc"] == {"label": "Single sign-on", "url": OIDC}
    away = await went(browser, OIDC)
    asked = parse_qs(urlsplit(away).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid profile email"]
    assert (
        await went(browser, f"{OIDC}/callback?{server.arrive(away, **ANN)}")
        == "/console/#signed_in"
    )
    said = await who(browser)
    assert (said["user"]["name"], said["user"]["role"]) == ("ann.other", "user")
    assert said["user"]["display_name"] == "Ann 安"
    pair = base64.b64decode(server.authorization.removeprefix("Basic ")).decode()
    assert pair == "wunder:s3cr3t%20with%20spaces%20%26%20signs"
    _, audit = await gateway.call("GET", "audit?action=signed_in")
    assert audit["items"][0]["actor"] == "user:ann.other"


async def test_whoever_comes_again_is_the_same_user_with_the_role_of_today(
    browser: aiohttp.ClientSession, server: OidcServer
) -> None:
    await come_back(browser, server, **ANN)
    first = await who(browser)
    promoted = ANN | {"realm": {"roles": ["interns", "gateway-admins"]}}
    await come_back(browser, server, **promoted)
    second = await who(browser)
    assert second["user"]["user_id"] == first["user"]["user_id"]
    assert second["user"]["role"] == "admin"


async def test_who_is_in_no_group_has_no_entry(
    browser: aiohttp.ClientSession, server: OidcServer, gateway: HttpGateway
) -> None:
    for claims in ({}, {"realm": {"roles": ["others"]}}, {"realm": "gateway-admins"}):
        assert await come_back(browser, server, **claims) == "/console/#oidc_error=not_allowed"
    assert await who(browser) is None
    assert (await gateway.call("GET", "users"))[1]["items"] == []


@pytest.mark.parametrize("forge", ["issuer", "audience", "nonce", "expired", "none", "hmac", "key"])
async def test_a_token_that_proves_nothing_signs_nobody_in(
    browser: aiohttp.ClientSession, server: OidcServer, forge: str
) -> None:
    server.forge = forge
    assert await come_back(browser, server, **ANN) == "/console/#oidc_error=oidc_failed"
    assert await who(browser) is None


async def test_an_answer_is_for_the_browser_that_asked_and_for_once(
    browser: aiohttp.ClientSession, server: OidcServer, gateway: HttpGateway
) -> None:
    away = await went(browser, OIDC)
    answer = server.arrive(away, **ANN)
    async with aiohttp.ClientSession(gateway.http._base_url) as stranger:
        failed = "/console/#oidc_error=oidc_failed"
        assert await went(stranger, f"{OIDC}/callback?{answer}") == failed
    assert await went(browser, f"{OIDC}/callback?{answer}x") == failed
    assert await went(browser, f"{OIDC}/callback?error=access_denied") == failed
    assert await went(browser, f"{OIDC}/callback?{answer}") == "/console/#signed_in"
    assert await went(browser, f"{OIDC}/callback?{answer}") == failed


async def test_keys_that_were_changed_are_asked_for_again(
    browser: aiohttp.ClientSession, server: OidcServer
) -> None:
    await come_back(browser, server, **ANN)
    server.rotate()
    assert await come_back(browser, server, **ANN) == "/console/#signed_in"
    assert server.requests == ["discovery", "keys", "keys"]


async def test_rule_16_only_a_password_given_there_just_now_counts(
    browser: aiohttp.ClientSession, server: OidcServer, gateway: HttpGateway
) -> None:
    admin = ANN | {"realm": {"roles": ["gateway-admins"]}}
    now_s = gateway.wired.ground.clock.now() // 1000
    for auth_time, wanted in ((None, 403), (now_s - 4_000, 403), (now_s, 201)):
        claims = admin if auth_time is None else admin | {"auth_time": auth_time}
        await come_back(browser, server, **claims)
        csrf = {"X-Wunder-CSRF": (await who(browser))["csrf"]}
        body = {"name": "ci", "scopes": ["read"]}
        async with browser.post("/wunder/admin/tokens", json=body, headers=csrf) as answer:
            assert answer.status == wanted, await answer.text()
    away = await went(browser, f"{OIDC}?fresh=true")
    asked = parse_qs(urlsplit(away).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


async def test_a_locked_user_does_not_come_in_this_way_either(
    browser: aiohttp.ClientSession, server: OidcServer, gateway: HttpGateway
) -> None:
    await come_back(browser, server, **ANN)
    user_id = (await who(browser))["user"]["user_id"]
    await gateway.call("PATCH", f"users/{user_id}", {"is_disabled": True})
    assert await who(browser) is None
    assert await come_back(browser, server, **ANN) == "/console/#oidc_error=not_allowed"


async def test_rule_10_a_server_that_is_another_than_it_says_is_not_believed(
    browser: aiohttp.ClientSession, server: OidcServer
) -> None:
    server.issuer = "https://evil.example"
    assert await went(browser, OIDC) == "/console/#oidc_error=oidc_unreachable"


async def test_without_outside_sign_in_there_is_no_such_way(tmp_path: Path) -> None:
    async with (
        http_gateway(tmp_path / "data") as gateway,
        gateway.http.get(OIDC, allow_redirects=False) as answer,
    ):
        assert answer.status == 404
        assert json.loads(await answer.text())["code"] == "not_found"
