"""What the console stands on, over a real socket: people, live events, users' own part, the audit."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from argon2.profiles import CHEAPEST

from tests.journeys.http_gateway import HttpGateway, http_gateway
from wunder.accounts.setup_token import SetupToken
from wunder.people import lazy
from wunder.people.argon2id import Argon2id

GOOD = "purple giraffe umbrella"
DRAFT = {
    "channel": "chat",
    "provider_config": {"app_id": "1", "app_secret": "very-secret-value"},
}

SENT = {"channel": "chat", "peer": {"kind": "user", "id": "u1"}, "text": "news"}


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "argon2id", lambda: Argon2id(CHEAPEST))


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[HttpGateway]:
    async with http_gateway(tmp_path / "data") as gateway:
        yield gateway


@dataclass
class Browser:
    """A browser: cookies are kept, the CSRF token is sent with everything that is not GET."""

    http: aiohttp.ClientSession
    csrf: str = ""

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        sent = {"X-Wunder-CSRF": self.csrf} if method != "GET" and self.csrf else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, path, json=body, headers=sent) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def sign_in(self, name: str, password: str = GOOD) -> Any:
        status, said = await self.call(
            "POST", "/wunder/session", {"name": name, "password": password}
        )
        if status == 200:
            self.csrf = said["csrf"]
        return status, said

    @asynccontextmanager
    async def events(
        self, path: str = "/wunder/admin/events", **headers: str
    ) -> AsyncIterator["Page"]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.get(path, headers=sent) as answer:
            yield Page(answer)


class Page:
    """An open stream of events."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.seen: list[dict[str, Any]] = []

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these kinds; pytest's timeout bounds it."""
        found: dict[str, Any] = {}
        async for line in self.answer.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name in {"id", "event"}:
                found[name] = value
            elif name == "data":
                found["data"] = json.loads(value)
            elif not line.strip():
                if found.get("event"):
                    self.seen.append(found)
                if found.get("event") in kinds:
                    return found
                found = {}
        raise EOFError


@asynccontextmanager
async def browser(gateway: HttpGateway) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)  # an address, not a name
    async with aiohttp.ClientSession(gateway.http._base_url, cookie_jar=jar) as http:
        yield Browser(http)


async def made(gateway: HttpGateway, name: str, role: str) -> str:
    status, user = await gateway.call(
        "POST", "users", {"name": name, "role": role, "password": GOOD}
    )
    assert status == 201, user
    return str(user["user_id"])


async def opened_to_users(gateway: HttpGateway) -> None:
    status, shown = await gateway.call("PATCH", "channels/providers/chat", {"user_visible": True})
    assert (status, shown["is_user_visible"]) == (200, True)


async def test_rule_16_the_first_run_token_makes_an_administrator_and_signs_them_in_once(
    tmp_path: Path,
) -> None:
    async with (
        http_gateway(tmp_path / "data", is_set_up=False) as gateway,
        browser(gateway) as page,
    ):
        _, options = await page.call("GET", "/wunder/session/options")
        assert options["needs_setup"] is True
        token = SetupToken(tmp_path / "data").read()
        weak = {"token": token, "name": "alice", "password": "alice"}
        assert (await page.call("POST", "/wunder/admin/setup", weak))[0] == 422
        first = weak | {"password": GOOD}
        status, said = await page.call("POST", "/wunder/admin/setup", first)
        assert (status, said["user"]["role"]) == (201, "admin")
        assert (await page.call("GET", "/wunder/session"))[1] == said
        assert (await page.call("POST", "/wunder/admin/setup", first, X_Wunder_CSRF=said["csrf"]))[
            0
        ] == 403
        _, options = await page.call("GET", "/wunder/session/options")
        assert options["needs_setup"] is False


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(gateway: HttpGateway) -> None:
    await made(gateway, "ann", "viewer")
    body = {"name": "ann", "password": GOOD}
    async with gateway.http.post("/wunder/session", json=body) as answer:
        cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/wunder" in cookie
    assert "secure" not in cookie  # this is plain HTTP


