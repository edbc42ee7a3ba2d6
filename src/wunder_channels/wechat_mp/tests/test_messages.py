"""What people do on WeChat, as the gateway sees it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standins.wechat_mp.callbacks import ORIGINAL_ID, USER
from wunder_channels.wechat_mp.channel import MpChannel
from wunder_channels.wechat_mp.tests.driver import Driver, body_of, writer
from wunder_sdk import AccountLookup, ChannelMessage, Location, ParseResult, Request
from wunder_sdk.testing import http_request

PICTURE = "https://mmbiz.qpic.cn/mmbiz_jpg/abc/0"


async def _parse(kind: str, text: str = "", **asked: Any) -> ParseResult:
    config = asked.pop("config", {})
    driver = Driver(**config)
    return await driver.parse(writer().write({"kind": kind, "text": text, **asked}))


async def _read(kind: str, text: str = "", **asked: Any) -> ChannelMessage:
    result = await _parse(kind, text, **asked)
    (message,) = result.messages
    assert body_of(result.immediate_response) == b"success"
    return message


async def test_a_text() -> None:
    message = await _read(
        "text", "  two\nlines  ", message_id="23000000000000001", created_s=1767225600
    )

    assert (message.type, message.text) == ("text", "two\nlines")
    assert (message.channel, message.account_id) == ("mp", "test")
    assert (message.peer.kind, message.peer.id, message.sender.id) == ("user", USER, USER)
    assert (message.message_id, message.ts) == ("23000000000000001", 1_767_225_600_000)
    assert message.meta == {"quota": 5, "window_s": 172_800, "sent_ms": message.ts}


async def test_a_choice_from_a_menu_message_keeps_its_id() -> None:
    message = await _read("text", "满意", extra={"bizmsgmenuid": "101"})

    assert (message.text, message.meta["menu_id"]) == ("满意", "101")


async def test_an_image_can_be_fetched_by_its_id() -> None:
    message = await _read("image", extra={"PicUrl": PICTURE, "MediaId": "M1"})

    (image,) = message.attachments
    assert (message.type, message.text) == ("image", "[image]")
    assert (image.kind, image.media_id, image.url) == ("image", "M1", None)
    assert message.meta["pic_url"] == PICTURE


@pytest.mark.parametrize("extra", [{"PicUrl": PICTURE}, {"PicUrl": PICTURE, "MediaId": "M1"}])
async def test_without_a_secret_an_image_is_fetched_by_its_address(extra: dict[str, str]) -> None:
    driver = Driver(reply_mode="passive")
    driver.configure(app_secret="")

    (message,) = (await driver.parse(writer().write({"kind": "image", "extra": extra}))).messages

    assert [one.url for one in message.attachments] == [PICTURE]


@pytest.mark.parametrize(("heard", "text"), [("你好", "你好"), ("", "[audio]"), (" ", "[audio]")])
@pytest.mark.parametrize(
    ("form", "mime"), [("amr", "audio/amr"), ("speex", "audio/x-speex"), ("?", None)]
)
async def test_a_voice_message(heard: str, text: str, form: str, mime: str | None) -> None:
    extra = {"MediaId": "M2", "Format": form, "Recognition": heard}

    message = await _read("voice", extra=extra)

    (voice,) = message.attachments
    assert (message.type, message.text) == ("audio", text)
    assert (voice.kind, voice.media_id, voice.mime) == ("audio", "M2", mime)


@pytest.mark.parametrize("kind", ["video", "shortvideo"])
async def test_a_video(kind: str) -> None:
    message = await _read(kind, extra={"MediaId": "M3", "ThumbMediaId": "T3"})

    assert (message.type, message.text) == ("video", "[video]")
    assert [one.media_id for one in message.attachments] == ["M3"]
    assert message.meta["thumb_media_id"] == "T3"


async def test_a_place() -> None:
    extra = {"Location_X": "23.134521", "Location_Y": "113.358803", "Scale": "20", "Label": "广州"}

    message = await _read("location", extra=extra)

    assert (message.type, message.text) == ("location", "[location] 广州 (23.134521,113.358803)")
    assert message.location == Location(23.134521, 113.358803, "广州")


async def test_a_link() -> None:
    extra = {"Title": "标题", "Description": "描述", "Url": "https://example.com/"}

    message = await _read("link", extra=extra)

    assert (message.type, message.text) == ("text", "标题 (https://example.com/)\n描述")


@pytest.mark.parametrize(
    ("kind", "key", "extra", "text"),
    [("subscribe", "", {}, "subscribe"), ("subscribe", "qrscene_123", {"Ticket": "T"}, "subscribe qrscene_123"),
     ("SCAN", "123", {"Ticket": "T"}, "scan 123"), ("CLICK", "MENU_1", {}, "MENU_1"),
     ("scancode_waitmsg", "6", {"is_event": 1, "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "hi"}}, "hi"),
     ("scancode_push", "6", {"is_event": 1, "ScanCodeInfo": {"ScanResult": "yo"}}, "yo")],
)  # fmt: skip
async def test_an_act_that_can_be_answered(
    kind: str, key: str, extra: dict[str, Any], text: str
) -> None:
    message = await _read(kind, key, extra=extra, is_event=True, created_s=1767225600)

    assert (message.type, message.text) == ("event", text)
    assert (message.meta["event"], message.meta["event_key"]) == (kind.lower(), key)
    assert (message.meta["quota"], message.meta["window_s"]) == (3, 60)
    assert message.message_id == f"{USER}:1767225600:{kind.lower()}:{key}"


@pytest.mark.parametrize(
    "kind",
    ["unsubscribe", "VIEW", "LOCATION", "TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH", "view_miniprogram",
     "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select", "debug_demo", ""],
)  # fmt: skip
async def test_an_act_that_is_nothing_to_talk_about(kind: str) -> None:
    result = await _parse(kind or "x", "k", is_event=True)

    assert not result.messages and result.ignored
    assert body_of(result.immediate_response) == b"success"
    assert result.inline_reply is None


@pytest.mark.parametrize(
    ("kind", "extra"),
    [("text", {"Content": ""}), ("text", {"Content": " \n"}), ("image", {}), ("voice", {}), ("location", {"Location_X": "x"}),
     ("location", {"Location_X": "91", "Location_Y": "1"}), ("link", {}), ("music", {}),
     ("location", {"Location_X": "nan", "Location_Y": "inf"})],
)  # fmt: skip
async def test_an_authentic_message_that_says_nothing_is_acknowledged(
    kind: str, extra: dict[str, str]
) -> None:
    result = await _parse(kind, extra=extra)

    assert not result.messages and result.ignored
    assert body_of(result.immediate_response) == b"success"


async def test_events_at_one_second_with_other_keys_are_different() -> None:
    ids = {
        (await _read("CLICK", key, created_s=1767225600)).message_id
        for key in ("A", "B", "a" * 400)
    }

    assert len(ids) == 3 and all(len(one.encode()) <= 256 for one in ids)


async def test_an_identity_may_carry_a_number_of_64_bits() -> None:
    for form in ("xml", "json"):
        callback = writer("safe", form).write({"message_id": str(2**63 + 1)})
        (message,) = (await Driver().parse(callback)).messages
        assert message.message_id == str(2**63 + 1)


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
@pytest.mark.parametrize("form", ["xml", "json"])
async def test_a_callback_names_its_account_even_when_it_is_sealed(mode: str, form: str) -> None:
    callback = writer(mode, form).write({})

    found = await MpChannel().identify_account(Request(http_request(callback.body)))

    assert found == AccountLookup("original_id", ORIGINAL_ID)


@pytest.mark.parametrize("body", [b"", b"\xff" * 100, b"<ToUserName>../x</ToUserName>"])
async def test_nobody_is_named_where_nobody_is(body: bytes) -> None:
    assert await MpChannel().identify_account(Request(http_request(body))) is None


# --- whatever an authentic message holds ------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False,
        allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = ["CreateTime", "MsgId", "Content", "MediaId", "PicUrl", "Location_X", "Location_Y", "Label",
         "Event", "EventKey", "Recognition", "Format", "Title", "Url", "ScanCodeInfo", "Ticket",
         "bizmsgmenuid", "ThumbMediaId"]  # fmt: skip
KINDS = [
    "text",
    "image",
    "voice",
    "video",
    "shortvideo",
    "location",
    "link",
    "event",
    "EVENT",
    "new",
]


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    event=st.sampled_from(["subscribe", "SCAN", "CLICK", "scancode_waitmsg", "VIEW", "new"]) | JSON,
    fields=st.dictionaries(st.sampled_from(NAMES), JSON),
)
async def test_an_authentic_message_of_any_shape_is_read_or_ignored(
    kind: str, event: Any, fields: dict[str, Any]
) -> None:
    document = {
        "ToUserName": ORIGINAL_ID,
        "FromUserName": USER,
        "Event": event,
        **fields,
        "MsgType": kind,
    }
    callback = replace(writer("plain", "json").write({}), body=json.dumps(document).encode())
    driver = Driver(encrypt_mode="plain")

    result = await driver.parse(callback)

    assert result.immediate_response is not None
    for message in result.messages:
        assert 1 <= len(message.message_id.encode()) <= 256
        json.dumps([message.text, message.meta]).encode()
    assert not [line for line in driver.host.lines if line[1] == "channel_failed"]
