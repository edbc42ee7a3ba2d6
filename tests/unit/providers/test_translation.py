"""Between our words and the wire's: identity, sizes and security rule 1."""

import base64
from dataclasses import replace

import pytest

from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.provider import RawRequest
from wunder.providers.translation import (
    answer_from_wire,
    from_wire_parse,
    names_a_stranger,
    to_wire_account,
    to_wire_request,
)
from wunder_wire.message import ChannelMessage, Peer, Receipt, Sender, Thread
from wunder_wire.methods import ImmediateResponse, ParseResult

ROW = AccountRow(
    account_uid="u" * 32,
    channel="chat",
    account_id="main",
    display_name="",
    status="enabled",
    config=AccountConfig(provider_config={"app_id": "1"}),
    secrets=b"",
    rev=3,
    secret_rev=1,
    webhook_key="k",
    created_at=0,
    updated_at=0,
)
ACCOUNT = Account(ROW, {"client_secret": "s"})
REQUEST = RawRequest(
    "POST", "/p", (("a", "1"), ("a", "2")), (("X-A", "b"),), b"\x00\xff", "::1", 1234
)
MESSAGE = ChannelMessage("chat", "main", Peer("group", "g1"), "id1", Sender("s1"), ts=5, text="hi")


def parsed(*messages: ChannelMessage, limit: int = 524_288):
    return from_wire_parse(ParseResult(messages=messages), ACCOUNT, REQUEST, limit)


def answered(status=200, content_type="application/json", body=b"{}"):
    headers = (("Content-Type", content_type), ("Set-Cookie", "x=1"))
    return answer_from_wire(ImmediateResponse(status, headers, base64.b64encode(body).decode()))


def test_a_request_crosses_byte_exact_and_in_order() -> None:
    wire = to_wire_request(REQUEST)
    assert base64.b64decode(wire.body_b64) == b"\x00\xff"
    assert wire.query == (("a", "1"), ("a", "2"))
    assert wire.received_ms == 1234


def test_an_account_carries_secrets_apart_and_its_channel() -> None:
    wire = to_wire_account(ACCOUNT)
    assert (wire.config, wire.secrets) == ({"app_id": "1"}, {"client_secret": "s"})
    assert (wire.channel, wire.rev) == ("chat", 3)


def test_the_host_sets_account_and_channel_of_what_comes_in() -> None:
    message = parsed(replace(MESSAGE, thread=Thread("t1"))).messages[0]
    assert message.conversation.key == ("u" * 32, "group", "g1", "t1")
    assert (message.channel, message.account_id) == ("chat", "main")


@pytest.mark.parametrize("field", ["channel", "account_id"])
def test_a_message_for_another_account_is_noticed(field: str) -> None:
    stranger = replace(MESSAGE, **{field: "other"})
    assert names_a_stranger(ParseResult(messages=(stranger,)), ACCOUNT)
    assert not names_a_stranger(ParseResult(messages=(MESSAGE,)), ACCOUNT)


@pytest.mark.parametrize("message_id", ["", "x" * 257, "é" * 129])
def test_a_platform_id_has_1_to_256_bytes(message_id: str) -> None:
    result = parsed(replace(MESSAGE, message_id=message_id))
    assert not result.messages
    assert result.refusals[0].reason == "message_id_length"


@pytest.mark.parametrize(
    "given",
    [
        {"peer": Peer("user", "p" * 1025)},
        {"thread": Thread("é" * 513)},
        {"sender": Sender("s" * 1025)},
    ],
)
def test_a_conversation_is_named_in_1024_bytes_each(given: dict[str, object]) -> None:
    """They are in indexes, which PostgreSQL bounds: one message would fail its whole request."""
    result = parsed(replace(MESSAGE, **given), MESSAGE)  # type: ignore[arg-type]
    assert [one.reason for one in result.refusals] == ["conversation_id_length"]
    assert len(result.messages) == 1


def test_a_receipt_names_its_message_as_far_as_an_attempt_does() -> None:
    receipt = Receipt("m" * 10_000, "read", 1)
    taken = from_wire_parse(ParseResult(receipts=(receipt,)), ACCOUNT, REQUEST, 524_288)
    assert taken.receipts[0].provider_message_id == "m" * 512


def test_valid_messages_of_a_mixed_batch_stay() -> None:
    result = parsed(
        MESSAGE, replace(MESSAGE, peer=Peer("user", "")), replace(MESSAGE, message_id="2")
    )
    assert [m.platform_message_id for m in result.messages] == ["id1", "2"]
    assert [r.reason for r in result.refusals] == ["peer_or_sender_missing"]


def test_a_message_above_the_size_limit_is_refused_with_a_bounded_excerpt() -> None:
    result = parsed(replace(MESSAGE, text="x" * 100_000), limit=50_000)
    assert result.refusals[0].reason == "too_large"
    assert len(result.refusals[0].excerpt) <= 16_384


def test_numbers_from_a_plugin_are_clamped_to_int64() -> None:
    assert parsed(replace(MESSAGE, ts=10**30)).messages[0].sent_at == 2**63 - 1
    receipts = ParseResult(receipts=(Receipt("p1", "read", -(10**30)),))
    assert from_wire_parse(receipts, ACCOUNT, REQUEST, 1000).receipts[0].at == -(2**63 - 1)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_rule_1_allows_few_statuses(status: int) -> None:
    assert answered(status).status == status


@pytest.mark.parametrize("status", [100, 201, 301, 302, 404, 500, 999])
def test_rule_1_refuses_other_statuses(status: int) -> None:
    assert answered(status) is None


def test_rule_1_lets_only_the_content_type_pass() -> None:
    assert answered().content_type == "application/json"


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/svg+xml", "text/plain\r\nSet-Cookie: a=b", "text/xml\x00"]
)
def test_rule_1_refuses_other_content_types_and_line_breaks(content_type: str) -> None:
    assert answered(content_type=content_type) is None


def test_rule_1_a_204_has_no_body() -> None:
    assert answered(204).body == b""


def test_rule_1_bounds_the_body_and_refuses_what_is_no_base64() -> None:
    assert answered(body=b"x" * 65_536) is not None
    assert answered(body=b"x" * 65_537) is None
    assert answer_from_wire(ImmediateResponse(200, (), "###")) is None