async def test_rule_16_what_matters_asks_for_the_password_again(gateway: HttpGateway) -> None:
    user_id = await made(gateway, "root", "admin")
    async with browser(gateway) as page:
        await page.sign_in("root")
        token = {"name": "ci", "scopes": ["read"]}
        account = DRAFT | {"account_id": "main"}
        wanted = [
            ("POST", "/wunder/admin/tokens", token),
            ("POST", "/wunder/admin/channels/accounts", account),
            ("POST", "/wunder/admin/users", {"name": "eve", "role": "admin"}),
            (
                "POST",
                "/wunder/admin/channel_plugins/ghost/approve",
                {"version": "1", "sha256": "0"},
            ),
        ]
        await long_ago(gateway, user_id)
        for method, path, body in wanted:
            status, said = await page.call(method, path, body)
            assert (status, said["code"]) == (403, "password_needed"), path
        wrong = {"password": "not the password"}
        assert (await page.call("POST", "/wunder/session/confirm", wrong))[0] == 401
        status, said = await page.call("POST", "/wunder/session/confirm", {"password": GOOD})
        assert (status, said["user"]["name"]) == (200, "root")
        statuses = [(await page.call(*call))[0] for call in wanted]
        assert statuses == [201, 201, 201, 404]


async def long_ago(gateway: HttpGateway, user_id: str) -> None:
    """Make the password of a user's sessions 6 minutes old."""
    store, now = gateway.wired.store, gateway.wired.ground.clock.now()
    for session in await store.sessions.of(user_id):
        await store.sessions.touch(session.session_hash, seen_at=now, confirmed_at=now - 6 * 60_000)


async def test_rule_17_a_stream_tells_resumes_and_closes_with_its_session(
    gateway: HttpGateway,
) -> None:
    user_id = await made(gateway, "ann", "viewer")
    async with browser(gateway) as page:
        await page.sign_in("ann")
        async with page.events() as live:
            assert live.answer.content_type == "text/event-stream"
            await live.next("hello")
            await gateway.call("POST", "agents", {"agent_id": "helper", "kind": "echo"})
            first = await live.next("agent")
            assert first["data"]["name"] == "agent_created"
            assert first["id"] == str(first["data"]["event_id"])
        await gateway.call("DELETE", "agents/helper")
        async with page.events(Last_Event_ID=first["id"]) as live:
            missed = await live.next("agent")
            assert missed["data"]["name"] == "agent_removed"
            await gateway.call("DELETE", f"users/{user_id}/sessions")
            async with asyncio.timeout(5):
                await live.next("bye")
                with pytest.raises(EOFError):
                    await live.next("never")
        async with page.http.get("/wunder/admin/events") as answer:
            assert answer.status == 401


async def test_rule_17_replayed_events_are_authorised_like_live_ones(gateway: HttpGateway) -> None:
    await made(gateway, "ann", "viewer")  # an event about people
    await gateway.call("POST", "agents", {"agent_id": "helper", "kind": "echo"})
    async with browser(gateway) as page:
        await page.sign_in("ann")
        async with page.events(Last_Event_ID="1") as live:
            await live.next("agent")
            await made(gateway, "bob", "viewer")
            await gateway.call("DELETE", "agents/helper")
            await live.next("agent")
            assert "people" not in {one["event"] for one in live.seen}
    headers = {"Authorization": f"Bearer {gateway.token}", "Last-Event-ID": "1"}
    async with gateway.http.get("/wunder/admin/events?types=people", headers=headers) as answer:
        told = Page(answer)
        while (await told.next("people"))["data"]["name"] != "user_created":
            assert told.seen[-1]["data"]["name"] == "token_created"


async def test_a_page_that_missed_too_much_is_told_to_read_anew(gateway: HttpGateway) -> None:
    await made(gateway, "ann", "viewer")
    async with browser(gateway) as page:
        await page.sign_in("ann")
        async with page.events(Last_Event_ID="999999") as live:
            await live.next("reset")


