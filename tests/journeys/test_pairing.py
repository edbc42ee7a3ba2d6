"""A stranger writes, is told a code, an administrator lets them in, and what they asked is answered."""

import re
from pathlib import Path
from typing import Any

from tests.journeys.http_gateway import HttpGateway, http_gateway

ACCOUNT = {
    "channel": "chat",
    "account_id": "main",
    "provider_config": {"app_id": "1"},
    "access": {"direct": "pairing"},
}
BINDING = {"channel": "chat", "account_id": "main", "agent_id": "echo"}
CODE = re.compile(r"\b[ACDEFGHJKMNPQRTWXY34679]{8}\b")


async def ready(gateway: HttpGateway, **access: Any) -> None:
    account = {**ACCOUNT, "access": {"direct": "pairing", **access}}
    status, made = await gateway.call("POST", "channels/accounts", account)
    assert status == 201, made
    status, _ = await gateway.call("POST", "channels/bindings", BINDING)
    assert status == 201


async def told(gateway: HttpGateway, peer: str = "u1") -> str:
    """The code that the person reads on their platform."""
    await gateway.until("channels/outbox", state="sent", peer_id=peer)
    return CODE.findall(gateway.platform.texts(peer)[-1])[0]


async def test_a_stranger_is_let_in_by_the_code_they_tell(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        assert await gateway.webhook({"id": "m1", "peer": "u1", "text": "are you open?"}) == 200
        code = await told(gateway)
        _, page = await gateway.call("GET", "channels/pairings?state=pending")
        assert [one["code"] for one in page["items"]] == [code]
        status, decided = await gateway.call("POST", f"channels/pairings/{code}/approve")
        assert (status, decided["answered"]) == (200, 1)
        await gateway.until("channels/messages?direction=in", state="answered")
        await gateway.until("channels/outbox", state="sent", reply_ordinal=2)
        assert gateway.platform.texts("u1")[-1] == "are you open?"
        assert await gateway.webhook({"id": "m2", "peer": "u1", "text": "thanks"}) == 200
        await gateway.until("channels/outbox", state="sent", reply_ordinal=1)
        assert gateway.platform.texts("u1")[-1] == "thanks"
        names = {event["name"] for event in await gateway.until("channels/events")}
        assert {"pairing_requested", "pairing_approved"} <= names


async def test_a_stranger_gets_one_answer_however_much_they_write(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        for number in range(5):
            await gateway.webhook({"id": f"m{number}", "peer": "u1", "text": "hello?"})
        await told(gateway)
        assert len(gateway.platform.texts("u1")) == 1
        _, page = await gateway.call("GET", "channels/messages?state=refused")
        assert {(one["reason"], one["text"]) for one in page["items"]} == {("pairing", "")}
        assert len(page["items"]) == 4


async def test_named_people_need_no_code_and_denied_ones_get_none(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway, allow_peers=["boss"], deny_peers=["pest"])
        await gateway.webhook({"id": "m1", "peer": "pest", "text": "hi"})
        await gateway.webhook({"id": "m2", "peer": "boss", "text": "hi"})
        await gateway.until("channels/outbox", state="sent", peer_id="boss")
        assert gateway.platform.texts("boss") == ["hi"]
        assert gateway.platform.texts("pest") == []


async def test_what_cannot_be_decided_is_said(tmp_path: Path) -> None:
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        status, said = await gateway.call("POST", "channels/pairings/NOBODYXX/approve")
        assert (status, said["code"]) == (404, "not_found")
        status, _ = await gateway.call("POST", "channels/pairings/a%20b/approve")
        assert status == 422
        await gateway.webhook({"id": "m1", "peer": "u1", "text": "hi"})
        code = await told(gateway)
        status, decided = await gateway.call("POST", f"channels/pairings/{code}/reject")
        assert (status, decided["pairing"]["state"]) == (200, "rejected")
        assert (await gateway.call("DELETE", f"channels/pairings/{code}"))[0] == 204
        assert (await gateway.call("DELETE", f"channels/pairings/{code}"))[0] == 404
