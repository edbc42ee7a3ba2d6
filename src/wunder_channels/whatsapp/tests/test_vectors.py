"""Every recorded request of the platform is read as independent libraries read it."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from wunder_channels.whatsapp.tests.driver import Driver
from wunder_sdk import ChannelError, ChannelMessage, ParseResult, Receipt

ROOT = Path(__file__).resolve().parents[4]
VECTORS = json.loads((ROOT / "tests/fixtures/vectors/whatsapp.json").read_text("utf-8"))
#: Vectors about body limits and repeats are the gateway's: they run over HTTP.
GATEWAYS = ("limits", "sequence", "after")
CASES = [
    one
    for one in (*VECTORS["valid"], *VECTORS["invalid"])
    if not any(key in one for key in GATEWAYS)
]
STATUS_OF_KIND = {
    "signature_invalid": 401, "malformed_event": 400, "forbidden": 403, "unsupported_feature": 404,
}  # fmt: skip
#: Kind of a message in the vectors -> ours, where the words differ.
TYPES = {"document": "file", "interactive": "text", "button": "text"}
#: Notices of the vectors that are no messages: the core counts them by this reason.
REASONS = {"unrouted": "other_number"}


async def _outcome(case: dict[str, Any]) -> tuple[int, ParseResult | None]:
    driver = Driver(**case["account_config"])
    request = case["request"]
    try:
        result = await driver.parse_raw(
            request["headers"],
            base64.b64decode(request["body_b64"]),
            case["now"] * 1000,
            method=request["method"],
            query=tuple(parse_qsl(request["query"], keep_blank_values=True)),
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
    body = base64.b64decode(result.immediate_response.body_b64)
    assert body.decode() == expected["response_text"]
    messages = [one for one in result.messages if one.type != "event"]
    events = [one for one in result.messages if one.type == "event"]
    assert [_as_vector(one) for one in messages] == [_wanted(one) for one in expected["messages"]]
    for message, vector in zip(messages, expected["messages"], strict=True):
        _require_other_ids(message, vector["sender"].get("alt_ids"))
    if messages:
        assert not expected["notices"]
    else:
        _require_notices(events, list(result.receipts), result.ignored, expected["notices"])


def _require_notices(
    events: list[ChannelMessage],
    receipts: list[Receipt],
    ignored: str | None,
    notices: list[dict[str, Any]],
) -> None:
    for notice in notices:
        if notice["event_type"] == "status":
            receipt = receipts.pop(0)
            assert (receipt.provider_message_id, receipt.status, receipt.ts) == (
                notice["provider_message_id"], notice["status"], notice["timestamp_ms"],
            )  # fmt: skip
        elif "chat" in notice:
            assert _as_notice(events.pop(0)) == {"op": None, "emoji": None, **notice} | {
                "text": notice.get("text", notice.get("emoji") or "")
            }
        else:
            kind = notice["event_type"]
            assert ignored == REASONS.get(kind, kind)
    assert not events and not receipts


def _require_other_ids(message: ChannelMessage, alt_ids: list[str] | None) -> None:
    """In a group the answer goes to the group: nobody needs the other id of who wrote."""
    if alt_ids is not None and message.peer.kind == "user":
        assert [message.meta["user_id"]] == alt_ids


def _as_notice(message: ChannelMessage) -> dict[str, Any]:
    return {
        "event_type": message.meta["event_type"],
        "event_id": message.message_id,
        "chat": {
            "id": message.peer.id,
            "type": {"user": "dm", "group": "group"}[message.peer.kind],
        },
        "actor": message.sender.id,
        "op": message.meta.get("op"),
        "emoji": message.meta.get("emoji"),
        "target_message_id": message.reply_to,
        "text": message.text,
    }


def _as_vector(message: ChannelMessage) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "type": message.type,
        "peer": (message.peer.kind, message.peer.id),
        "sender": (message.sender.id, message.sender.name, message.sender.is_bot),
        "text": message.text,
        "mentions_bot": message.mentions_bot,
        "attachments": [
            (one.kind, one.mime, one.name, one.size, one.url, one.media_id)
            for one in message.attachments
        ],
        "sha256": message.meta.get("sha256"),
        "reply_to": message.reply_to,
        "ts": message.ts,
        "meta": {
            key: value for key, value in message.meta.items() if key not in ("user_id", "sha256")
        },
    }


def _wanted(vector: dict[str, Any]) -> dict[str, Any]:
    sender, attachments = vector["sender"], vector["attachments"]
    peer_kind = {"dm": "user", "group": "group"}[vector["chat"]["type"]]
    return {
        "message_id": vector["message_id"],
        "type": TYPES.get(vector["kind"], vector["kind"]),
        "peer": (peer_kind, vector["chat"]["id"]),
        "sender": (sender["id"], sender["name"], sender["is_bot"]),
        "text": vector["text"],
        "mentions_bot": vector["mentions_bot"],
        "attachments": [
            (one["kind"], one["mime"], one["name"], one["size"], one["url"], one["media_id"])
            for one in attachments
        ],
        "sha256": attachments[0]["sha256"] if attachments else None,
        "reply_to": vector["reply_to_message_id"],
        "ts": vector["timestamp_ms"],
        "meta": vector["reply_context"],
    }