async def test_a_user_connects_a_channel_and_reaches_nobody_elses(gateway: HttpGateway) -> None:
    ann, bob = await made(gateway, "ann", "user"), await made(gateway, "bob", "user")
    own = "/wunder/channels"
    async with browser(gateway) as one, browser(gateway) as two:
        await one.sign_in("ann")
        await two.sign_in("bob")
        assert (await one.call("GET", f"{own}/providers"))[1]["items"] == []
        assert (await one.call("POST", f"{own}/accounts", DRAFT))[0] == 422
        await opened_to_users(gateway)
        [offered] = (await one.call("GET", f"{own}/providers"))[1]["items"]
        assert offered["channel"] == "chat"
        status, account = await one.call("POST", f"{own}/accounts", DRAFT)
        assert (status, account["owner_user_id"]) == (201, ann)
        assert account["provider_config"]["app_secret"] == {"set": True}
        where = f"{own}/accounts/chat/{account['account_id']}"
        assert (await two.call("GET", f"{own}/accounts"))[1]["items"] == []
        for method, path, body in (
            ("GET", where, None),
            ("PUT", where, DRAFT),
            ("PATCH", where, {"is_enabled": False}),
            ("DELETE", where, None),
            ("POST", f"{where}/test", None),
            ("POST", f"{where}/reconnect", None),
            ("GET", f"{where}/impact", None),
            (
                "GET",
                f"{own}/runtime_logs?channel=chat&account_id={account['account_id']}",
                None,
            ),
        ):
            assert (await two.call(method, path, body))[0] == 404, (method, path)
        rule = {"channel": "chat", "account_id": account["account_id"], "agent_id": "echo"}
        assert (await one.call("POST", f"{own}/bindings", rule))[0] == 422  # not for users yet
        shown = {"agent_id": "echo", "kind": "echo", "is_visible_to_users": True}
        await gateway.call("PUT", "agents/echo", shown)
        assert (await one.call("GET", f"{own}/agents"))[1]["items"][0]["agent_id"] == "echo"
        assert (await two.call("POST", f"{own}/bindings", rule))[0] == 422
        status, binding = await one.call("POST", f"{own}/bindings", rule)
        assert (status, binding["owner_user_id"]) == (201, ann)
        mine = f"{own}/bindings/{binding['binding_id']}"
        assert (await two.call("PUT", mine, rule))[0] == 404
        assert (await two.call("DELETE", mine))[0] == 404
        for path in ("accounts", "bindings", "messages", "outbox", "sessions", "monitor"):
            assert (await one.call("GET", f"/wunder/admin/channels/{path}"))[0] == 403
        sent = SENT | {"account_id": account["account_id"]}
        queued = await gateway.call("POST", "channels/messages", sent, Idempotency_Key="k1")
        assert queued[0] == 202
        await gateway.wired.upkeep.tallies.round()
        [counted] = (await one.call("GET", f"{own}/tallies"))[1]["items"]
        assert counted["subject"] == account["account_uid"]
        assert (await two.call("GET", f"{own}/tallies"))[1]["items"] == []
        status, verdict = await one.call("POST", f"{where}/reconnect")
        assert (status, verdict["is_ok"]) == (200, True)
        _, again = await one.call("GET", where)
        assert (again["rev"] > account["rev"], again["status"]) == (True, "enabled")
        assert (await one.call("PATCH", where, {"is_enabled": False}))[1]["status"] == "disabled"
        assert (await one.call("POST", f"{where}/reconnect"))[0] == 409
        assert (await one.call("DELETE", where))[0] == 200
    assert bob != ann


async def test_a_user_is_told_of_their_own_accounts_and_that_channels_opened(
    gateway: HttpGateway,
) -> None:
    await made(gateway, "ann", "user")
    await made(gateway, "bob", "user")
    await opened_to_users(gateway)
    own = "/wunder/channels"
    async with browser(gateway) as one, browser(gateway) as two:
        await one.sign_in("ann")
        await two.sign_in("bob")
        async with one.events(f"{own}/events") as live:
            await live.next("hello")
            await two.call("POST", f"{own}/accounts", DRAFT)
            _, account = await one.call("POST", f"{own}/accounts", DRAFT)
            await gateway.call("PATCH", "channels/providers/chat", {"user_visible": False})
            told = await live.next("provider")
            assert told["data"]["name"] == "providers_changed"
            assert told["data"]["fields"] == {}
            uids = {o["data"]["account_uid"] for o in live.seen if o["event"] == "account"}
            assert uids == {account["account_uid"]}
            assert "figures" not in {o["event"] for o in live.seen}
        query = f"?channel=chat&account_id={account['account_id']}"
        _, log = await one.call("GET", f"{own}/runtime_logs{query}")
        assert [event["name"] for event in log["items"]] == ["account_created"]


async def test_a_user_sees_that_the_first_message_came_and_not_what_it_says(
    gateway: HttpGateway,
) -> None:
    await made(gateway, "ann", "user")
    await opened_to_users(gateway)
    async with browser(gateway) as page:
        await page.sign_in("ann")
        draft = DRAFT | {"account_id": "main"}
        assert (await page.call("POST", "/wunder/channels/accounts", draft))[0] == 201
        where = "/wunder/channels/accounts/chat/main/activity"
        nothing = {"has_received": False, "last_message_at": None, "is_parked": False}
        assert (await page.call("GET", where))[1] == nothing
        assert await gateway.webhook({"id": "m1", "peer": "u1", "text": "a secret"}) == 200
        _, said = await page.call("GET", where)
        assert said["has_received"] is True and said["last_message_at"] > 0
        assert "secret" not in json.dumps(said)
        _, same = await gateway.call("GET", "channels/accounts/chat/main/activity")
        assert same == said


