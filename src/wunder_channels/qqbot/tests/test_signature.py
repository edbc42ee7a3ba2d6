"""Nobody but QQ is believed, and nobody gets our signature for an event."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.qq.callbacks import Callback, CallbackWriter
from tests.standins.qq.platform import QqPlatform
from wunder_channels.qqbot.signature import signing_key, verify
from wunder_channels.qqbot.tests.driver import APP_ID, NOW_MS, SECRET, Driver
from wunder_sdk import (
    AccountConfigInvalid,
    ChannelError,
    Forbidden,
    MalformedEvent,
    SignatureInvalid,
)

NOW_S = NOW_MS // 1000
WRITER = CallbackWriter(QqPlatform(APP_ID, SECRET))
REFUSALS = {"signature_invalid", "malformed_event", "forbidden"}


def _signed(text: str = "hello") -> Callback:
    return WRITER.write({"kind": "c2c", "text": text, "now_s": NOW_S})


def _check(plain_token: object, event_ts: object, **headers: str) -> tuple[dict[str, str], bytes]:
    payload = {"d": {"plain_token": plain_token, "event_ts": event_ts}, "op": 13}
    return {"X-Bot-Appid": APP_ID, **headers}, json.dumps(payload).encode()


async def test_upper_case_hex_is_accepted() -> None:
    callback = _signed()
    signature = callback.headers["X-Signature-Ed25519"].upper()

    result = await Driver().parse(
        {**callback.headers, "X-Signature-Ed25519": signature}, callback.body
    )

    assert len(result.messages) == 1


@pytest.mark.parametrize(("skew_s", "ok"), [(300, True), (-300, True), (301, False), (-301, False)])
async def test_only_a_fresh_signature_counts(skew_s: int, ok: bool) -> None:
    callback = _signed()
    arrived_ms = NOW_MS + skew_s * 1000

    if ok:
        assert (await Driver().parse(callback.headers, callback.body, arrived_ms)).messages
    else:
        with pytest.raises(SignatureInvalid):
            await Driver().parse(callback.headers, callback.body, arrived_ms)


@pytest.mark.parametrize(
    "drop", [("X-Signature-Timestamp",), ("X-Signature-Ed25519",),
             ("X-Signature-Timestamp", "X-Signature-Ed25519")],
)  # fmt: skip
async def test_a_missing_header_is_no_signature(drop: tuple[str, ...]) -> None:
    callback = _signed()
    headers = {key: value for key, value in callback.headers.items() if key not in drop}

    with pytest.raises(SignatureInvalid):
        await Driver().parse(headers, callback.body)


@pytest.mark.parametrize(
    "signature", ["", "00" * 63, "00" * 65, "0x" + "00" * 63, "é" * 128, "00 " * 64]
)
async def test_a_signature_of_another_form_is_refused(signature: str) -> None:
    callback = _signed()

    with pytest.raises(SignatureInvalid):
        await Driver().parse({**callback.headers, "X-Signature-Ed25519": signature}, callback.body)


def test_a_valid_signature_with_another_nonce_is_accepted() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    key, nonce_key = signing_key(SECRET), signing_key("the nonce")

    def scalar(seed: bytes) -> int:
        bits = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
        return bits & ~7 & ((1 << 254) - 1) | (1 << 254)

    point = nonce_key.public_key().public_bytes_raw()
    hashed = hashlib.sha512(point + key.public_key().public_bytes_raw() + b"1body").digest()
    challenge = int.from_bytes(hashed, "little")
    s = (
        scalar(nonce_key.private_bytes_raw()) + challenge * scalar(key.private_bytes_raw())
    ) % order
    signature = point + s.to_bytes(32, "little")

    assert signature != key.sign(b"1body")
    verify(SECRET, "1", signature.hex(), b"body")


def test_a_signature_with_s_plus_the_group_order_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    good = signing_key(SECRET).sign(b"1body")
    malleated = int.from_bytes(good[32:], "little") + order
    forged = good[:32] + malleated.to_bytes(32, "little")

    verify(SECRET, "1", good.hex(), b"body")
    with pytest.raises(SignatureInvalid):
        verify(SECRET, "1", forged.hex(), b"body")


async def test_a_callback_for_another_bot_is_forbidden() -> None:
    callback = _signed()

    with pytest.raises(Forbidden):
        await Driver().parse({**callback.headers, "X-Bot-Appid": "999999"}, callback.body)


async def test_a_signed_body_that_is_no_json_is_malformed() -> None:
    body = b'{"op":0,'
    timestamp = str(NOW_S)
    signature = signing_key(SECRET).sign(timestamp.encode() + body).hex()
    headers = {"X-Signature-Timestamp": timestamp, "X-Signature-Ed25519": signature}

    with pytest.raises(MalformedEvent):
        await Driver().parse(headers, body)


async def test_an_account_without_a_secret_believes_nobody() -> None:
    callback = _signed()

    with pytest.raises(AccountConfigInvalid):
        await Driver(client_secret="").parse(callback.headers, callback.body)


# --- the address check is no signing oracle --------------------------------------------------------

ATTACKS = [
    '{"op":0,"t":"C2C_MESSAGE_CREATE","d":{}}',
    "",
    " ",
    "abc def",
    'a"b',
    "a,b",
    "[1]",
    "é",
    "a\n",
    "x" * 257,
    None,
    7,
    ["a"],
    {"a": 1},
]


@pytest.mark.parametrize("plain_token", ATTACKS)
async def test_nothing_but_a_plain_token_is_signed(plain_token: object) -> None:
    headers, body = _check(plain_token, str(NOW_S))

    with pytest.raises(SignatureInvalid):
        await Driver().parse(headers, body)


@pytest.mark.parametrize(
    "event_ts",
    ["", "-1", "1e9", "\uff11767225600", " 1767225600", "1" * 17, None, 1767225600.0, True,
     str(NOW_S - 301), str(NOW_S + 301), str(NOW_S) + "{", [NOW_S]],
)  # fmt: skip
async def test_nothing_but_a_fresh_second_is_signed(event_ts: object) -> None:
    headers, body = _check("Arq0D5A61EgUu4OxUvOp", event_ts)

    with pytest.raises(SignatureInvalid):
        await Driver().parse(headers, body)


async def test_the_second_may_be_a_number() -> None:
    result = await Driver().parse(*_check("token", NOW_S))

    assert result.immediate_response is not None
    answer = json.loads(base64.b64decode(result.immediate_response.body_b64))
    assert answer["signature"] == signing_key(SECRET).sign(f"{NOW_S}token".encode()).hex()


async def test_a_signed_address_check_with_a_wrong_signature_is_refused() -> None:
    headers = {"X-Signature-Timestamp": str(NOW_S), "X-Signature-Ed25519": "00" * 64}

    with pytest.raises(SignatureInvalid):
        await Driver().parse(*_check("token", str(NOW_S), **headers))


@settings(max_examples=200, deadline=None)
@given(token=st.text(max_size=80), shift=st.integers(0, 12))
async def test_no_answer_of_the_address_check_verifies_as_an_event(token: str, shift: int) -> None:
    """Whatever is signed, cut anywhere into timestamp and body, is never a JSON object."""
    headers, body = _check(token, str(NOW_S))
    driver = Driver()
    try:
        result = await driver.parse(headers, body)
    except SignatureInvalid:
        return
    assert result.immediate_response is not None
    signature = json.loads(base64.b64decode(result.immediate_response.body_b64))["signature"]
    signed = f"{NOW_S}{token}"
    forged = {"X-Signature-Timestamp": signed[:shift], "X-Signature-Ed25519": signature}
    with pytest.raises(ChannelError) as refused:
        await driver.parse(forged, signed[shift:].encode())
    assert refused.value.kind in REFUSALS


# --- whatever arrives is refused cleanly -------------------------------------------------------------


async def _must_refuse_or_ignore(headers: dict[str, str], body: bytes) -> None:
    driver = Driver(api_base="http://127.0.0.1:1")
    try:
        result = await driver.parse(headers, body)
    except ChannelError as error:
        assert error.kind in REFUSALS, error
    else:
        assert result.immediate_response is not None
    finally:
        await driver.close()
    assert not [line for line in driver.host.lines if line[1] == "channel_failed"]


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=400), headers=st.dictionaries(
    st.sampled_from(["X-Bot-Appid", "X-Signature-Timestamp", "X-Signature-Ed25519"]),
    st.text(max_size=140)))  # fmt: skip
async def test_random_bytes_are_refused(body: bytes, headers: dict[str, str]) -> None:
    await _must_refuse_or_ignore(headers, body)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
async def test_a_changed_or_cut_body_is_refused(at: int, bit: int, cut: bool) -> None:
    callback = _signed()
    body = bytearray(callback.body)
    place = at % len(body)
    if cut:
        body = body[:place]
    else:
        body[place] ^= 1 << bit

    with pytest.raises(SignatureInvalid):
        await Driver().parse(callback.headers, bytes(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False,
        allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from([
            "id", "author", "content", "timestamp", "attachments", "mentions", "user_openid", "bot",
            "member_openid", "group_openid", "openid", "channel_id", "guild_id", "data", "resolved",
            "chat_type", "message_scene", "ext", "msg_elements", "url", "size", "content_type",
            "is_you", "audit_id", "asr_refer_text", "username", "button_data",
        ]), inner, max_size=8),
    max_leaves=30,
)  # fmt: skip
EVENTS = [
    "C2C_MESSAGE_CREATE", "GROUP_AT_MESSAGE_CREATE", "GROUP_MESSAGE_CREATE", "AT_MESSAGE_CREATE",
    "DIRECT_MESSAGE_CREATE", "FRIEND_ADD", "GROUP_ADD_ROBOT", "GROUP_MEMBER_ADD",
    "MESSAGE_AUDIT_PASS", "MESSAGE_CREATE", "INTERACTION_CREATE", "NEW",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(EVENTS),
    content=JSON,
    event_id=st.none() | st.integers() | st.text(max_size=9),
)
async def test_a_signed_event_of_any_shape_is_read_or_ignored(
    name: str, content: Any, event_id: Any
) -> None:
    callback = WRITER.sign({"op": 0, "t": name, "id": event_id, "d": content}, {"now_s": NOW_S})

    await _must_refuse_or_ignore(callback.headers, callback.body)
