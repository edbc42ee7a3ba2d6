"""What Feishu really sends, as recorded with an independent SDK: read as expected, or refused."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from wunder_channels.feishu.content import parts_of_handle
from wunder_channels.feishu.envelope import decrypt, signature_of
from wunder_channels.feishu.tests.driver import Driver
from wunder_sdk import ChannelError, ChannelMessage, ParseResult

ROOT = Path(__file__).resolve().parents[4]
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/feishu.json").read_text("utf-8"))
CASES = [*VECTORS["valid"], *VECTORS["invalid"]]
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}
PEER_KIND = {"p2p": "user", "group": "group"}
#: A sticker has no kind of its own with us.
KIND = {"sticker": "image"}


async def _outcome(case: dict[str, Any]) -> tuple[int, ParseResult | None]:
    account = {key: value for key, value in case["account"].items() if key != "account_id"}
    driver = Driver(**{"encrypt_key": "", "verification_token": "", **account})
    request = case["request"]
    try:
        result = await driver.parse(
            request["headers"], request["body"].encode(), case["now"] * 1000
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

    expected = case["expected"]
    assert status == expected["http"]["status"]
    if result is None:
        assert expected["outcome"] == "rejected"
        return
    assert result.immediate_response is not None
    body = json.loads(base64.b64decode(result.immediate_response.body_b64))
    assert body == expected["http"]["json"]
    wanted = [expected["message"]] if expected["outcome"] == "message" else []
    assert [_as_vector(one) for one in result.messages] == [_wanted(one) for one in wanted]
    assert bool(result.ignored) == (not wanted)


def _as_vector(message: ChannelMessage) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "event_id": message.meta["event_id"],
        "peer": (message.peer.kind, message.peer.id),
        "sender": message.sender.id,
        "union_id": message.meta["union_id"],
        "text": message.text,
        "mentions": [(one.id, one.name, one.is_self) for one in message.mentions],
        "mentions_bot": message.mentions_bot,
        "attachments": [
            (one.kind, parts_of_handle(one.media_id or "")[1], one.name)
            for one in message.attachments
        ],
        "reply_to": message.reply_to,
        "root_id": message.meta.get("root_id"),
        "thread": message.thread and message.thread.id,
        "ts": message.ts,
    }


def _wanted(vector: dict[str, Any]) -> dict[str, Any]:
    return {
        "message_id": vector["message_id"],
        "event_id": vector["event_id"],
        "peer": (PEER_KIND[vector["chat_type"]], vector["chat_id"]),
        "sender": vector["sender_id"],
        "union_id": vector["sender_ids"]["union_id"],
        "text": vector["text"],
        "mentions": [(one["id"], one["name"], one["is_bot"]) for one in vector["mentions"]],
        "mentions_bot": vector["mentioned_bot"],
        "attachments": [
            (KIND.get(one["kind"], one["kind"]), one["ref"], one["name"])
            for one in vector["attachments"]
        ],
        "reply_to": vector["reply_to"],
        "root_id": vector["root_id"],
        "thread": vector["thread_id"],
        "ts": vector["created_ms"],
    }


@pytest.mark.parametrize("vector", VECTORS["crypto"], ids=lambda one: one["id"])
def test_a_recorded_body_is_decrypted(vector: dict[str, Any]) -> None:
    assert decrypt(vector["encrypt_key"], vector["encrypt"]) == vector["plaintext"]


@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda one: one["id"])
def test_a_recorded_signature_is_ours_too(vector: dict[str, Any]) -> None:
    found = signature_of(
        vector["timestamp"], vector["nonce"], vector["encrypt_key"], vector["body"].encode()
    )

    assert found == vector["signature"]
    assert len(bytes.fromhex(found)) == hashlib.sha256().digest_size