async def test_rule_18_the_audit_tells_who_changed_what_and_no_secret(gateway: HttpGateway) -> None:
    await made(gateway, "root", "admin")
    async with browser(gateway) as page:
        await page.sign_in("root")
        await page.sign_in("root", "not the password")
        await page.call("POST", "/wunder/admin/channels/accounts", DRAFT | {"account_id": "main"})
        where = "/wunder/admin/channels/accounts/chat/main"
        await page.call("PATCH", where, {"provider_config": {"app_secret": "another-secret"}})
        await page.call("PATCH", where, {"provider_config": {"wrong": 1}})
        status, audit = await page.call("GET", "/wunder/admin/audit")
    assert status == 200
    told = [(one["actor"], one["action"], one["subject"]) for one in audit["items"]]
    assert told[:4] == [
        ("user:root", "account_changed", "chat/main"),
        ("user:root", "account_created", "chat/main"),
        ("nobody", "sign_in_failed", "root"),
        ("user:root", "signed_in", "root"),
    ]
    secrets = audit["items"][0]["detail"]["secrets"]["/app_secret"]
    assert secrets["set"] is True and len(secrets["hmac8"]) == 8
    assert "secret-value" not in json.dumps(audit) and "another-secret" not in json.dumps(audit)
    assert GOOD not in json.dumps(audit)
    assert all(len(one["request_id"]) == 32 for one in audit["items"])
    assert audit["items"][0]["remote_addr"] == "127.0.0.1"


async def test_a_refused_change_is_in_the_audit_and_reading_is_not(gateway: HttpGateway) -> None:
    await made(gateway, "ann", "viewer")
    async with browser(gateway) as page:
        await page.sign_in("ann")
        await page.call("GET", "/wunder/admin/channels/monitor")
        assert (await page.call("DELETE", "/wunder/admin/agents/echo"))[0] == 403
    _, audit = await gateway.call("GET", "audit?actor=user:ann")
    told = [(one["action"], one["result"], one["subject"]) for one in audit["items"]]
    assert told == [("remove_agent", "not_allowed", "echo"), ("signed_in", "ok", "ann")]


async def test_a_problem_carries_the_id_under_which_the_log_has_it(gateway: HttpGateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.token}"}
    async with gateway.http.get("/wunder/admin/agents/ghost", headers=headers) as answer:
        said = await answer.json(content_type=None)
        assert answer.headers["X-Request-Id"] == said["trace_id"]


async def test_a_person_changes_their_password_and_ends_their_other_sessions(
    gateway: HttpGateway,
) -> None:
    await made(gateway, "ann", "user")
    async with browser(gateway) as one, browser(gateway) as two:
        await one.sign_in("ann")
        await two.sign_in("ann")
        _, sessions = await one.call("GET", "/wunder/session/others")
        assert sorted(one_session["is_this"] for one_session in sessions["items"]) == [False, True]
        change = {"old": GOOD, "new": "green tortoise ladder"}
        wrong = change | {"old": "not the password"}
        assert (await one.call("PUT", "/wunder/session/password", wrong))[0] == 401
        assert (await one.call("PUT", "/wunder/session/password", change))[1] == {"ended": 1}
        assert (await two.call("GET", "/wunder/session"))[0] == 401
        assert (await one.call("GET", "/wunder/session"))[0] == 200
        assert (await two.sign_in("ann"))[0] == 401
        assert (await two.sign_in("ann", "green tortoise ladder"))[0] == 200


async def test_the_last_administrator_cannot_lock_themselves_out(gateway: HttpGateway) -> None:
    user_id = await made(gateway, "root", "admin")
    async with browser(gateway) as page:
        await page.sign_in("root")
        for body in ({"role": "viewer"}, {"is_disabled": True}):
            status, said = await page.call("PATCH", f"/wunder/admin/users/{user_id}", body)
            assert (status, said["code"]) == (409, "last_admin")
        assert (await page.call("DELETE", f"/wunder/admin/users/{user_id}"))[0] == 409


