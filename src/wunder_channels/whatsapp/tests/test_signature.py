"""Only Meta is believed, and whatever arrives is read, ignored or refused cleanly."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.whatsapp.platform import WhatsAppPlatform
from tests.standins.whatsapp.webhooks import WebhookWriter
from wunder_channels.whatsapp.tests.driver import NUMBER_ID, SECRETS, Driver
from wunder_sdk import (
    AccountConfigInvalid,
    ChannelError,
    Forbidden,
    MalformedEvent,
    SignatureInvalid,
)
from wunder_sdk.errors import UnsupportedFeature

WRITER = WebhookWriter(
    WhatsAppPlatform(NUMBER_ID, "t", SECRETS["app_secret"], lambda: 1_767_225_600)
)
REFUSALS = {"signature_invalid", "malformed_event", "forbidden", "unsupported_feature"}
CHALLENGE = "1158201444"


async def _asked(query: list[tuple[str, str]], **config: Any) -> bytes:
    driver = Driver(**config)
    result = await driver.parse_raw({}, b"", method="GET", query=tuple(query))
    assert result.immediate_response is not None and result.ignored == "handshake"
    return result.immediate_response.body_b64.encode()


def _query(**changed: str) -> list[tuple[str, str]]:
    asked = {"mode": "subscribe", "challenge": CHALLENGE, "verify_token": SECRETS["verify_token"]}
    return [(f"hub.{name}", value) for name, value in {**asked, **changed}.items()]


# --- the handshake ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (_query(verify_token="nope"), Forbidden),
        (_query(verify_token=""), Forbidden),
        (_query(verify_token="\udcff"), Forbidden),
        (_query(mode="unsubscribe"), Forbidden),
        ([*_query(), ("hub.verify_token", SECRETS["verify_token"])], Forbidden),
        ([*_query(), ("hub.mode", "subscribe")], Forbidden),
        ([], Forbidden),
        (_query(challenge=""), MalformedEvent),
        (_query(challenge="9" * 257), MalformedEvent),
        ([*_query(), ("hub.challenge", "2")], MalformedEvent),
    ],
)
async def test_a_handshake_that_is_not_metas_is_refused(
    query: list[tuple[str, str]], error: type[ChannelError]
) -> None:
    with pytest.raises(error):
        await _asked(query)


async def test_an_account_without_a_verify_token_answers_no_handshake() -> None:
    with pytest.raises(Forbidden):
        await _asked(_query(verify_token=""), verify_token="")


async def test_the_challenge_comes_back_as_plain_text() -> None:
    result = await Driver().parse_raw(
        {}, b"", method="GET", query=tuple(_query(challenge="<b>0 1"))
    )

    assert result.immediate_response is not None
    assert dict(result.immediate_response.headers)["Content-Type"].startswith("text/plain")


# --- the signature ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.upper(),
        lambda one: one.removeprefix("sha256="),
        lambda one: one + "0",
        lambda one: one[:-1] + "٣",
        lambda one: "sha1=" + one.removeprefix("sha256="),
        lambda one: " " + one,
        lambda one: one + "\n",
        lambda one: "",
    ],
)
async def test_only_the_exact_form_of_a_signature_counts(change: Any) -> None:
    callback = WRITER.write({})
    name = "X-Hub-Signature-256"

    with pytest.raises(SignatureInvalid):
        await Driver().parse_raw(
            {**callback.headers, name: change(callback.headers[name])}, callback.body
        )


async def test_hex_may_be_written_in_capitals() -> None:
    callback = WRITER.write({})
    name = "X-Hub-Signature-256"
    scheme, _, digest = callback.headers[name].partition("=")
    headers = {**callback.headers, name: f"{scheme}={digest.upper()}"}

    assert (await Driver().parse_raw(headers, callback.body)).messages


@pytest.mark.parametrize("key", ["", SECRETS["verify_token"], SECRETS["access_token"]])
async def test_no_other_secret_signs(key: str) -> None:
    body = WRITER.write({}).body
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()

    with pytest.raises(SignatureInvalid):
        await Driver().parse_raw({"X-Hub-Signature-256": f"sha256={digest}"}, body)


async def test_an_account_without_an_app_secret_believes_nobody() -> None:
    body = WRITER.write({}).body
    digest = hmac.new(b"", body, hashlib.sha256).hexdigest()

    with pytest.raises(AccountConfigInvalid):
        await Driver(app_secret="").parse_raw({"X-Hub-Signature-256": f"sha256={digest}"}, body)


async def test_the_raw_bytes_are_what_is_signed() -> None:
    callback = WRITER.write({"text": "你好 https://a/b 👍"})
    assert b"\\u4f60" in callback.body and b"https:\\/\\/a\\/b" in callback.body

    (message,) = (await Driver().parse(callback)).messages
    assert message.text == "你好 https://a/b 👍"

    rewritten = json.dumps(json.loads(callback.body), ensure_ascii=False).encode()
    with pytest.raises(SignatureInvalid):
        await Driver().parse_raw(callback.headers, rewritten)


async def test_a_payload_of_another_product_is_not_found_here() -> None:
    with pytest.raises(UnsupportedFeature):
        await Driver().parse(WRITER.sign({"object": "page", "entry": []}))


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b'{"object":"whatsapp_business_account","entry":{}}', b"\xff\xfe{}",
     b'{"object":"whatsapp_business_account","entry":' + b"[" * 70 + b"]" * 70 + b"}"],
)  # fmt: skip
async def test_a_signed_payload_that_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises((MalformedEvent, UnsupportedFeature)):
        await Driver().parse(WRITER.sign_bytes(body))


# --- whatever arrives is refused cleanly -------------------------------------------------------------


async def _must_refuse_or_ignore(headers: dict[str, str], body: bytes, **more: Any) -> None:
    driver = Driver()
    try:
        result = await driver.parse_raw(headers, body, **more)
    except ChannelError as error:
        assert error.kind in REFUSALS, error
    else:
        assert result.immediate_response is not None
        for message in result.messages:
            assert message.peer.id and message.sender.id
            assert 1 <= len(message.message_id.encode()) <= 256
    finally:
        await driver.close()
    assert "channel_failed" not in driver.lines


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=400),
    signature=st.text(max_size=90) | st.from_regex(r"sha256=[0-9a-f]{64}", fullmatch=True),
)
async def test_random_bytes_are_refused(body: bytes, signature: str) -> None:
    await _must_refuse_or_ignore({"X-Hub-Signature-256": signature}, body)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["hub.mode", "hub.challenge", "hub.verify_token", "x"]),
                          st.text(max_size=20)), max_size=5))  # fmt: skip
async def test_random_handshakes_are_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises((Forbidden, MalformedEvent)):
        await _asked(query)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
async def test_a_changed_or_cut_body_is_refused(at: int, bit: int, cut: bool) -> None:
    callback = WRITER.write({"text": "你好"})
    body = bytearray(callback.body)
    place = at % len(body)
    if cut:
        body = body[:place]
    else:
        body[place] ^= 1 << bit

    with pytest.raises(SignatureInvalid):
        await Driver().parse_raw(callback.headers, bytes(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False,
        allow_infinity=False) | st.text(max_size=12) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from([
            "id", "from", "from_user_id", "timestamp", "group_id", "context", "errors", "body",
            "caption", "mime_type", "filename", "latitude", "longitude", "name", "address",
            "button_reply", "list_reply", "nfm_reply", "title", "emoji", "message_id", "type",
            "product_items", "quantity", "original_message_id", "message", "text", "phones", "wa_id",
            "formatted_name", "previous_user_id", "user_id", "code", "error_data", "response_json",
        ]), inner, max_size=8),
    max_leaves=30,
)  # fmt: skip
TYPES = ["text", "image", "audio", "video", "document", "sticker", "location", "contacts",
         "interactive", "button", "reaction", "order", "system", "edit", "revoke", "unsupported",
         "request_welcome", "poll"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(kind=st.sampled_from(TYPES), content=JSON, more=JSON, sender=JSON)
async def test_a_signed_message_of_any_shape_is_read_or_ignored(
    kind: str, content: Any, more: Any, sender: Any
) -> None:
    fields = more if isinstance(more, dict) else {}
    message = {
        "id": "wamid.1",
        "from": sender,
        "timestamp": "1",
        **fields,
        "type": kind,
        kind: content,
    }
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "messages": [message], "contacts": content}
    callback = WRITER.sign({"entry": [{"changes": [{"field": "messages", "value": value}]}]})

    await _must_refuse_or_ignore(callback.headers, callback.body)


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
async def test_signed_statuses_and_envelopes_of_any_shape_are_read_or_ignored(
    status: Any, entry: Any
) -> None:
    statuses = [{"id": "wamid.1", "status": "failed", "errors": [status]}, status]
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "statuses": statuses, "errors": [status]}
    changes = [{"field": "messages", "value": value}, entry, {"field": "x", "value": entry}]
    callback = WRITER.sign({"entry": [{"changes": changes}, entry, {"changes": entry}]})

    await _must_refuse_or_ignore(callback.headers, callback.body)
