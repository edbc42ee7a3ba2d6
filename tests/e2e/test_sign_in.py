"""Signing in: the same words for every failure, a pause after many, and each role its own part."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import violations
from tests.e2e.people import PASSWORD, ROLES, Make, admit, name_of, signed_in
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess

say = Words("en")


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label(say("signIn.name"), exact=True).fill(name)
    page.get_by_label(say("signIn.password"), exact=True).fill(password)
    page.get_by_role("button", name=say("signIn.do")).click()


def test_one_signs_in_reaches_the_page_asked_for_and_signs_out(
    gateway: GatewayProcess, watched: Make
) -> None:
    admit(gateway, "admin")
    context = watched()
    context.expect("401")
    page = context.page()
    page.goto(f"{gateway.url}/console/agents")
    sign_in(page, name_of("admin"), PASSWORD)
    expect(page).to_have_url(f"{gateway.url}/console/agents")
    expect(page.get_by_role("heading", name=say("nav.agents"))).to_be_visible()
    cookie = next(one for one in context.context.cookies() if "session" in one["name"])
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.get_by_role("button", name=say("shell.person", name=name_of("admin"))).click()
    page.get_by_role("menuitem", name=say("shell.signOut")).click()
    expect(page.get_by_role("button", name=say("signIn.do"))).to_be_visible()
    page.goto(f"{gateway.url}/console/agents")
    expect(page.get_by_role("button", name=say("signIn.do"))).to_be_visible()


def test_an_unknown_name_and_a_wrong_password_look_the_same_and_then_one_has_to_wait(
    gateway: GatewayProcess, watched: Make
) -> None:
    gateway.call("POST", "users", {"name": "hasty", "role": "viewer", "password": PASSWORD})
    context = watched()
    context.expect("401|429")
    page = context.page()
    page.goto(f"{gateway.url}/console/sign-in")
    for name in ("hasty", "nobody-at-all"):
        sign_in(page, name, "wrong password")
        expect(page.get_by_text(say("signIn.wrong"))).to_be_visible()
        assert violations(page) == []
        page.reload()
    locked = page.get_by_text(say.like("signIn.locked"))
    for _ in range(20):
        sign_in(page, "hasty", "wrong password")
        expect(locked.or_(page.get_by_text(say("signIn.wrong")))).to_be_visible()
        if locked.is_visible():
            break
    expect(locked).to_be_visible()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_own_part_and_is_told_what_another_part_needs(
    gateway: GatewayProcess, watched: Make, role: str
) -> None:
    context = watched()
    context.expect("403")
    page = signed_in(gateway, context, role)
    page.goto(f"{gateway.url}/console/")
    menu = page.get_by_role("navigation")
    expect(menu.get_by_role("link", name=say("nav.me"), exact=True)).to_be_visible()
    expect(menu.get_by_role("link", name=say("nav.users"), exact=True)).to_have_count(
        int(role == "admin")
    )
    expect(menu.get_by_role("link", name=say("nav.sessions"), exact=True)).to_have_count(
        int(role != "user")
    )
    page.goto(f"{gateway.url}/console/users")
    if role == "admin":
        expect(page.get_by_role("heading", name=say("nav.users"))).to_be_visible()
    elif role != "user":
        expect(page.get_by_text(say("forbidden.needs", role=say("role.admin")))).to_be_visible()
    else:
        expect(page.get_by_role("heading", name=say("nav.users"))).to_have_count(0)