async def test_nobody_gives_a_person_more_than_they_have(gateway: HttpGateway) -> None:
    admin = await made(gateway, "root", "admin")
    _, issued = await gateway.call("POST", "tokens", {"name": "weak", "scopes": ["admin"]})
    weak = issued["token"]
    body = {"name": "eve", "role": "admin", "password": GOOD}
    assert (await gateway.call("POST", "users", body, weak))[0] == 403
    status, viewer = await gateway.call("POST", "users", body | {"role": "viewer"}, weak)
    assert status == 201
    where = f"users/{viewer['user_id']}"
    assert (await gateway.call("PATCH", where, {"role": "admin"}, weak))[0] == 403
    assert (await gateway.call("PATCH", where, {"role": "operator"}, weak))[0] == 200
    secret = {"password": "green tortoise ladder"}
    assert (await gateway.call("PUT", f"users/{admin}/password", secret, weak))[0] == 403
    assert (await gateway.call("PUT", f"{where}/password", secret, weak))[0] == 200


async def test_every_kind_of_write_is_in_the_audit(gateway: HttpGateway) -> None:
    account = DRAFT | {"account_id": "main"}
    rule = {"channel": "chat", "account_id": "main", "agent_id": "helper"}
    message = {"channel": "chat", "account_id": "main", "peer": {"kind": "user", "id": "u1"}}
    writes: list[tuple[str, str, Any, str]] = [
        ("POST", "agents", {"agent_id": "helper", "kind": "echo"}, "agent_created"),
        ("POST", "agents/helper/try", {"text": "hello"}, "try_agent"),
        ("POST", "channels/accounts", account, "account_created"),
        ("POST", "channels/accounts/chat/main/test", None, "test_account"),
        ("POST", "channels/accounts/chat/main/reconnect", None, "account_reconnected"),
        ("POST", "channels/bindings", rule, "binding_created"),
        ("PATCH", "channels/providers/chat", {"user_visible": True}, "provider_visibility_changed"),
        ("POST", "channels/outbox/release", {}, "release_held"),
        ("POST", "channels/messages", message | {"text": "news"}, "send_first"),
        ("POST", "tokens", {"name": "ci", "scopes": ["read"]}, "token_created"),
        ("POST", "users", {"name": "ann", "role": "viewer"}, "user_created"),
        ("DELETE", "channels/accounts/chat/main", None, "account_removed"),
    ]
    for method, path, body, action in writes:
        headers = {"Idempotency_Key": "k1"} if path == "channels/messages" else {}
        status, said = await gateway.call(method, path, body, **headers)
        assert status < 300, (path, said)
        _, audit = await gateway.call("GET", "audit?limit=1")
        assert audit["items"][0]["action"] == action
        assert audit["items"][0]["actor"].startswith("first#")


async def test_signing_out_ends_the_session_and_forgets_the_cookie(gateway: HttpGateway) -> None:
    await made(gateway, "ann", "user")
    async with browser(gateway) as page:
        await page.sign_in("ann")
        assert (await page.call("DELETE", "/wunder/session"))[1] == {"ended": 1}
        assert (await page.call("GET", "/wunder/session"))[0] == 401
        assert not list(page.http.cookie_jar)


async def test_the_cookie_is_secure_where_a_trusted_proxy_says_that_the_page_came_over_tls(
    tmp_path: Path,
) -> None:
    body, over_tls = {"name": "ann", "password": GOOD}, {"X-Forwarded-Proto": "https"}
    for proxies, wanted in (("127.0.0.1", True), ("192.0.2.1", False)):
        settings = {"WUNDER_API_TRUSTED_PROXIES": proxies}
        async with http_gateway(tmp_path / proxies, settings=settings) as gateway:
            await made(gateway, "ann", "viewer")
            async with gateway.http.post("/wunder/session", json=body, headers=over_tls) as answer:
                assert ("secure" in answer.headers["Set-Cookie"].lower()) is wanted


async def test_the_overview_has_the_last_minute_from_kept_counters(gateway: HttpGateway) -> None:
    account = DRAFT | {"account_id": "main"}
    await gateway.call("POST", "channels/accounts", account)
    rule = {"channel": "chat", "account_id": "main", "agent_id": "echo"}
    await gateway.call("POST", "channels/bindings", rule)
    await gateway.webhook({"id": "m1", "peer": "u1", "text": "hello"})
    await gateway.until("channels/outbox", state="sent")
    _, monitor = await gateway.call("GET", "channels/monitor")
    assert (monitor["last_minute"]["taken_in"], monitor["last_minute"]["sent"]) == (1, 1)
    assert monitor["last_minute"]["delivery_p95_ms"] is not None
    assert (monitor["last_hour"]["sent"], monitor["last_hour"]["failed"]) == (1, 0)
    assert (monitor["hour_before"], monitor["due_since"]) == (None, None)
    assert monitor["day_before"] is None
    assert 0 <= monitor["last_hour"]["at"] - monitor["kept_since"] < 3_600_000
