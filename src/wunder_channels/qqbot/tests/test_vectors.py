"""Every recorded request of the platform is read as the platform's own SDKs read it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from wunder_channels.qqbot.signature import signing_key, verify
from wunder_channels.qqbot.tests.driver import Driver
from wunder_sdk import ChannelError, ChannelMessage, ParseResult

ROOT = Path(__file__).resolve().parents[4]
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/qqbot.json").read_text("utf-8"))
#: Vectors about body limits and repeats are the gateway's: they run over HTTP.
GATEWAYS = ("limits", "sequence", "after")
CASES = [
    one
    for one in (*VECTORS["valid"], *VECTORS["invalid"])
    if not any(key in one for key in GATEWAYS)
]
PEER_KINDS = {"dm": "user", "group": "group", "channel": "channel"}
STATUS_OF_KIND = {
    "signature_invalid": 401,
    "malformed_event": 400,
    "forbidden": 403,
    "too_large": 413,
}


async def _outcome(case: dict[str, Any]) -> tuple[int, ParseResult | None]:
    driver = Driver(**case["account_config"])
    request = case["request"]
    try:
        result = await driver.parse(
            request["headers"], base64.b64decode(request["body_b64"]), case["now"] * 1000
        )
    except ChannelError as error:
        return STATUS_OF_KIND[error.kind], None
    finally:
        await driver.close()
    assert result.immediate_response is not None
    return result.immediate_response.status, result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
async def test_a_recorded_request_is_read_as_expected(case: dict[str, Any]) -> None:
    status, result = await _outcome(case)

    expected = case["expect"]
    assert status == expected["http_status"]
    if result is None:
        assert not expected["messages"] and not expected["notices"]
        return
    assert result.immediate_response is not None
    body = json.loads(base64.b64decode(result.immediate_response.body_b64))
    assert body == expected["response_json"]
    messages = [one for one in result.messages if one.type != "event"]
    notices = [one for one in result.messages if one.type == "event"]
    assert [_as_vector(one) for one in messages] == [_wanted(one) for one in expected["messages"]]
    assert [_as_notice(one) for one in notices] == expected["notices"]
    if expected.get("reason"):
        assert result.ignored == expected["reason"]


def _as_notice(message: ChannelMessage) -> dict[str, Any]:
    kind = {"user": "dm", "group": "group", "channel": "channel"}[message.peer.kind]
    return {
        "event_type": message.meta["event_type"],
        "event_id": message.message_id,
        "chat": {"id": message.peer.id, "type": kind},
        "actor": message.sender.id,
    }


def _as_vector(message: ChannelMessage) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "kind": message.type,
        "peer": (message.peer.kind, message.peer.id),
        "sender": (message.sender.id, message.sender.name, message.sender.is_bot),
        "text": message.text,
        "mentions": [(one.id, one.name, one.is_self) for one in message.mentions],
        "mentions_bot": message.mentions_bot,
        "attachments": [
            (one.kind, one.mime, one.name, one.size, one.url) for one in message.attachments
        ],
        "reply_to": message.reply_to,
        "ts": message.ts,
        "meta": {
            key: value
            for key, value in message.meta.items()
            if key not in ("event_type", "sent_ms", "streams")
        },
    }


def _wanted(vector: dict[str, Any]) -> dict[str, Any]:
    sender = vector["sender"]
    context = vector["reply_context"]
    return {
        "message_id": vector["message_id"],
        "kind": vector["kind"],
        "peer": (PEER_KINDS[vector["chat"]["type"]], vector["chat"]["id"]),
        "sender": (sender["id"], sender["name"], sender["is_bot"]),
        "text": vector["text"],
        "mentions": [(one["id"], one["name"], one["self"]) for one in vector["mentions"]],
        "mentions_bot": vector["mentions_bot"],
        "attachments": [
            (one["kind"], one["mime"], one["name"], one["size"], one["url"])
            for one in vector["attachments"]
        ],
        "reply_to": vector["reply_to_message_id"],
        "ts": vector["timestamp_ms"],
        "meta": {key: value for key, value in context.items() if value is not None},
    }


@pytest.mark.parametrize("vector", VECTORS["signature_vectors"], ids=lambda one: one["source"])
def test_a_published_signature_verifies_and_is_ours_too(vector: dict[str, Any]) -> None:
    body = base64.b64decode(vector["message_b64"])

    verify(vector["secret"], vector["timestamp"], vector["signature_hex"], body)

    key = signing_key(vector["secret"])
    assert key.private_bytes_raw().hex() == vector["seed_hex"]
    assert key.public_key().public_bytes_raw().hex() == vector["public_key_hex"]
    assert key.sign(vector["timestamp"].encode() + body).hex() == vector["signature_hex"]
