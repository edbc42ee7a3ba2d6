"""Nobody but WeChat is believed, and whatever arrives is refused cleanly."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.wechat_mp.callbacks import ORIGINAL_ID, USER, Callback
from tests.standins.wechat_mp.crypto import seal, seal_raw, sign
from wunder_channels.wechat_mp.documents import read_document
from wunder_channels.wechat_mp.envelope import open_sealed
from wunder_channels.wechat_mp.envelope import seal as our_seal
from wunder_channels.wechat_mp.tests.driver import AES_KEY, APP_ID, NOW_MS, TOKEN, Driver, writer
from wunder_sdk import (
    AccountConfigInvalid,
    ChannelError,
    Forbidden,
    MalformedEvent,
    SignatureInvalid,
)

OTHER_KEY = "A" * 43
REFUSALS = {"signature_invalid", "malformed_event", "forbidden"}
FORMS = ["xml", "json"]
MODES = ["plain", "compat", "safe"]


def _sealed_body(content: bytes, **query: str) -> Callback:
    """Sign and seal any content, as whoever knows the secrets could."""
    return _enveloped(seal(AES_KEY, content, APP_ID), **query)


def _enveloped(sealed: str, **query: str) -> Callback:
    signed = {"timestamp": "1767225600", "nonce": "7"}
    given = {**signed, "msg_signature": sign(TOKEN, *signed.values(), sealed)}
    body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    return Callback({"encrypt_type": "aes", **given, **query}, body.encode(), USER)


def _without(callback: Callback, *names: str) -> Callback:
    query = {key: value for key, value in callback.query.items() if key not in names}
    return replace(callback, query=query)


# --- the three modes and two forms -------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", FORMS)
async def test_every_mode_and_form_is_read(mode: str, form: str) -> None:
    result = await Driver(encrypt_mode=mode).parse(writer(mode, form).write({"text": "你好 <&>"}))

    assert [one.text for one in result.messages] == ["你好 <&>"]


@pytest.mark.parametrize("mode", ["compat", "safe"])
async def test_an_account_that_encrypts_takes_nothing_in_clear(mode: str) -> None:
    with pytest.raises(Forbidden):
        await Driver(encrypt_mode=mode).parse(writer("plain").write({}))


async def test_a_message_in_clear_that_nobody_signed_is_no_downgrade_but_a_forgery() -> None:
    callback = writer("plain").write({})
    forged = replace(callback, query={**callback.query, "signature": "0" * 40})

    with pytest.raises(SignatureInvalid):
        await Driver().parse(forged)


async def test_encrypted_messages_for_a_plain_account_name_the_wrong_setting() -> None:
    with pytest.raises(Forbidden):
        await Driver(encrypt_mode="plain").parse(writer("safe").write({}))


async def test_compat_messages_are_read_in_clear_by_a_plain_account() -> None:
    result = await Driver(encrypt_mode="plain").parse(writer("compat").write({"text": "hi"}))

    assert result.messages[0].text == "hi"


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
async def test_plain_mode_needs_every_parameter(name: str) -> None:
    with pytest.raises(MalformedEvent):
        await Driver(encrypt_mode="plain").parse(_without(writer("plain").write({}), name))


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
async def test_safe_mode_needs_every_parameter_and_falls_back_to_none(name: str) -> None:
    with pytest.raises(MalformedEvent):
        await Driver().parse(_without(writer().write({}), name))


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
async def test_a_repeated_parameter_is_refused(name: str) -> None:
    callback = writer().write({})

    with pytest.raises(MalformedEvent):
        await Driver().parse_raw(f"{callback.query_string}&{name}=1", callback.body)


# --- the address check -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
async def test_the_address_check_is_answered_in_clear(mode: str) -> None:
    query = writer(mode).address_check("echo 中文&1")

    result = await Driver(encrypt_mode=mode).parse_raw(query, method="GET")

    assert result.immediate_response is not None
    from_wire = dict(result.immediate_response.headers)
    assert from_wire["Content-Type"].startswith("text/plain")
    assert result.ignored == "address_check"


async def test_nothing_is_echoed_to_a_stranger() -> None:
    query = {**writer().address_check(), "signature": "0" * 40}

    with pytest.raises(SignatureInvalid):
        await Driver().parse_raw(query, method="GET")


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce", "echostr"])
async def test_an_incomplete_address_check_is_refused(name: str) -> None:
    query = writer().address_check()
    del query[name]

    with pytest.raises(ChannelError) as refused:
        await Driver().parse_raw(query, method="GET")
    assert refused.value.kind in REFUSALS


# --- freshness, rotation, other accounts ---------------------------------------------------------------


@pytest.mark.parametrize(("skew_s", "ok"), [(300, True), (-300, True), (301, False), (-301, False)])
async def test_only_a_fresh_signature_counts_where_that_is_asked_for(skew_s: int, ok: bool) -> None:
    callback = _sealed_body(writer().document({
        "ToUserName": ORIGINAL_ID, "FromUserName": USER, "MsgType": "text", "Content": "x", "MsgId": 1,
    }))  # fmt: skip
    driver = Driver(max_clock_skew_s=300)

    if ok:
        assert (await driver.parse(callback, NOW_MS + skew_s * 1000)).messages
    else:
        with pytest.raises(SignatureInvalid):
            await driver.parse(callback, NOW_MS + skew_s * 1000)


async def test_the_pair_before_the_last_change_still_opens_messages() -> None:
    driver = Driver()
    driver.configure(
        token="anotherToken",
        encoding_aes_key=OTHER_KEY,
        previous_token=TOKEN,
        previous_encoding_aes_key=AES_KEY,
    )
    fresh = replace(writer(), token="anotherToken", aes_key=OTHER_KEY)

    assert (await driver.parse(writer().write({}))).messages
    assert (await driver.parse(fresh.write({}))).messages


@pytest.mark.parametrize("app_id", ["", APP_ID.upper(), APP_ID[:-1], APP_ID + "x", "wx0"])
async def test_a_message_sealed_for_another_app_is_forbidden(app_id: str) -> None:
    content = writer().document({"FromUserName": USER, "ToUserName": ORIGINAL_ID, "MsgType": "x"})

    with pytest.raises(Forbidden):
        await Driver().parse(_enveloped(seal(AES_KEY, content, app_id)))


@pytest.mark.parametrize("mode", MODES)
async def test_a_message_for_another_account_is_forbidden(mode: str) -> None:
    with pytest.raises(Forbidden):
        await Driver(encrypt_mode=mode).parse(writer(mode).write({"to": "gh_other"}))


async def test_without_an_original_id_any_receiver_will_do() -> None:
    assert (await Driver(original_id="").parse(writer().write({"to": "gh_other"}))).messages


async def test_an_account_without_its_secrets_believes_nobody() -> None:
    for missing in ("token", "encoding_aes_key"):
        driver = Driver()
        driver.configure(**{missing: ""})
        with pytest.raises(AccountConfigInvalid):
            await driver.parse(writer().write({}))


# --- envelopes that are broken although they are signed ------------------------------------------------

BLOCK = b"r" * 16
INNER = b"<xml/>"
BROKEN = {
    "empty": "",
    "not base64": "@@@@",
    "urlsafe base64": "-_-_" * 16,
    "half a block": "AAAA",
    "pad 0": seal_raw(AES_KEY, BLOCK * 2 + bytes(16)),
    "pad 33": seal_raw(AES_KEY, BLOCK * 2 + bytes([33]) * 48),
    "pad longer than all": seal_raw(AES_KEY, bytes([32]) * 16),
    "uneven pad": seal_raw(AES_KEY, BLOCK * 2 + bytes(14) + b"\x01\x02"),
    "no room for a length": seal_raw(AES_KEY, BLOCK + bytes([16]) * 16),
    "length beyond the end": seal_raw(
        AES_KEY, BLOCK + b"\xff\xff\xff\xff" + INNER + b"\x06" * 6
    ),
    "another key": seal(OTHER_KEY, INNER, APP_ID),
}  # fmt: skip


@pytest.mark.parametrize("sealed", BROKEN.values(), ids=BROKEN)
async def test_a_broken_envelope_is_refused(sealed: str) -> None:
    with pytest.raises((MalformedEvent, Forbidden)):
        await Driver().parse(_enveloped(sealed))


@pytest.mark.parametrize("pad_to", range(1, 33))
def test_every_padding_up_to_32_is_read(pad_to: int) -> None:
    message = b"m" * (64 + 32 - 20 - len(APP_ID) - pad_to)

    sealed = our_seal(AES_KEY, message, APP_ID, b"0123456789abcdef")

    assert sealed == seal(AES_KEY, message, APP_ID, b"0123456789abcdef")
    assert open_sealed(AES_KEY, sealed, APP_ID) == message


# --- documents -----------------------------------------------------------------------------------------

BOMB = (
    '<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<xml><MsgType>&b;</MsgType></xml>"
)
HOSTILE = {
    "doctype": "<!DOCTYPE xml><xml><a>1</a></xml>",
    "entity bomb": BOMB,
    "file": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><a>&f;</a></xml>',
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><xml/>',
    "undeclared entity": "<xml><a>&nbsp;</a></xml>",
    "deep": "<xml>" + "<a>" * 5_000 + "</a>" * 5_000 + "</xml>",
    "wide": "<xml>" + "<a>1</a>" * 5_000 + "</xml>",
    "repeated": "<xml><a>1</a><a>2</a></xml>",
    "other root": "<html><a>1</a></html>",
    "two roots": "<xml></xml><xml></xml>",
    "utf-16": '<?xml version="1.0" encoding="utf-16"?><xml><a>1</a></xml>',
    "latin-1 bytes": b"<xml><a>\xe9</a></xml>",
    "deep json": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "nan": '{"a":NaN}',
    "huge number": '{"a":' + "9" * 10_000 + "}",
    "json list": "[1]",
    "half json": '{"a":1',
    "nothing": "",
    "white space": " \n",
    "nul": b"\0" * 10,
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("where", ["outside", "inside", "plain"])
async def test_a_hostile_document_is_refused_inside_and_outside(
    document: str | bytes, where: str
) -> None:
    content = document.encode() if isinstance(document, str) else document
    callback = _sealed_body(content)
    if where != "inside":
        callback = replace(callback, body=content)
    driver = Driver()
    if where == "plain":
        driver = Driver(encrypt_mode="plain")
        callback = replace(callback, query=writer("plain").write({}).query)

    with pytest.raises(MalformedEvent):
        await driver.parse(callback)


def test_a_byte_order_mark_and_nested_elements_are_read() -> None:
    text = "\ufeff<xml>\n <A><![CDATA[1]]> 2</A><S><R>x</R></S><E></E></xml>"

    assert read_document(text.encode()) == {"A": "1 2", "S": {"R": "x"}, "E": ""}


def test_half_characters_in_json_become_whole() -> None:
    found = read_document(b'{"a":"x\\ud83d","b":{"c":"\\udc00"},"d":"\\ud83d\\ude00"}')

    assert found == {"a": "x\ufffd", "b": {"c": "\ufffd"}, "d": "😀"}


# --- whatever arrives ----------------------------------------------------------------------------------


async def _must_refuse_or_ignore(query: dict[str, str], body: bytes, mode: str) -> None:
    driver = Driver(encrypt_mode=mode)
    try:
        result = await driver.parse_raw(query, body)
    except ChannelError as error:
        assert error.kind in REFUSALS, error
    else:
        assert result.immediate_response is not None
    assert not [line for line in driver.host.lines if line[1] == "channel_failed"]


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=400),
    query=st.dictionaries(
        st.sampled_from(
            ["signature", "timestamp", "nonce", "msg_signature", "encrypt_type", "echostr"]
        ),
        st.text(max_size=60),
    ),
    mode=st.sampled_from(MODES),
)
async def test_random_requests_are_refused(body: bytes, query: dict[str, str], mode: str) -> None:
    await _must_refuse_or_ignore(query, body, mode)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
async def test_a_changed_or_cut_envelope_is_refused_or_says_the_same(
    at: int, bit: int, cut: bool
) -> None:
    """Only what stands around the sealed text can change unnoticed, and nothing there is used."""
    callback = replace(writer(), first_id=1).write({"text": "hello"})
    body = bytearray(callback.body)
    place = at % len(body)
    if cut:
        body = body[:place]
    else:
        body[place] ^= 1 << bit
    driver = Driver()

    try:
        result = await driver.parse_raw(callback.query, bytes(body))
    except ChannelError as error:
        assert error.kind in REFUSALS
    else:
        assert [one.text for one in result.messages] == ["hello"]
    assert not [line for line in driver.host.lines if line[1] == "channel_failed"]


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300))
async def test_any_sealed_content_is_read_or_refused(content: bytes) -> None:
    callback = _sealed_body(content)

    await _must_refuse_or_ignore(callback.query, callback.body, "safe")


@settings(max_examples=200, deadline=None)
@given(sealed=st.binary(max_size=300))
async def test_any_signed_ciphertext_is_refused(sealed: bytes) -> None:
    whole = sealed + bytes(-len(sealed) % 16)
    callback = _enveloped(seal_raw(AES_KEY, whole) if whole else "")

    await _must_refuse_or_ignore(callback.query, callback.body, "safe")
