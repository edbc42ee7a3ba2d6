"""The webhook route: what is refused before anyone is asked, what is handed over, what is answered."""

import asyncio
import contextlib
import json
from typing import Any

import pytest

from tests.unit.api.conftest import Door, OpenDoor, ParrotProvider, World, parrot
from wunder.api.exchange import Exchange
from wunder.api.parts import ApiPolicy
from wunder.api.sources import KnockPolicy
from wunder.errors import RequestRefused, StoreFull
from wunder.model.provider import WebhookAnswer

URL = "/wunder/channel/parrot/webhook"


def head(path: str = URL, *lines: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: h", *lines, "", ""]).encode()


async def test_the_room_gets_the_request_byte_for_byte(door: Door, world: World) -> None:
    body = b'{ "a":\t1 }\n'
    async with door.http.post(
        "/wunder/channel/parrot/k9/webhook?b=2&a=1&a=%20&empty=",
        data=body,
        headers={"X-Signature": "s", "Content-Type": "application/json"},
    ) as answer:
        assert answer.status == 200
    channel, account, request = world.room1.seen[0]
    assert (channel, account, request.method) == ("parrot", "k9", "POST")
    assert request.body == body
    assert request.query == (("b", "2"), ("a", "1"), ("a", " "), ("empty", ""))
    assert request.header("x-signature") == "s"
    assert request.remote_addr == "127.0.0.1"
    assert request.received_at == world.clock.now()


async def test_the_order_of_headers_is_kept(door: Door, world: World) -> None:
    await door.raw(
        head(URL, "X-B: 1", "X-A: 2", "X-B: 3", "Content-Length: 0", "Connection: close")
    )
    seen = [pair for pair in world.room1.seen[0][2].headers if pair[0].startswith("x-")]
    assert seen == [("x-b", "1"), ("x-a", "2"), ("x-b", "3")]


async def test_what_a_request_has_set_going_is_on_its_way_before_the_answer_is_written(
    door: Door, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    receive, answer = world.room1.receive, Exchange.answer

    async def turn() -> None:
        asyncio.get_running_loop().call_soon(seen.append, "handed over")

    async def received(*asked: Any) -> WebhookAnswer:
        given = await receive(*asked)
        seen.append("committed")
        world.tasks = [asyncio.create_task(turn())]  # type: ignore[attr-defined]
        return given

    async def answered(exchange: Exchange, *given: Any) -> None:
        seen.append("answered")
        await answer(exchange, *given)

    monkeypatch.setattr(world.room1, "receive", received)
    monkeypatch.setattr(Exchange, "answer", answered)
    async with door.http.post(URL, data=b"{}") as told:
        assert told.status == 200
    assert seen == ["committed", "handed over", "answered"]


async def test_a_get_without_account_reaches_the_room(door: Door, world: World) -> None:
    world.room1.answer = WebhookAnswer(200, "text/plain", b"echo")
    async with door.http.get(f"{URL}?echostr=echo") as answer:
        assert await answer.read() == b"echo"
    assert world.room1.seen[0][1] is None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_405(door: Door, world: World, method: str) -> None:
    async with door.http.request(method, URL) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, POST"
    assert not world.room1.seen


async def test_an_unknown_provider_is_404_before_its_body_is_read(door: Door, world: World) -> None:
    answer = await door.raw(head("/wunder/channel/ghost/webhook", "Content-Length: 500"))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"parrot" not in answer  # what is installed is nobody's business


async def test_a_wrong_path_below_the_prefix_is_404(door: Door) -> None:
    async with door.http.post("/wunder/channel/parrot/a/b/webhook") as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


async def test_an_announced_body_over_the_limit_is_413_before_reading_on(
    door: Door, world: World
) -> None:
    answer = await door.raw(head(URL, "Content-Length: 1001"))
    assert answer.startswith(b"HTTP/1.1 413")
    assert not world.room1.seen


async def test_a_streamed_body_over_the_limit_is_413(door: Door, world: World) -> None:
    chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"
    answer = await door.raw(head(URL, "Transfer-Encoding: chunked") + chunk * 3 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert not world.room1.seen


async def test_a_body_of_exactly_the_limit_is_taken(door: Door, world: World) -> None:
    async with door.http.post(URL, data=b"x" * 1_000) as answer:
        assert answer.status == 200


async def test_rule_4_encoded_bodies_are_415(door: Door, world: World) -> None:
    for encoding in ("gzip", "GZIP", "br", "identity, gzip"):
        async with door.http.post(URL, data=b"x", headers={"Content-Encoding": encoding}) as answer:
            assert answer.status == 415, encoding
    async with door.http.post(URL, data=b"x", headers={"Content-Encoding": "identity"}) as answer:
        assert answer.status == 200


async def test_rule_4_a_body_that_does_not_come_is_408(open_door: OpenDoor, world: World) -> None:
    door = await open_door(ApiPolicy(body_timeout_s=0.05))
    answer = await door.raw(head(URL, "Content-Length: 10") + b"slow")
    assert answer.startswith(b"HTTP/1.1 408")
    assert not world.room1.seen


async def test_rule_4_a_head_that_does_not_come_is_cut_off(open_door: OpenDoor) -> None:
    door = await open_door(ApiPolicy(head_timeout_s=0.05))
    assert (await door.raw(b"")).startswith(b"HTTP/1.1 408")
    assert (await door.raw(b"POST / HTTP/1.1\r\nHost:")).startswith(b"HTTP/1.1 408")
    used = await door.raw(head(URL, "Content-Length: 0") + b"POST / HT")
    assert used.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 408" in used


async def test_rule_4_a_head_that_is_too_large_is_431(open_door: OpenDoor) -> None:
    door = await open_door(ApiPolicy(head_bytes=500))
    large = "X-Long: " + "x" * 600
    assert (await door.raw(head(URL, large))).startswith(b"HTTP/1.1 431")
    assert (await door.raw(head(URL, large)[:-4])).startswith(b"HTTP/1.1 431")
    assert (await door.raw(head(f"/{'x' * 600}"))).startswith(b"HTTP/1.1 431")


async def test_what_is_no_http_is_400(door: Door) -> None:
    assert (await door.raw(b"\x16\x03\x01\x02\x00\r\n\r\n")).startswith(b"HTTP/1.1 400")


async def test_rule_2_a_plugin_never_sees_our_credentials(door: Door, world: World) -> None:
    headers = {
        "Cookie": "session=1",
        "Proxy-Authorization": "Basic eA==",
        "X-Wunder-Csrf": "t",
        "Authorization": "Bot 123",
        "X-Other": "kept",
    }
    await door.post(URL, data=b"{}", headers=headers)
    names = {name for name, _ in world.room1.seen[0][2].headers}
    assert "x-other" in names
    assert not names & {"cookie", "proxy-authorization", "x-wunder-csrf", "authorization"}


async def test_rule_2_authorization_passes_where_the_manifest_declares_it(
    door: Door, world: World
) -> None:
    world.providers.serve(ParrotProvider(parrot(passes_authorization=True)))  # type: ignore[arg-type]  # facts only
    await door.post(URL, data=b"{}", headers={"Authorization": "Bot 123"})
    await door.post(URL, data=b"{}", headers={"Authorization": "Bearer wndr_abc"})
    first, second = (request for _, _, request in world.room1.seen)
    assert first.header("authorization") == "Bot 123"
    assert second.header("authorization") is None


async def test_rule_1_answers_cannot_run_in_a_browser(door: Door, world: World) -> None:
    world.room1.answer = WebhookAnswer(200, "application/json; charset=utf-8", b"{}")
    async with door.http.post(URL, data=b"") as answer:
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "", "text/plain\r\nSet-Cookie: a=b"]
)
async def test_rule_1_other_content_types_become_plain_text(
    door: Door, world: World, kind: str
) -> None:
    world.room1.answer = WebhookAnswer(200, kind, b"<script>")
    async with door.http.post(URL, data=b"") as answer:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "Set-Cookie" not in answer.headers


async def test_rule_1_a_204_has_no_body(door: Door, world: World) -> None:
    world.room1.answer = WebhookAnswer(204, "text/plain", b"ignored")
    raw = await door.raw(head(URL, "Content-Length: 0", "Connection: close"))
    assert raw.startswith(b"HTTP/1.1 204")
    assert raw.endswith(b"\r\n\r\n")


async def test_status_0_closes_the_connection_unanswered(door: Door, world: World) -> None:
    world.room1.answer = WebhookAnswer(0)
    with contextlib.suppress(ConnectionError):  # closed by RST or FIN, either is no answer
        assert await door.raw(head(URL, "Content-Length: 0")) == b""
    assert world.room1.finished == 1


async def test_a_refusal_tells_its_reason_and_nothing_of_ours(door: Door, world: World) -> None:
    world.room1.error = RequestRefused(
        503, "provider_not_ready", "pid 77 at /srv/data", retry_after_s=5
    )
    async with door.http.post(URL, data=b"{}") as answer:
        document = json.loads(await answer.read())
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.content_type == "application/problem+json"
    assert document["code"] == "provider_not_ready"
    assert "srv" not in json.dumps(document)
    assert document["trace_id"]


async def test_a_full_store_is_503_come_again(door: Door, world: World) -> None:
    world.room1.error = StoreFull()
    async with door.http.post(URL, data=b"{}") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")


async def test_a_sender_who_hangs_up_does_not_stop_the_commit(door: Door, world: World) -> None:
    world.room1.gate = asyncio.Event()
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(head(URL, "Content-Length: 0"))
    async with asyncio.timeout(5):
        await world.room1.entered.wait()
        writer.transport.abort()
        await asyncio.sleep(0.01)  # lets the server see the reset
        world.room1.gate.set()
        await world.room1.left.wait()
    assert world.room1.finished == 1


async def test_rule_4_bad_signatures_use_up_a_sources_budget(
    open_door: OpenDoor, world: World
) -> None:
    door = await open_door(ApiPolicy(knocks=KnockPolicy(stranger_burst=50, bad_signature_cost=20)))
    world.room1.error = RequestRefused(401, "signature_invalid")
    statuses, retry_after = [], None
    for _ in range(4):
        async with door.http.post(URL, data=b"{}") as answer:
            statuses.append(answer.status)
            retry_after = answer.headers.get("Retry-After")
    assert statuses == [401, 401, 401, 429]
    assert retry_after == "1"
    assert len(world.room1.seen) == 3  # the fourth cost no call
    world.clock.advance(1)
    async with door.http.post(URL, data=b"{}") as answer:
        assert answer.status == 401


async def test_rule_4_what_was_only_kept_for_later_has_proved_nothing(
    open_door: OpenDoor, world: World
) -> None:
    door = await open_door(ApiPolicy(knocks=KnockPolicy(stranger_burst=2, stranger_per_s=1)))
    world.room1.answer = WebhookAnswer(200, is_verified=False)
    statuses = [(await door.http.post(URL, data=b"{}")).status for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_rule_4_only_named_proxies_are_believed(open_door: OpenDoor, world: World) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    door = await open_door()
    await door.post(URL, data=b"", headers=forged)
    behind = await open_door(ApiPolicy(trusted_proxies=("127.0.0.0/8", "198.51.100.0/24")))
    await behind.post(URL, data=b"", headers=forged)
    assert [request.remote_addr for _, _, request in world.room1.seen] == [
        "127.0.0.1",
        "203.0.113.9",
    ]


async def test_rule_4_webhook_queries_and_keys_are_never_logged(
    open_door: OpenDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    door = await open_door(ApiPolicy(access_log="all"))
    await door.post("/wunder/channel/parrot/0123key/webhook?token=hush", data=b"{}")
    written = capsys.readouterr().err
    assert "request_answered" in written
    assert "/wunder/channel/parrot/*/webhook" in written
    assert "hush" not in written
    assert "0123key" not in written


async def test_too_many_at_once_are_sent_away(open_door: OpenDoor, world: World) -> None:
    door = await open_door(ApiPolicy(webhooks_at_once=1))
    world.room1.gate = asyncio.Event()
    first = asyncio.create_task(door.post(URL, data=b"{}"))
    await world.room1.entered.wait()
    async with door.http.post(URL, data=b"{}") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    world.room1.gate.set()
    assert await first == 200


async def test_each_webhook_is_counted_once_it_is_answered(door: Door, world: World) -> None:
    await door.post(URL, data=b"{}")
    await door.post("/wunder/channel/ghost/webhook", data=b"{}")
    assert world.metrics.webhook_seconds.count == 2
    assert world.metrics.webhook_requests.value("no_account") == 1


async def test_a_quiet_log_keeps_refusals_only(
    door: Door, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await door.post(URL, data=b"{}")
    assert "request_answered" not in capsys.readouterr().err
    world.room1.error = RequestRefused(401, "signature_invalid")
    await door.post(URL, data=b"{}")
    assert '"status":401' in capsys.readouterr().err


async def test_a_whole_request_is_taken_although_its_sender_has_left(
    door: Door, world: World
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(head(URL, "Content-Length: 2") + b"{}")
    writer.close()
    async with asyncio.timeout(5):
        await world.room1.left.wait()
    assert world.room1.seen[0][2].body == b"{}"


async def test_requests_sent_at_once_are_answered_one_after_the_other(
    door: Door, world: World
) -> None:
    world.room1.answer = WebhookAnswer(200, "text/plain", b"taken")
    more = head(URL, "Content-Length: 1") + b"1"
    last = head(URL, "Content-Length: 1", "Connection: close") + b"2"
    answers = await door.raw(more + head("/healthz", method="GET") + last)
    assert answers.count(b"HTTP/1.1 200") == 3
    assert [request.body for _, _, request in world.room1.seen] == [b"1", b"2"]
    assert answers.index(b"taken") < answers.index(b"alive") < answers.rindex(b"taken")


async def test_a_body_that_comes_in_pieces_is_handed_over_whole(door: Door, world: World) -> None:
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(head(URL, "Content-Length: 6", "Expect: 100-continue", "Connection: close"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 100")
        writer.write(b"abc")
        await writer.drain()
        writer.write(b"def")
        assert b"HTTP/1.1 200" in await reader.read()
        writer.close()
    assert world.room1.seen[0][2].body == b"abcdef"


async def test_what_breaks_inside_is_a_500_and_the_next_request_is_answered(
    door: Door, world: World
) -> None:
    world.room1.error = ZeroDivisionError()
    broken = head(URL, "Content-Length: 0")
    assert (await door.raw(broken)).startswith(b"HTTP/1.1 500")
    world.room1.error = None
    assert await door.post(URL, data=b"{}") == 200


async def test_a_dropped_request_ends_also_with_another_behind_it(door: Door, world: World) -> None:
    world.room1.answer = WebhookAnswer(0)
    two = head(URL, "Content-Length: 0") * 2
    with contextlib.suppress(ConnectionError):
        assert await door.raw(two) == b""
    door.stop.set()  # a request that never ended would hold the stop up
    assert world.room1.finished == 1
