"""Every recorded request of the platform is read as Tencent's own library reads it."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.standins.wecom.callbacks import Callback
from wunder_channels.wechat.answer import Stamp, sealed_json
from wunder_channels.wechat.envelope import KeyPair, Marks, is_signed, seal, sign, unseal
from wunder_channels.wechat.tests.driver import Driver
from wunder_sdk import ChannelError, ChannelMessage, ParseResult

ROOT = Path(__file__).resolve().parents[4]
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/wecom.json").read_text("utf-8"))
CASES = [one for one in (*VECTORS["valid"], *VECTORS["invalid"]) if "after" not in one]
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}
TYPE_OF_VECTOR = {"link": "text", "voice": "audio"}
SECRETS = ("secret", "token", "encoding_aes_key")


async def _outcome(case: dict[str, Any]) -> tuple[int, ParseResult | None]:
    account = {key: value for key, value in case["account"].items() if key != "account_id"}
    secrets = {key: account.pop(key) for key in SECRETS if key in account}
    given = {"corp_id": "", "agent_id": 0, **account}
    driver = Driver(secrets, **given)
    request = case["request"]
    query = dict(parse_qsl(request["raw_query"], keep_blank_values=True))
    headers = tuple(request["headers"].items())
    callback = Callback(query, (request.get("body") or "").encode(), headers)
    try:
        return 200, await driver.parse(callback, case["now"] * 1000)
    except ChannelError as error:
        return STATUS_OF_KIND[error.kind], None
    finally:
        await driver.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
async def test_a_recorded_request_is_read_as_expected(case: dict[str, Any]) -> None:
    status, result = await _outcome(case)

    expected = case["expected"]
    assert status == expected["http"]["status"]
    if result is None:
        assert expected["outcome"] == "rejected"
        return
    assert result.immediate_response is not None
    body = base64.b64decode(result.immediate_response.body_b64).decode()
    assert body in expected["http"].get("body_any", [expected["http"]["body"]])
    messages = [one for one in result.messages if one.type != "event"]
    wanted = [expected["message"]] if expected["message"] else []
    assert [_as_vector(one) for one in messages] == [_wanted(one, case) for one in wanted]
    events = [one for one in result.messages if one.type == "event"]
    assert [(one.meta["event_type"], one.sender.id) for one in events] == (
        [(expected["event"]["name"], expected["event"]["sender_id"])] if "event" in expected else []
    )


def _as_vector(message: ChannelMessage) -> dict[str, Any]:
    place = message.location
    return {
        "message_id": message.message_id,
        "type": message.type,
        "peer": (message.peer.kind, message.peer.id),
        "sender": message.sender.id,
        "text": message.text,
        "mentions_bot": message.mentions_bot,
        "attachments": [(one.kind, one.media_id or one.url) for one in message.attachments],
        "location": (place.lat, place.lng, place.address) if place else None,
        "ts": message.ts,
        "response_url": message.meta.get("response_url"),
    }


def _wanted(vector: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    kind, place = vector["message_type"], vector["location"]
    return {
        "message_id": vector["message_id"],
        "type": TYPE_OF_VECTOR.get(kind, kind),
        "peer": ({"p2p": "user", "group": "group"}[vector["chat_type"]], vector["chat_id"]),
        "sender": vector["sender_id"],
        "text": vector["text"],
        "mentions_bot": vector["mentioned_bot"],
        "attachments": [(one["kind"], one["ref"]) for one in vector["attachments"]],
        "location": (place["lat"], place["lng"], place["label"]) if place else None,
        "ts": vector["created_ms"] or case["now"] * 1000,
        "response_url": vector.get("response_url"),
    }


@pytest.mark.parametrize("vector", VECTORS["crypto"], ids=lambda one: one["id"])
def test_an_envelope_of_each_padding_opens_and_is_sealed_the_same(vector: dict[str, Any]) -> None:
    key, receive_id = vector["encoding_aes_key"], vector["receive_id"]
    marks = Marks(vector["msg_signature"], vector["timestamp"], vector["nonce"])

    assert is_signed(vector["token"], marks, vector["encrypt"])
    assert unseal(vector["encrypt"], key, receive_id).decode() == vector["plaintext"]
    random16 = vector["random16"].encode()
    assert seal(vector["plaintext"].encode(), key, receive_id, random16) == vector["encrypt"]


@pytest.mark.parametrize("vector", VECTORS["replies"], ids=lambda one: one["id"])
def test_a_reply_is_sealed_to_the_byte(vector: dict[str, Any]) -> None:
    account, timestamp = vector["account"], vector["timestamp"]
    pair = KeyPair(account["token"], account["encoding_aes_key"])
    random16 = vector["random16"].encode()

    encrypted = seal(
        vector["plaintext"].encode(), pair.encoding_aes_key, vector["receive_id"], random16
    )

    assert encrypted == vector["encrypt"]
    signature = sign(pair.token, str(timestamp), vector["nonce"], encrypted)
    assert signature == vector["msg_signature"]
    if not vector["receive_id"]:
        stamp = Stamp(timestamp, vector["nonce"], random16)
        answer = sealed_json(json.loads(vector["plaintext"]), pair, stamp)
        assert json.loads(base64.b64decode(answer.body_b64)) == vector["body"]
