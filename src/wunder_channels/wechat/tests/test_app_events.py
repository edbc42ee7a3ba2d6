"""What members write to an app, and what happens there, in the gateway's words."""

from typing import Any

import pytest

from tests.standins.wecom.callbacks import CallbackWriter, Keys
from tests.standins.wecom.platform import WecomPlatform
from wunder_channels.wechat.tests.driver import (
    AES_KEY,
    AGENT_ID,
    CORP_ID,
    NOW_MS,
    SECRET,
    TOKEN,
    Driver,
)
from wunder_sdk import ChannelMessage, Location

WRITER = CallbackWriter(WecomPlatform(CORP_ID, AGENT_ID, SECRET), Keys(TOKEN, AES_KEY))


async def _read(**asked: Any) -> ChannelMessage:
    return await Driver().read(WRITER.write({"now_s": NOW_MS // 1000, **asked}))


async def _ignored(**asked: Any) -> str | None:
    result = await Driver().parse(WRITER.write(asked))
    assert not result.messages and result.immediate_response is not None
    return result.ignored


async def test_a_text_carries_who_when_and_its_id_as_text() -> None:
    message = await _read(text="123456", message_id="007000000000000000123")

    assert (message.text, message.message_id, message.ts) == (
        "123456",
        "007000000000000000123",
        NOW_MS,
    )
    assert (message.peer.kind, message.peer.id, message.sender.id) == (
        "user",
        "zhangsan",
        "zhangsan",
    )
    assert (message.channel, message.account_id) == ("here", "test")


@pytest.mark.parametrize(
    ("kind", "type_", "text", "media_id"),
    [("image", "image", "[image]", "MEDIA_in_1"), ("voice", "audio", "[audio]", "MEDIA_in_2"),
     ("video", "video", "[video]", "MEDIA_in_3")],
)  # fmt: skip
async def test_media_come_with_their_id(kind: str, type_: str, text: str, media_id: str) -> None:
    message = await _read(kind=kind)

    (attachment,) = message.attachments
    assert (message.type, message.text, attachment.kind, attachment.media_id) == (
        type_, text, type_, media_id,
    )  # fmt: skip
    assert attachment.url is None
    if kind == "voice":
        assert attachment.mime == "audio/amr"


async def test_a_file_comes_with_its_name() -> None:
    message = await _read(kind="file", fields={"MediaId": "M1", "FileName": "报表.xlsx"})

    (attachment,) = message.attachments
    assert (message.type, message.text, attachment.name) == (
        "file",
        "[file] 报表.xlsx",
        "报表.xlsx",
    )


async def test_a_picture_without_an_id_comes_with_its_url_and_one_without_both_as_text() -> None:
    by_url = await _read(kind="image", fields={"MediaId": ""})
    bare = await _read(kind="image", fields={"MediaId": "", "PicUrl": ""})

    assert by_url.attachments[0].url == "https://wework.qpic.cn/wwpic/1/0"
    assert (bare.type, bare.text, bare.attachments) == ("text", "[image]", ())


async def test_words_that_wecom_heard_stand_for_the_voice() -> None:
    assert (await _read(kind="voice", fields={"Recognition": "你好"})).text == "你好"


async def test_a_place_is_latitude_first() -> None:
    message = await _read(kind="location")

    assert message.location == Location(23.134, 113.358, "广州塔")
    assert message.text == "[location] 广州塔 (23.134,113.358)"


@pytest.mark.parametrize("x", ["", "nan", "inf", "91", "north"])
async def test_a_place_that_is_nowhere_is_a_text(x: str) -> None:
    message = await _read(kind="location", fields={"Location_X": x})

    assert (message.type, message.location) == ("text", None)


async def test_a_link_is_its_title_address_and_description() -> None:
    message = await _read(kind="link")

    assert (message.type, message.text) == ("text", "公告 (https://example.com/x?a=1&b=2)\n描述")


async def test_a_message_without_an_id_gets_one_from_its_content() -> None:
    one, same, other = [await _read(text=text, fields={"MsgId": ""}) for text in ("hi", "hi", "ho")]

    assert one.message_id == same.message_id != other.message_id


@pytest.mark.parametrize("event", ["enter_agent", "LOCATION", "location", "view", "VIEW", ""])
async def test_opening_a_chat_or_a_page_says_nothing(event: str) -> None:
    assert await _ignored(kind="event", event=event) == (event.lower() or "missing_event")


async def test_what_cannot_be_read_is_taken_and_ignored() -> None:
    assert await _ignored(kind="hologram") == "unknown_type"
    assert await _ignored(fields={"FromUserName": ""}) == "missing_sender"


@pytest.mark.parametrize(
    "event", ["subscribe", "UNSUBSCRIBE", "click", "batch_job_result", "brand_new"]
)
async def test_other_events_are_kept_as_events(event: str) -> None:
    message = await _read(kind="event", event=event, fields={"EventKey": "MENU_1"})

    assert (message.type, message.meta["event_type"]) == ("event", event.lower())
    assert (message.text, message.meta["event_key"]) == ("MENU_1", "MENU_1")
    assert message.message_id == f"{event.lower()}:{NOW_MS // 1000}:MENU_1"


async def test_a_pressed_card_says_what_was_chosen() -> None:
    chosen = (
        "<SelectedItems><SelectedItem><QuestionKey>Q1</QuestionKey><OptionIds><OptionId>A</OptionId>"
        "<OptionId>B</OptionId></OptionIds></SelectedItem></SelectedItems>"
    )
    fields = {"EventKey": "submit", "TaskId": "T1", "ResponseCode": "RC", "CardType": "vote"}

    message = await _read(kind="event", event="template_card_event", fields=fields, xml=chosen)

    assert message.text == "submit A B"
    assert {
        "task_id": "T1",
        "response_code": "RC",
        "card_type": "vote",
    }.items() <= message.meta.items()


async def test_a_scan_and_a_shared_place_say_what_was_found() -> None:
    scan = "<ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>abc</ScanResult></ScanCodeInfo>"
    place = "<SendLocationInfo><Label>here</Label></SendLocationInfo>"

    assert (await _read(kind="event", event="scancode_push", xml=scan)).text == "abc"
    assert (await _read(kind="event", event="location_select", xml=place)).text == "here"


async def test_an_event_of_customer_service_is_told_apart_by_its_token_which_stays_secret() -> None:
    one, same, other = [
        await _read(kind="event", event="kf_msg_or_event", fields={"Token": token, "OpenKfId": "wk1",
                                                                   "AgentID": "0"})
        for token in ("T1", "T1", "T2")
    ]  # fmt: skip

    assert one.message_id == same.message_id != other.message_id
    assert one.meta["open_kfid"] == "wk1"
    assert "T1" not in str(one)


async def test_two_changes_of_contacts_in_one_second_are_two() -> None:
    one, other = [
        await _read(kind="event", event="change_contact",
                    fields={"FromUserName": "sys", "ChangeType": "update_user", "UserID": user})
        for user in ("ann", "bob")
    ]  # fmt: skip

    assert one.message_id != other.message_id
    assert one.meta["changed_user"] == "ann"


async def test_an_endless_key_still_makes_an_id_of_256_bytes() -> None:
    message = await _read(kind="event", event="click", fields={"EventKey": "界" * 500})

    assert len(message.message_id.encode()) <= 256


async def test_callbacks_are_answered_with_nothing() -> None:
    result = await Driver().parse(WRITER.write({}))

    assert result.immediate_response is not None
    assert (result.immediate_response.status, result.immediate_response.body_b64) == (200, "")
