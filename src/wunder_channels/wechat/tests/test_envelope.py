"""Nobody but WeCom is believed, whatever bytes arrive."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.wecom import callbacks
from tests.standins.wecom.callbacks import Callback, CallbackWriter, Keys
from tests.standins.wecom.platform import WecomPlatform
from wunder_channels.wechat import envelope
from wunder_channels.wechat.tests.driver import (
    AES_KEY,
    AGENT_ID,
    CORP_ID,
    NOW_MS,
    SECRET,
    TOKEN,
    Driver,
)
from wunder_sdk import (
    AccountConfigInvalid,
    AccountLookup,
    ChannelError,
    Forbidden,
    MalformedEvent,
    SignatureInvalid,
)
from wunder_sdk.request import Request
from wunder_sdk.testing import http_request

KEYS = Keys(TOKEN, AES_KEY)
WRITER = CallbackWriter(WecomPlatform(CORP_ID, AGENT_ID, SECRET), KEYS)
NEW_KEYS = Keys("N3wToken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")
REFUSALS = {"signature_invalid", "malformed_event", "forbidden"}
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
    b"]><xml><Encrypt>&b;</Encrypt></xml>"
)


async def _kind(callback: Callback, driver: Driver | None = None) -> str:
    """Return what a callback is refused with, "" where it is taken."""
    try:
        await (driver or Driver()).parse(callback)
    except ChannelError as error:
        return error.kind
    return ""


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
@pytest.mark.parametrize("value", [None, ""])
async def test_a_missing_or_empty_parameter_is_malformed(name: str, value: str | None) -> None:
    callback = WRITER.write({})
    query = {key: one for key, one in callback.query.items() if key != name}
    if value is not None:
        query[name] = value

    assert await _kind(replace(callback, query=query)) == "malformed_event"


async def test_a_parameter_given_twice_is_malformed() -> None:
    callback = WRITER.write({})
    pairs = [*callback.query.items(), ("nonce", callback.query["nonce"])]

    with pytest.raises(MalformedEvent):
        await Driver().inner.parse(callback.body, dict(callback.headers), query=pairs)


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
async def test_a_changed_parameter_is_not_believed(name: str) -> None:
    callback = WRITER.write({})
    query = {**callback.query, name: callback.query[name][:-1] + "é"}

    assert await _kind(replace(callback, query=query)) == "signature_invalid"


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"<xml></xml>", b"<xml><Encrypt></Encrypt></xml>", BOMB, b"<xml>", b"\xff\xfe",
     b'{"encrypt":"x"}', b"<note><Encrypt>x</Encrypt></note>", b"<xml>" * 5000,
     b"<xml>" + b"<a/>" * 3000 + b"<Encrypt>x</Encrypt></xml>", b'<!DOCTYPE xml><xml/>',
     b'<?xml version="1.0" encoding="utf-16"?><xml><Encrypt/></xml>'],
)  # fmt: skip
async def test_a_body_that_holds_no_envelope_is_malformed(body: bytes) -> None:
    callback = replace(WRITER.write({}), body=body)
    if not body:
        # Nothing at all is an address check without its echo.
        assert await _kind(callback) == "malformed_event"
    assert await _kind(replace(callback, body=body or b" ")) == "malformed_event"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"encrypt":1.5}', b"[" * 9000, b"NaN", BOMB])
async def test_a_body_that_holds_no_json_envelope_is_malformed(body: bytes) -> None:
    callback = WRITER.write({"kind": "bot_text"})

    assert await _kind(replace(callback, body=body or b" "), Driver.bot()) == "malformed_event"


@pytest.mark.parametrize(
    "inner",
    [b"", b"just text", b"<xml><a></xml>", BOMB, b"<xml>" * 100, b"<html/>",
     b'<xml><!ENTITY x SYSTEM "file:///etc/passwd"><a>&x;</a></xml>', b"<xml>&undefined;</xml>"],
)  # fmt: skip
async def test_an_authentic_envelope_with_nonsense_inside_is_malformed(inner: bytes) -> None:
    assert await _kind(WRITER.seal_xml(inner)) == "malformed_event"


async def test_control_characters_that_people_type_are_read_as_broken_characters() -> None:
    inner = (
        f"<xml><FromUserName>ann</FromUserName><MsgType>text</MsgType><MsgId>1</MsgId>"
        f"<Content><![CDATA[a\x0bb\x00c]]></Content><AgentID>{AGENT_ID}</AgentID></xml>"
    ).encode()

    message = await Driver().read(WRITER.seal_xml(inner.replace(b"b", b"b\xff")))

    assert message.text == "a\ufffdb\ufffd\ufffdc"


@pytest.mark.parametrize("receive_id", ["", "ww_other", CORP_ID + "x", CORP_ID[:-1]])
async def test_an_envelope_for_another_receiver_is_forbidden(receive_id: str) -> None:
    assert await _kind(WRITER.seal_xml(b"<xml/>", {"receive_id": receive_id})) == "forbidden"


async def test_an_ai_bots_envelope_is_for_nobody_in_particular() -> None:
    callback = WRITER.seal_json({}, {"receive_id": CORP_ID})

    assert await _kind(callback, Driver.bot()) == "forbidden"


async def test_a_callback_of_another_app_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        await Driver().parse(WRITER.write({"fields": {"AgentID": "1000003"}}))


@pytest.mark.parametrize(("skew_s", "ok"), [(300, True), (-300, True), (301, False), (-301, False)])
async def test_an_old_signature_is_refused_where_the_account_says_so(skew_s: int, ok: bool) -> None:
    callback = WRITER.write({"now_s": NOW_MS // 1000})
    driver = Driver(max_clock_skew_s=300)

    if ok:
        assert (await driver.parse(callback, NOW_MS + skew_s * 1000)).messages
    else:
        with pytest.raises(SignatureInvalid):
            await driver.parse(callback, NOW_MS + skew_s * 1000)


async def test_a_signature_of_any_age_counts_by_default() -> None:
    assert (await Driver().parse(WRITER.write({"now_s": 1}))).messages


async def test_while_keys_change_both_pairs_are_read() -> None:
    driver = Driver(
        {
            "secret": SECRET,
            "token": NEW_KEYS.token,
            "encoding_aes_key": NEW_KEYS.encoding_aes_key,
            "previous_token": TOKEN,
            "previous_encoding_aes_key": AES_KEY,
        }
    )
    new_writer = CallbackWriter(WRITER.platform, NEW_KEYS)

    assert (await driver.read(WRITER.write({"text": "old"}))).text == "old"
    assert (await driver.read(new_writer.write({"text": "new"}))).text == "new"


async def test_the_address_check_is_answered_with_the_echo_and_nothing_else() -> None:
    for driver, is_bot in ((Driver(), False), (Driver.bot(), True)):
        result = await driver.parse(WRITER.address_check("1616140317555161061", bot=is_bot))

        assert result.immediate_response is not None
        assert base64.b64decode(result.immediate_response.body_b64) == b"1616140317555161061"
        assert result.messages == ()


async def test_an_address_check_that_fails_gives_nothing_away() -> None:
    check = WRITER.address_check("the plaintext")
    forged = replace(check, query={**check.query, "msg_signature": "0" * 40})

    with pytest.raises(SignatureInvalid) as refused:
        await Driver().parse(forged)
    assert "plaintext" not in str(refused.value)


async def test_an_unusable_key_is_the_administrators_fault() -> None:
    driver = Driver({"secret": SECRET, "token": TOKEN, "encoding_aes_key": "short"})

    with pytest.raises(AccountConfigInvalid):
        await driver.parse(WRITER.write({}))


async def test_a_callback_names_its_corp() -> None:
    def request(body: bytes) -> Request:
        return Request(http_request(body))

    channel = Driver().inner.channel
    found = await channel.identify_account(request(WRITER.write({}).body))

    assert found == AccountLookup("corp_id", CORP_ID)
    assert await channel.identify_account(request(b"<xml/>" * 99)) is None
    assert await channel.identify_account(request(WRITER.seal_json({}).body)) is None


# --- any bytes at all ---------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
async def test_random_bytes_are_refused_cleanly(body: bytes) -> None:
    callback = replace(WRITER.write({}), body=body or b" ")

    assert await _kind(callback) in REFUSALS
    assert await _kind(callback, Driver.bot()) in REFUSALS


@settings(max_examples=150, deadline=None)
@given(st.data())
async def test_a_flipped_bit_or_a_cut_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    callback = WRITER.write({"text": "hello", "message_id": "7", "now_s": NOW_MS // 1000})
    body = bytearray(callback.body)
    at = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        body[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del body[at:]
    changed = replace(callback, body=bytes(body) or b" ")

    kind = await _kind(changed)

    if not kind:
        # Only what is outside the envelope may differ: the receiver's name, a tag nobody reads.
        assert await Driver().read(changed) == await Driver().read(callback)
    assert kind in REFUSALS | {""}


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_ciphertext_under_a_good_signature_is_refused_or_opened(sealed: bytes) -> None:
    encrypted = base64.b64encode(sealed).decode()
    try:
        envelope.unseal(encrypted, AES_KEY, CORP_ID)
    except ChannelError as error:
        assert error.kind in REFUSALS


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=40), st.binary(min_size=16, max_size=16))
def test_what_is_sealed_opens_again_and_by_the_platforms_rule(
    plain: bytes, receive_id: str, random16: bytes
) -> None:
    sealed = envelope.seal(plain, AES_KEY, receive_id, random16)

    assert envelope.unseal(sealed, AES_KEY, receive_id) == plain
    assert callbacks.unseal(KEYS, sealed) == (plain, receive_id)
    assert len(base64.b64decode(sealed)) % 32 == 0


@settings(max_examples=100, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["msgtype", "msgid", "from", "userid", "text", "content", "mixed", "quote",
                         "msg_item", "image", "url", "event", "eventtype", "stream", "id",
                         "chattype", "chatid", "create_time"]), inner, max_size=6),
    max_leaves=30,
))  # fmt: skip
async def test_any_json_inside_is_read_or_ignored_or_refused(document: object) -> None:
    content = document if isinstance(document, dict) else {"from": document}
    base = {"msgid": "1", "from": {"userid": "ann"}, "msgtype": "text"}

    for inner in (content, {**base, **content}):
        assert await _kind(WRITER.seal_json(inner), Driver.bot()) in {"", "malformed_event"}


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare_digest(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(envelope.hmac, "compare_digest", compare_digest)
    query = WRITER.write({}).query
    marks = envelope.Marks(query["msg_signature"], query["timestamp"], query["nonce"])

    assert not envelope.is_signed(TOKEN, marks, "something else")
    assert json.dumps(marks.msg_signature) in json.dumps([one.decode() for one in compared[0]])
