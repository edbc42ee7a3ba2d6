"""A visitor's talk through the chat page's routes: real gateway, real webchat channel, real store."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.chat_stream import Page, opened_page
from tests.journeys.http_gateway import HttpGateway, http_gateway

SITE = "https://shop.example.com"
SECRET = "s" * 40
CONFIG = {
    "title": "Ask us",
    "greeting": "Hello!",
    "allowed_origins": [SITE, "https://*.partner.example"],
    "site_secret": SECRET,
}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[HttpGateway]:
    async with http_gateway(tmp_path / "data") as here:
        feed = here.wired.chat.feed
        task = asyncio.get_running_loop().create_task(feed.run())
        yield here
        task.cancel()


async def opened(here: HttpGateway, **config: Any) -> str:
    """An account with a binding to echo; the key of its page."""
    account = {"channel": "webchat", "account_id": "front", "provider_config": CONFIG | config}
    status, view = await here.call("POST", "channels/accounts", account)
    assert status == 201, view
    binding = {"channel": "webchat", "account_id": "front", "agent_id": "echo"}
    assert (await here.call("POST", "channels/bindings", binding))[0] == 201
    assert view["chat_url"].endswith(f"/wunder/chat/{view['webhook_key']}")
    return str(view["webhook_key"])


async def enter(here: HttpGateway, key: str, **coming: str) -> tuple[int, Any]:
    async with here.http.post(f"/wunder/chat/{key}/visits", json=coming) as answer:
        return answer.status, await answer.json(content_type=None)


async def token(here: HttpGateway, key: str, **coming: str) -> str:
    status, entered = await enter(here, key, **coming)
    assert status == 200, entered
    return str(entered["token"])


async def say(
    here: HttpGateway, key: str, whose: str, text: str = "hello", line: str = "line-0001", **more
) -> int:
    headers = {"Authorization": f"Bearer {whose}"} | more
    body = {"id": line, "text": text}
    async with here.http.post(f"/wunder/chat/{key}/messages", json=body, headers=headers) as answer:
        return answer.status


@asynccontextmanager
async def page(here: HttpGateway, key: str, whose: str, last_id: str = "") -> AsyncIterator[Page]:
    async with opened_page(here.http, key, whose, last_id) as told:
        yield told


def claim(secret: str = SECRET, **document: Any) -> str:
    document = {"id": "u7", "name": "Ann", "exp": int(time.time()) + 60} | document
    said = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=")
    return f"{said.decode()}.{hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()}"


async def test_what_a_visitor_says_takes_the_whole_way_and_the_page_is_told_of_each_step(
    gateway: HttpGateway,
) -> None:
    key = await opened(gateway)
    whose = await token(gateway, key)
    async with page(gateway, key, whose) as told:
        assert await say(gateway, key, whose) == 202
        await told.until("hello", "done")
        await told.until("hello", "delivered")
    _, messages = await gateway.call("GET", "channels/messages?channel=webchat")
    out, inbound = messages["items"]
    assert (out["direction"], inbound["state"], inbound["account_id"]) == (
        "out",
        "answered",
        "front",
    )
    _, steps = await gateway.call("GET", f"channels/messages/{inbound['message_id']}/trail")
    names = [step["step"] for step in steps["items"]]
    assert names[0] == "received" and names[-1] == "sent"
    _, sessions = await gateway.call("GET", "channels/sessions?channel=webchat")
    assert sessions["items"][0]["message_count"] == 2


async def test_a_page_that_opens_again_shows_what_was_said_and_only_what_it_does_not_know(
    gateway: HttpGateway,
) -> None:
    key = await opened(gateway)
    whose = await token(gateway, key)
    await say(gateway, key, whose)
    async with page(gateway, key, whose) as told:
        await told.until("hello", "delivered")
        last_id = told.last_id
    async with page(gateway, key, whose) as again:
        await again.until("hello", "delivered")
        assert again.frames[0]["is_whole"]
        assert [line["side"] for line in again.frames[0]["lines"]] == ["you", "they"]
    async with page(gateway, key, whose, last_id) as known:
        await say(gateway, key, whose, "more", "line-0002")
        await known.until("more", "delivered")
        assert all(line["text"] == "more" for frame in known.frames for line in frame["lines"])


async def test_the_same_line_tried_twice_is_one_message(gateway: HttpGateway) -> None:
    key = await opened(gateway)
    whose = await token(gateway, key)
    assert [await say(gateway, key, whose) for _ in range(2)] == [202, 202]
    async with page(gateway, key, whose) as told:
        await told.until("hello", "delivered")
    _, messages = await gateway.call("GET", "channels/messages?channel=webchat&direction=in")
    assert len(messages["items"]) == 1


async def test_rule_17_a_token_fixes_account_visitor_and_site(gateway: HttpGateway) -> None:
    key = await opened(gateway)
    whose = await token(gateway, key)
    hers = await token(gateway, key)
    await say(gateway, key, whose, "mine")
    await say(gateway, key, hers, "hers", "line-0002")
    async with page(gateway, key, whose) as told:
        await told.until("mine", "delivered")
        assert {text for text, _ in told.marks} == {"mine"}
    other = {"channel": "webchat", "account_id": "other"}
    other_key = (await gateway.call("POST", "channels/accounts", other))[1]["webhook_key"]
    assert await say(gateway, other_key, whose) == 403
    body, _, signature = whose.partition(".")
    forged = base64.urlsafe_b64decode(body + "==").replace(b"guest:", b"site::")
    forged_token = base64.urlsafe_b64encode(forged).rstrip(b"=").decode() + "." + signature
    for wrong in ("", "x", "a.b", whose + "0", forged_token, whose[:-2] + "zz"):
        assert await say(gateway, key, wrong) == 403


async def test_rule_17_the_webhook_believes_nobody_from_outside_who_a_visitor_is(
    gateway: HttpGateway,
) -> None:
    key = await opened(gateway)
    url = f"/wunder/channel/webchat/{key}/webhook"
    headers = {"X-Wunder-Visitor": json.dumps({"id": "site:u7"})}
    async with gateway.http.post(url, json={"id": "a", "text": "b"}, headers=headers) as answer:
        assert answer.status == 401


async def test_rule_17_a_claimed_identity_needs_the_signature_of_the_site(
    gateway: HttpGateway,
) -> None:
    key = await opened(gateway)
    whose = await token(gateway, key, origin=SITE, claim=claim())
    assert await say(gateway, key, whose) == 202
    _, page_of = await gateway.call("GET", "channels/messages?direction=in")
    assert (page_of["items"][0]["peer_id"], page_of["items"][0]["sender_name"]) == (
        "site:u7",
        "Ann",
    )
    for wrong in (
        claim("t" * 40),
        claim(exp=int(time.time()) - 1),
        claim(id=""),
        claim(id="a\x00b"),
        claim()[:-1],
        "nonsense",
    ):
        assert (await enter(gateway, key, origin=SITE, claim=wrong))[0] == 403
    again = await token(gateway, key, origin=SITE, claim=claim())
    async with page(gateway, key, again) as told:
        await told.until("hello", "delivered")


async def test_whom_a_site_vouched_for_is_a_guest_without_its_word(gateway: HttpGateway) -> None:
    key = await opened(gateway)
    known = await token(gateway, key, origin=SITE, claim=claim())
    left = await token(gateway, key, origin=SITE, token=known)
    await say(gateway, key, left)
    _, found = await gateway.call("GET", "channels/messages?direction=in")
    assert found["items"][0]["peer_id"].startswith("guest:")


async def test_a_guest_who_comes_back_is_the_same_on_the_same_site_only(
    gateway: HttpGateway,
) -> None:
    key = await opened(gateway)
    first = await token(gateway, key)
    await say(gateway, key, first, "before")
    again = await token(gateway, key, token=first)
    async with page(gateway, key, again) as told:
        await told.until("before", "delivered")
    elsewhere = await token(gateway, key, token=first, origin=SITE)
    async with page(gateway, key, elsewhere) as told:
        await told.read()  # how soon to come again
        await told.read()
        assert told.frames[0]["lines"] == []


async def test_sites_that_are_not_on_the_list_are_refused(gateway: HttpGateway) -> None:
    key = await opened(gateway)
    assert (await enter(gateway, key, origin="https://a.partner.example"))[0] == 200
    for wrong in (
        "https://evil.example",
        "http://shop.example.com",
        "null",
        "unknown",
        f"{SITE}:444",
    ):
        assert (await enter(gateway, key, origin=wrong))[0] == 403
    headers = {"Origin": "https://evil.example"}
    url = f"/wunder/chat/{key}/visits"
    async with gateway.http.post(url, json={}, headers=headers) as answer:
        assert answer.status == 403


async def test_the_page_may_be_framed_by_the_sites_on_the_list_and_runs_no_inline_script(
    gateway: HttpGateway,
) -> None:
    key = await opened(gateway)
    async with gateway.http.get(f"/wunder/chat/{key}") as answer:
        policy, html = answer.headers["Content-Security-Policy"], await answer.text()
    assert f"frame-ancestors 'self' https://*.partner.example {SITE}" in policy
    assert "script-src 'self'" in policy and "unsafe" not in policy
    paths = [part.split('"')[0] for part in html.split('="') if part.startswith("/wunder/chat/")]
    assert len(paths) == 4
    for path in [*paths, "/wunder/chat/embed.js"]:
        async with gateway.http.get(path) as answer:
            assert answer.status == 200
            is_forever = "immutable" in answer.headers["Cache-Control"]
            assert is_forever is (path != "/wunder/chat/embed.js")


async def test_files_are_packed_for_who_takes_that_and_the_same_for_who_does_not(
    gateway: HttpGateway,
) -> None:
    told = {}
    for wanted in ("gzip, br", "identity", "x;q=0, gzip;q=0.5"):
        headers = {"Accept-Encoding": wanted}
        async with gateway.http.get("/wunder/chat/embed.js", headers=headers) as answer:
            told[wanted] = (answer.headers.get("Content-Encoding"), await answer.text())
    assert [kind for kind, _ in told.values()] == ["gzip", None, "gzip"]
    assert len({text for _, text in told.values()}) == 1


async def test_who_speaks_too_often_is_told_when_to_come_again(gateway: HttpGateway) -> None:
    key = await opened(gateway, visitor_rate=6)
    whose = await token(gateway, key)
    said = [await say(gateway, key, whose, line=f"line-{n:04}") for n in range(5)]
    assert said == [202, 202, 202, 429, 429]
    other = await token(gateway, key)
    assert await say(gateway, key, other, line="line-0100") == 202


async def test_nobody_opens_streams_without_end(gateway: HttpGateway) -> None:
    key = await opened(gateway)
    whose = await token(gateway, key)
    headers = {"Authorization": f"Bearer {whose}"}
    url = f"/wunder/chat/{key}/events"
    async with AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(page(gateway, key, whose))
        async with gateway.http.get(url, headers=headers) as answer:
            assert answer.status == 429
    async with page(gateway, key, whose) as told:
        await told.read()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "line-0001", "text": "  \n "}, 422),
        ({"id": "line-0001", "text": "x" * 8_001}, 422),
        ({"id": "../..", "text": "x"}, 422),
        ({"id": "line-0001", "text": "x", "peer": "site:u7"}, 422),
        ({"id": "line-0001"}, 422),
    ],
)
async def test_what_is_no_message_is_refused(gateway: HttpGateway, body: Any, status: int) -> None:
    key = await opened(gateway)
    headers = {"Authorization": f"Bearer {await token(gateway, key)}"}
    url = f"/wunder/chat/{key}/messages"
    async with gateway.http.post(url, json=body, headers=headers) as answer:
        assert answer.status == status, await answer.text()


async def test_a_message_that_nobody_answers_is_shown_as_failed(gateway: HttpGateway) -> None:
    account = {"channel": "webchat", "account_id": "front", "provider_config": CONFIG}
    key = (await gateway.call("POST", "channels/accounts", account))[1]["webhook_key"]
    whose = await token(gateway, key)
    async with page(gateway, key, whose) as told:
        await say(gateway, key, whose)
        await told.until("hello", "failed")
        assert told.frames[-1]["lines"][-1]["reason"] == "unrouted"


async def test_a_disabled_account_ends_the_visit_within_seconds(gateway: HttpGateway) -> None:
    key = await opened(gateway)
    whose = await token(gateway, key)
    async with page(gateway, key, whose) as told:
        await told.read()
        await told.read()
        await gateway.call("PATCH", "channels/accounts/webchat/front", {"is_enabled": False})
        async with asyncio.timeout(5):
            while not told.ended:
                await told.read()
    assert await say(gateway, key, whose) == 404
    async with gateway.http.get(f"/wunder/chat/{key}") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/wunder/chat/", 404),
        ("GET", "/wunder/chat/front", 404),
        ("GET", f"/wunder/chat/{'0' * 32}", 404),
        ("POST", f"/wunder/chat/{'0' * 32}", 405),
        ("GET", "/wunder/chat/assets/000000000000/page.js", 404),
        ("GET", "/wunder/chat/assets/../page.html", 404),
        ("GET", f"/wunder/chat/{'0' * 32}/events", 403),
    ],
)
async def test_what_is_not_there_is_not_found(
    gateway: HttpGateway, method: str, path: str, status: int
) -> None:
    async with gateway.http.request(method, path) as answer:
        assert answer.status == status
