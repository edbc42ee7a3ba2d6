"""Every recorded request of the platform is read as the platform's own SDKs read it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.standins.wechat_mp.callbacks import USER
from wunder_channels.wechat_mp.callback import Keys, Opened
from wunder_channels.wechat_mp.config import MpConfig
from wunder_channels.wechat_mp.envelope import open_sealed, seal, signature
from wunder_channels.wechat_mp.passive import Stamp, render, text_reply
from wunder_channels.wechat_mp.tests.driver import Driver, body_of
from wunder_sdk import ChannelError, ChannelMessage, ParseResult

ROOT = Path(__file__).resolve().parents[4]
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/wechat_mp.json").read_text("utf-8"))
#: Vectors about repeats are the gateway's: they run over HTTP.
CASES = [one for one in (*VECTORS["valid"], *VECTORS["invalid"]) if "after" not in one]
STATUS_OF_KIND = {"signature_invalid": 401, "malformed_event": 400, "forbidden": 403}
#: The vectors' words for what the sheet calls by our names.
TYPES = {"voice": "audio", "shortvideo": "video", "link": "text"}


async def _outcome(case: dict[str, Any]) -> tuple[int, ParseResult | None]:
    account = {key: value for key, value in case["account"].items() if key != "account_id"}
    driver = Driver()
    driver.configure(**{"encoding_aes_key": "", **account})
    request = case["request"]
    try:
        result = await driver.parse_raw(
            request["raw_query"],
            request["body"].encode(),
            case["now"] * 1000,
            request["method"],
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
    said = body_of(result.immediate_response).decode()
    assert said in (expected["http"].get("body_any") or [expected["http"]["body"]])
    assert result.inline_reply is None
    messages = [one for one in result.messages if one.type != "event"]
    wanted = [expected["message"]] if expected["message"] else []
    assert [_as_vector(one) for one in messages] == [_wanted(one) for one in wanted]
    events = [one for one in result.messages if one.type == "event"]
    assert len(events) == (1 if expected["outcome"] == "event" else 0)
    for event in events:
        named = expected["event"]
        assert (event.meta["event"], event.meta["event_key"]) == (named["name"], named["key"])
        assert event.sender.id == named["sender_id"]
        assert event.message_id in named["dedupe_key"]
    if expected["outcome"] in ("ignored", "challenge"):
        assert result.ignored


def _as_vector(message: ChannelMessage) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "kind": message.type,
        "peer": (message.peer.kind, message.peer.id),
        "sender": message.sender.id,
        "text": message.text,
        "mentions_bot": message.mentions_bot,
        "attachments": [(one.kind, one.media_id or one.url) for one in message.attachments],
        "thumb": message.meta.get("thumb_media_id"),
        "ts": message.ts,
    }


def _wanted(vector: dict[str, Any]) -> dict[str, Any]:
    attachments = vector["attachments"]
    kind = vector["message_type"]
    return {
        "message_id": vector["message_id"],
        "kind": TYPES.get(kind, kind),
        "peer": ("user", vector["chat_id"]),
        "sender": vector["sender_id"],
        "text": vector["text"],
        "mentions_bot": vector["mentioned_bot"],
        "attachments": [(one["kind"], one["ref"]) for one in attachments],
        "thumb": attachments[0]["thumb_ref"] if attachments else None,
        "ts": vector["created_ms"],
    }


@pytest.mark.parametrize("vector", VECTORS["crypto"], ids=lambda one: one["id"])
def test_an_envelope_opens_and_is_sealed_the_same(vector: dict[str, Any]) -> None:
    signed = (vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"])
    message, random16 = vector["plaintext"].encode(), vector["random16"].encode()
    key, receiver = vector["encoding_aes_key"], vector["receive_id"]

    assert signature(*signed) == vector["msg_signature"]
    assert open_sealed(key, vector["encrypt"], receiver) == message
    assert seal(key, message, receiver, random16) == vector["encrypt"]


@pytest.mark.parametrize("vector", VECTORS["replies"], ids=lambda one: one["id"])
def test_a_passive_reply_is_written_byte_for_byte(vector: dict[str, Any]) -> None:
    account = {key: value for key, value in vector["account"].items() if key != "account_id"}
    config = MpConfig(**account)
    is_sealed = "encrypt" in vector
    opened = Opened(
        {"FromUserName": USER, "ToUserName": config.original_id},
        is_json=False,
        keys=Keys(config.token, config.encoding_aes_key) if is_sealed else None,
    )
    stamp = Stamp(1767225600, vector.get("nonce", ""), vector.get("random16", "").encode())

    response = render(config, opened, text_reply("收到"), stamp)

    assert body_of(response).decode() == vector["body"]
