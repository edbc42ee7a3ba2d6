"""Signing in at somebody else's server, on another site: coming back one is signed in, or told why not."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import violations
from tests.e2e.people import Make
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess
from tests.ports import own_port
from tests.standins.oidc import OidcServer

say = Words("en")
ANN = {"preferred_username": "ann", "name": "Ann Other", "roles": ["staff"]}


@pytest.fixture
def server() -> Iterator[OidcServer]:
    """The other server, on a loop of its own: the browser's driver keeps this thread's."""
    one, loop = OidcServer(seen_as="login.example.com"), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(one.__aenter__(), loop).result(20)
    yield one
    asyncio.run_coroutine_threadsafe(one.__aexit__(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


@pytest.fixture
def gateway(tmp_path: Path, server: OidcServer) -> Iterator[GatewayProcess]:
    secret = tmp_path / "secret"
    secret.write_text(server.secret, "utf-8")
    port = own_port()
    settings = {
        "WUNDER_SERVER_PORT": str(port),
        "WUNDER_SERVER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WUNDER_OIDC_ISSUER": server.url,
        "WUNDER_OIDC_CLIENT_ID": server.client_id,
        "WUNDER_OIDC_CLIENT_SECRET_FILE": str(secret),
        "WUNDER_OIDC_ROLE_CLAIM": "roles",
        "WUNDER_OIDC_VIEWER_VALUES": "staff",
        "WUNDER_EGRESS_ALLOW_HOSTS": server.url.removeprefix("http://"),
    }
    with GatewayProcess(tmp_path / "data", **settings) as process:
        yield process


def test_one_comes_back_from_another_site_signed_in_to_the_page_asked_for(
    gateway: GatewayProcess, server: OidcServer, watched: Make
) -> None:
    server.person = ANN
    page = watched().page()
    page.goto(f"{gateway.url}/console/agents?x=1")
    page.get_by_role("link", name=say("signIn.with", name="Single sign-on")).click()
    expect(page.get_by_role("heading", name=say("nav.agents"))).to_be_visible()
    assert page.url == f"{gateway.url}/console/agents?x=1"
    page.reload()
    expect(page.get_by_role("heading", name=say("nav.agents"))).to_be_visible()


def test_a_link_straight_to_the_other_server_signs_in_as_well(
    gateway: GatewayProcess, server: OidcServer, watched: Make
) -> None:
    server.person = ANN
    page = watched().page()
    page.goto(f"{gateway.url}/wunder/session/oidc")
    expect(page.get_by_role("button", name=say("shell.person", name="Ann Other"))).to_be_visible()
    assert "signed_in" not in page.url


@pytest.mark.parametrize(
    ("person", "why"),
    [(None, "oidc_failed"), (ANN | {"roles": ["nothing"]}, "not_allowed")],
)
def test_whoever_is_sent_back_is_told_why_in_their_language(
    gateway: GatewayProcess,
    server: OidcServer,
    watched: Make,
    person: dict[str, object] | None,
    why: str,
) -> None:
    server.person = person
    page = watched().page()
    page.goto(f"{gateway.url}/console/")
    page.get_by_role("link", name=say("signIn.with", name="Single sign-on")).click()
    expect(page.get_by_text(say(f"signIn.oidcError.{why}"))).to_be_visible()
    assert "oidc_error" not in page.url
    assert violations(page) == []
    page.reload()
    expect(page.get_by_role("button", name=say("signIn.do"))).to_be_visible()
