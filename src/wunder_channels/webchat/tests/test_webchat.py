"""The web chat's channel: it believes the gateway's own page, and nobody else."""

import json

import pytest

from wunder_channels.webchat.channel import VISITOR_HEADER, WebchatChannel
from wunder_sdk import MalformedEvent, SignatureInvalid
from wunder_sdk.testing import ChannelDriver

VISITOR = {VISITOR_HEADER: json.dumps({"id": "guest:1", "name": "Ann", "origin": "self"})}


def driver(**config: object) -> ChannelDriver:
    return ChannelDriver(WebchatChannel, config, channel_id="webchat")


def body(text: object = "hello", message_id: object = "line-0001") -> bytes:
    return json.dumps({"id": message_id, "text": text}).encode()


async def test_what_a_visitor_says_becomes_a_message_of_the_peer_that_the_gateway_names() -> None:
    result = await driver().parse(body(), VISITOR)
    message = result.messages[0]
    assert (message.channel, message.account_id) == ("webchat", "test")
    assert (message.peer.kind, message.peer.id, message.peer.name) == ("user", "guest:1", "Ann")
    assert (message.sender.id, message.text, message.message_id) == (
        "guest:1",
        "hello",
        "line-0001",
    )
    assert result.immediate_response is not None
    assert result.immediate_response.status == 200


@pytest.mark.parametrize("header", ["", "x", "[]", "{}", '{"id": 3}', "null"])
async def test_a_request_that_the_gateway_did_not_write_is_refused(header: str) -> None:
    with pytest.raises(SignatureInvalid):
        await driver().parse(body(), {VISITOR_HEADER: header} if header else {})


@pytest.mark.parametrize(
    "sent", [b"", b"[]", b"{}", body(text=""), body(text=3), body(message_id="")]
)
async def test_a_body_that_says_nothing_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedEvent):
        await driver().parse(sent, VISITOR)


async def test_sending_only_says_that_it_is_there_and_the_same_each_time() -> None:
    first = await driver().send("answer", "guest:1", idempotency_key="d1")
    again = await driver().send("answer", "guest:1", idempotency_key="d1", attempt=2)
    assert first == again
    assert (first.provider_message_id, first.next) == ("d1", None)


async def test_sites_that_are_no_origins_are_named_one_by_one() -> None:
    sites = ["https://www.example.com", "https://*.example.com", "http://localhost:3000"]
    assert (await driver(allowed_origins=sites).validate()).ok
    wrong = await driver(allowed_origins=[*sites, "example.com", "https://a.b/path"]).validate()
    assert [(fault.path, fault.code) for fault in wrong.errors] == [
        ("/allowed_origins/3", "origin"),
        ("/allowed_origins/4", "origin"),
    ]
