"""Odd ids, bodies and queries at every endpoint: refused or answered, never an error of ours."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from tests.journeys.http_gateway import HttpGateway, http_gateway
from wunder.api.event_stream import PATHS as STREAMS
from wunder.api.scopes import SCOPES

IDS = ["x", "%00", "%ED%A0%80", "%F0%9F%98%80", "a" * 2_000, "%2e%2e%2fx", "'", "0" * 32]
PEER = {"kind": "user", "id": "\0"}
BODIES: list[Any] = [
    None,
    {},
    [],
    {"ids": ["x", "\0", "'"]},
    {"filter": {"peer_id": "\0", "since": -5}},
    {"filter": {"since": 2**70}},
    {"channel": "chat", "account_id": "main", "peer": PEER, "text": "\0"},
    {"channel": "\0", "account_id": "main", "peer": PEER, "text": "x", "ttl_s": 10**30},
    {"channel": "chat", "account_id": "\0", "provider_config": {"app_id": "\0"}},
    {"channel": "chat", "account_id": "z", "delivery": {"ttl_s": 10**15}},
    {"channel": "chat", "account_id": "*", "agent_id": "echo", "priority": 10**15},
    {"agent_id": "q", "kind": "echo", "config": {"prefix": "\0"}},
    {"name": "n", "scopes": ["read"], "ttl_s": 10**18},
    {"replies": [{"text": "\ud800"}]},
]
QUERIES = [
    "limit=-1",
    "cursor=zzz",
    "cursor=%00",
    "cursor=MTIz",
    "since=99999999999999999999999",
    "text=%00",
    "text=%25",
    "channel=%ED%A0%80",
    "account_uid=%00",
]


async def ask(gateway: HttpGateway, key: str, odd: str, body: Any) -> int:
    method, path = key.split(" ")
    url = URL(str(gateway.http._base_url).rstrip("/") + re.sub(r"\{\w+\}", odd, path), encoded=True)
    headers = {"Authorization": f"Bearer {gateway.token}", "Idempotency-Key": "k"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    data = None if body is None else json.dumps(body)
    async with gateway.http.request(method, url, data=data, headers=headers) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize("odd", IDS)
async def test_odd_ids_and_bodies_are_no_error_of_ours(tmp_path: Path, odd: str) -> None:
    async with http_gateway(tmp_path) as gateway:
        for key in SCOPES:
            if ("{" not in key and odd != IDS[0]) or key.partition(" ")[2] in STREAMS:
                continue
            writes = key.partition(" ")[0] in {"POST", "PUT", "PATCH"}
            for body in BODIES if writes else [None]:
                assert await ask(gateway, key, odd, body) < 500, (key, odd, body)


async def test_odd_queries_are_no_error_of_ours(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        for query in QUERIES:
            for name in ("messages", "outbox", "sessions", "events"):
                key = f"GET /wunder/admin/channels/{name}?{query}"
                assert await ask(gateway, key, "", None) < 500, key


async def test_odd_questions_to_a_stream_are_no_error_of_ours(tmp_path: Path) -> None:
    queries = (
        "types=ghost",
        "types=" + "x" * 300,
        "after=-1",
        "after=x",
        "a=1&a=2",
        "&".join("abcdefghijk"),
    )
    async with http_gateway(tmp_path) as gateway:
        headers = {"Authorization": f"Bearer {gateway.token}"}
        for query in queries:
            url = f"/wunder/admin/events?{query}"
            async with gateway.http.get(url, headers=headers) as answer:
                assert answer.status == 422, query
        odd = headers | {"Last-Event-ID": "9" * 40}
        async with gateway.http.get("/wunder/admin/events", headers=odd) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "replies",
    [
        [{"text": "x"}] * 21,
        [{"text": "x" * 100_001}],
        [{"text": "x", "attachments": [{"kind": "image", "url": "https://a.example/"}] * 21}],
    ],
)
async def test_an_answer_that_comes_later_is_bounded_like_one_that_comes_at_once(
    tmp_path: Path, replies: list[dict[str, Any]]
) -> None:
    async with http_gateway(tmp_path) as gateway:
        headers = {"Authorization": "Bearer x"}
        url = "/wunder/agent/turns/t/replies"
        async with gateway.http.post(url, json={"replies": replies}, headers=headers) as answer:
            said = await answer.json(content_type=None)
            assert (answer.status, said["errors"][0]["pointer"]) == (422, "/replies")
        few = {"replies": replies[:1] if len(replies) == 21 else []}
        async with gateway.http.post(url, json=few, headers=headers) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("part", ["peer", "thread"])
async def test_whom_nobody_can_be_called_is_named_by_its_place(tmp_path: Path, part: str) -> None:
    async with http_gateway(tmp_path) as gateway:
        account = {"channel": "chat", "account_id": "main", "provider_config": {"app_id": "1"}}
        assert (await gateway.call("POST", "channels/accounts", account))[0] == 201
        wanted = {"channel": "chat", "account_id": "main", "peer": {"kind": "user", "id": "u"}}
        wanted |= {"text": "x", "thread": {"id": "t"}}
        wanted[part] = {**wanted[part], "id": "x" * 1025}  # type: ignore[dict-item]
        status, said = await gateway.call("POST", "channels/messages", wanted, Idempotency_Key="k")
        assert (status, said["errors"][0]["pointer"]) == (422, f"/{part}/id")
