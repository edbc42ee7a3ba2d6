"""Nobody but Feishu is believed, whatever arrives is refused cleanly, and nothing leaks."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.feishu.callbacks import Callback, CallbackWriter, is_right_answer, seal, sign
from tests.standins.feishu.platform import App, FeishuPlatform
from wunder_channels.feishu.tests.driver import (
    APP_ID,
    APP_SECRET,
    BOT_OPEN_ID,
    ENCRYPT_KEY,
    NOW_MS,
    TOKEN,
    Driver,
)
from wunder_channels.feishu.tests.people import body_of
from wunder_sdk import (
    AccountConfigInvalid,
    ChannelError,
    Forbidden,
    MalformedEvent,
    SignatureInvalid,
)

SEALED = CallbackWriter(FeishuPlatform(App(APP_ID, APP_SECRET, TOKEN, ENCRYPT_KEY)))
KEY_ONLY = CallbackWriter(FeishuPlatform(App(APP_ID, APP_SECRET, "", ENCRYPT_KEY)))
PLAIN = CallbackWriter(FeishuPlatform(App(APP_ID, APP_SECRET, TOKEN)))
REFUSALS = {"signature_invalid", "malformed_event", "forbidden"}
HEADERS = ("X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature")
CHALLENGE = 'ajls384kdjx98XX-生成"\n'


def _driver(**config: Any) -> Driver:
    given = {"bot_open_id": BOT_OPEN_ID, "domain": "http://127.0.0.1:1", **config}
    return Driver(**given)


def _plain() -> Driver:
    return _driver(encrypt_key="")


# --- the address check ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("writer", "driver", "is_signed"),
    [(SEALED, _driver, False), (SEALED, _driver, True), (PLAIN, _plain, False),
     (PLAIN, _driver, False), (KEY_ONLY, lambda: _driver(verification_token=""), False)],
)  # fmt: skip
async def test_the_address_check_is_answered_in_every_form(
    writer: CallbackWriter, driver: Any, is_signed: bool
) -> None:
    check = writer.challenge(CHALLENGE, is_signed=is_signed)

    result = await driver().parse(check.headers, check.body)

    assert result.ignored == "address_check"
    assert is_right_answer(CHALLENGE, body_of(result.immediate_response))


@pytest.mark.parametrize("letter", [{"token": "wrong"}, {}, {"token": None}, {"token": 7}])
async def test_an_address_check_with_another_token_is_refused(letter: dict[str, Any]) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "x", **letter}).encode()

    with pytest.raises(SignatureInvalid):
        await _plain().parse({}, body)


async def test_without_a_token_only_what_our_key_opens_is_answered() -> None:
    body = json.dumps({"type": "url_verification", "challenge": "x"}).encode()

    with pytest.raises(SignatureInvalid):
        await _driver(verification_token="").parse({}, body)


@pytest.mark.parametrize("challenge", ["", None, ["x"], "x" * 1001])
async def test_a_challenge_that_is_none_is_refused(challenge: Any) -> None:
    letter = {"type": "url_verification", "challenge": challenge, "token": TOKEN}

    with pytest.raises(MalformedEvent):
        await _plain().parse({}, json.dumps(letter).encode())


# --- signatures and tokens -----------------------------------------------------------------------


def _message(writer: CallbackWriter = SEALED) -> Callback:
    return writer.write({"kind": "p2p", "text": "hello"})


@pytest.mark.parametrize("drop", [HEADERS, *((one,) for one in HEADERS), HEADERS[:2], HEADERS[1:]])
async def test_a_missing_header_is_no_signature(drop: tuple[str, ...]) -> None:
    callback = _message()
    headers = {key: value for key, value in callback.headers.items() if key not in drop}

    with pytest.raises(SignatureInvalid):
        await _driver().parse(headers, callback.body)


async def test_an_event_in_the_clear_is_not_believed_where_there_is_a_key() -> None:
    callback = _message(PLAIN)

    with pytest.raises(SignatureInvalid):
        await _driver().parse(callback.headers, callback.body)


async def test_a_signed_event_in_the_clear_is_believed() -> None:
    callback = _message(PLAIN)

    result = await _driver().parse(sign(ENCRYPT_KEY, callback.body), callback.body)

    assert len(result.messages) == 1


async def test_upper_case_hex_is_accepted() -> None:
    callback = _message()
    headers = {**callback.headers, "X-Lark-Signature": callback.headers["X-Lark-Signature"].upper()}

    assert len((await _driver().parse(headers, callback.body)).messages) == 1


async def test_without_a_verification_token_the_signature_alone_counts() -> None:
    callback = _message(KEY_ONLY)

    result = await _driver(verification_token="").parse(callback.headers, callback.body)

    assert len(result.messages) == 1


async def test_an_event_for_another_app_is_forbidden() -> None:
    callback = _message()

    with pytest.raises(Forbidden):
        await _driver(app_id="cli_other").parse(callback.headers, callback.body)


async def test_a_sealed_body_cannot_be_opened_without_a_key() -> None:
    callback = _message()

    with pytest.raises(MalformedEvent):
        await _plain().parse(callback.headers, callback.body)


async def test_an_account_with_nothing_to_check_by_believes_nobody() -> None:
    callback = _message(PLAIN)

    with pytest.raises(AccountConfigInvalid):
        await _driver(encrypt_key="", verification_token="").parse(callback.headers, callback.body)


@pytest.mark.parametrize("skew_s", [0, 60])
@pytest.mark.parametrize("age_s", [59, -59, 61, -61, 86_000])
async def test_only_where_a_window_is_set_is_age_judged(skew_s: int, age_s: int) -> None:
    callback = _message()
    headers = sign(ENCRYPT_KEY, callback.body, str(NOW_MS // 1000 - age_s))
    driver = _driver(max_clock_skew_s=skew_s)

    if skew_s and abs(age_s) > skew_s:
        with pytest.raises(SignatureInvalid):
            await driver.parse(headers, callback.body)
    else:
        assert (await driver.parse(headers, callback.body)).messages


@pytest.mark.parametrize("timestamp", ["-1", "1e9", "\uff11767225600", "", "1" * 13, "x"])
async def test_a_timestamp_that_is_none_is_outside_every_window(timestamp: str) -> None:
    callback = _message()
    headers = sign(ENCRYPT_KEY, callback.body)
    headers |= {HEADERS[0]: timestamp}
    headers[HEADERS[2]] = sign(ENCRYPT_KEY, callback.body, timestamp or " ")[HEADERS[2]]

    with pytest.raises(SignatureInvalid):
        await _driver(max_clock_skew_s=60).parse(headers, callback.body)


@pytest.mark.parametrize(
    "change", [lambda h, b: ({}, b), lambda h, b: (h, b.replace(b"yes", b"yep")),
               lambda h, b: ({**h, "X-Lark-Signature": "0" * 40}, b)],
)  # fmt: skip
async def test_an_old_cards_button_with_another_signature_is_refused(change: Any) -> None:
    callback = SEALED.write({"kind": "old_button"})
    headers, body = change(callback.headers, callback.body)

    with pytest.raises(SignatureInvalid):
        await _driver().parse(headers, body)


async def test_nobody_learns_from_a_sealed_body_that_is_not_signed() -> None:
    """Wrong padding, wrong text, a wrong event: one answer, so there is no padding oracle."""
    said = set()
    sealed = json.loads(_message().body)["encrypt"]
    for body in (sealed, sealed[:-8] + "AAAAAAA=", sealed[:24], "AAAA", "!", None, 7,
                 seal(ENCRYPT_KEY, b"\xff"), seal(ENCRYPT_KEY, b"no json")):  # fmt: skip
        with pytest.raises(ChannelError) as refused:
            await _driver().parse({}, json.dumps({"encrypt": body}).encode())
        said.add(refused.value.kind)

    assert said == {"signature_invalid"}


# --- whatever arrives ----------------------------------------------------------------------------


async def _must_refuse_or_ignore(driver: Driver, headers: dict[str, str], body: bytes) -> None:
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
@given(
    body=st.binary(max_size=400),
    headers=st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=80)),
    is_sealed=st.booleans(),
)
async def test_random_bytes_are_refused(
    body: bytes, headers: dict[str, str], is_sealed: bool
) -> None:
    await _must_refuse_or_ignore(_driver() if is_sealed else _plain(), headers, body)


@settings(max_examples=200, deadline=None)
@given(plain=st.binary(max_size=200))
async def test_random_bytes_in_a_genuine_envelope_are_refused(plain: bytes) -> None:
    body = json.dumps({"encrypt": seal(ENCRYPT_KEY, plain)}).encode()

    await _must_refuse_or_ignore(_driver(), sign(ENCRYPT_KEY, body), body)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
async def test_a_changed_or_cut_body_is_refused(at: int, bit: int, cut: bool) -> None:
    callback = _message()
    body = bytearray(callback.body)
    place = at % len(body)
    if cut:
        body = body[:place]
    else:
        body[place] ^= 1 << bit

    with pytest.raises((SignatureInvalid, MalformedEvent)):
        await _driver().parse(callback.headers, bytes(body))


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
async def test_a_changed_or_cut_ciphertext_that_is_signed_is_refused_or_read(
    at: int, bit: int, cut: bool
) -> None:
    sealed = bytearray(json.loads(_message().body)["encrypt"].encode())
    place = at % len(sealed)
    if cut:
        sealed = sealed[:place]
    else:
        sealed[place] ^= 1 << bit
    body = json.dumps({"encrypt": sealed.decode("latin-1")}).encode()

    await _must_refuse_or_ignore(_driver(), sign(ENCRYPT_KEY, body), body)


FIELDS = [
    "sender", "sender_id", "open_id", "union_id", "user_id", "sender_type", "message", "message_id",
    "chat_id", "chat_type", "message_type", "content", "mentions", "key", "id", "name", "thread_id",
    "parent_id", "root_id", "create_time", "operator", "operator_id", "action", "value", "form_value",
    "context", "open_chat_id", "open_message_id", "reader", "message_id_list", "image_keys", "text",
    "msg_type", "type", "uuid", "ts", "reaction_type", "event_key", "title", "tag", "text_without_at_bot",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False,
        allow_infinity=False) | st.text(max_size=12)
    | st.sampled_from(["@_user_1 @_user_10", '{"text":"\\ud800 @_all"}', "om_1", "oc_1", "post", "1e999"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8),
    max_leaves=30,
)  # fmt: skip
EVENTS = [
    "im.message.receive_v1", "card.action.trigger", "im.message.recalled_v1",
    "im.message.message_read_v1", "im.message.reaction.created_v1", "im.chat.member.bot.added_v1",
    "application.bot.menu_v6", "new",
]  # fmt: skip
TYPES = [
    "text",
    "post",
    "image",
    "file",
    "audio",
    "media",
    "sticker",
    "interactive",
    "location",
    "todo",
]


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(EVENTS),
    event=JSON,
    event_id=st.none() | st.integers() | st.text(max_size=9),
)
async def test_a_genuine_event_of_any_shape_is_read_or_ignored(
    name: str, event: Any, event_id: Any
) -> None:
    header = {"event_id": event_id, "event_type": name, "token": TOKEN, "create_time": event_id}
    callback = SEALED.post({"schema": "2.0", "header": header, "event": event})

    await _must_refuse_or_ignore(_driver(), callback.headers, callback.body)


@settings(max_examples=300, deadline=None)
@given(event=JSON, uuid=st.none() | st.integers() | st.text(max_size=9))
async def test_a_genuine_event_of_schema_1_of_any_shape_is_read_or_ignored(
    event: Any, uuid: Any
) -> None:
    if isinstance(event, dict):
        event |= {"type": "message"}
    letter = {"type": "event_callback", "uuid": uuid, "ts": uuid, "token": TOKEN, "event": event}
    callback = SEALED.post(letter)

    await _must_refuse_or_ignore(_driver(), callback.headers, callback.body)


@settings(max_examples=300, deadline=None)
@given(message_type=st.sampled_from(TYPES), content=JSON, mentions=JSON)
async def test_a_message_of_any_content_is_read(
    message_type: str, content: Any, mentions: Any
) -> None:
    message = {
        "message_id": "om_1", "chat_id": "oc_1", "chat_type": "group", "message_type": message_type,
        "content": json.dumps(content), "mentions": mentions,
    }  # fmt: skip
    callback = SEALED.event("im.message.receive_v1", {"sender": {}, "message": message})

    result = await _driver().parse(callback.headers, callback.body)

    assert len(result.messages) == 1 and result.messages[0].text is not None


async def test_a_content_nested_without_end_is_read_as_empty() -> None:
    message = {"message_id": "om_1", "chat_id": "oc_1", "message_type": "interactive",
               "content": "[" * 100_000}  # fmt: skip
    callback = SEALED.event("im.message.receive_v1", {"sender": {}, "message": message})

    (found,) = (await _driver().parse(callback.headers, callback.body)).messages

    assert found.text == "[interactive]"
