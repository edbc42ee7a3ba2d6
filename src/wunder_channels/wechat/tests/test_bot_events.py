"""What an AI bot is asked, alone and in groups, in the gateway's words."""

from typing import Any

import pytest

from tests.standins.wecom.callbacks import CallbackWriter, Keys
from tests.standins.wecom.platform import WecomPlatform
from wunder_channels.wechat.tests.driver import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN, Driver
from wunder_sdk import ChannelMessage, Forbidden

WRITER = CallbackWriter(WecomPlatform(CORP_ID, AGENT_ID, SECRET), Keys(TOKEN, AES_KEY))


async def _read(**asked: Any) -> ChannelMessage:
    return await Driver.bot(bot_name="小智").read(WRITER.write({"kind": "bot_text", **asked}))


@pytest.mark.parametrize(
    ("said", "text"),
    [("@小智 查天气", "查天气"), ("@小智\u2005查天气", "查天气"), ("查天气 @小智", "查天气"),
     ("@小智", ""), ("@小智能 查天气", "@小智能 查天气"), ("问@小智 好吗", "问@小智 好吗"),
     ("@小智 @李四 在吗", "@李四 在吗"), ("  @小智 查  天气 ", "查  天气")],
)  # fmt: skip
async def test_in_a_group_the_bots_own_name_is_taken_off(said: str, text: str) -> None:
    message = await _read(text=said, group="wrG1")

    assert (message.text, message.mentions_bot) == (text, True)
    assert (message.peer.kind, message.peer.id, message.sender.id) == ("group", "wrG1", "zhangsan")


async def test_alone_the_text_stays_as_it_is() -> None:
    message = await _read(text="@小智 查天气")

    assert (message.text, message.mentions_bot, message.peer.kind) == (
        "@小智 查天气",
        False,
        "user",
    )


async def test_without_a_configured_name_nothing_is_taken_off() -> None:
    driver = Driver.bot()

    message = await driver.read(WRITER.write({"kind": "bot_text", "text": "@x y", "group": "wrG1"}))

    assert message.text == "@x y"


async def test_a_voice_is_words_without_sound() -> None:
    message = await _read(kind="bot_voice", text="语音转文字")

    assert (message.type, message.text, message.attachments) == ("audio", "语音转文字", ())


@pytest.mark.parametrize("field", ["url", "pic_url"])
async def test_a_picture_is_a_link_under_either_name(field: str) -> None:
    message = await _read(kind="bot_image", fields={"image": {field: "https://x/1"}})

    assert [(one.kind, one.url) for one in message.attachments] == [("image", "https://x/1")]


async def test_a_key_of_its_own_travels_with_the_link_but_not_to_its_server() -> None:
    message = await _read(kind="bot_file", fields={"file": {"url": "https://x/1", "aeskey": "ab"}})

    assert message.attachments[0].url == "https://x/1#aeskey=ab"


async def test_mixed_content_keeps_its_order() -> None:
    items = [
        {"msgtype": "image", "image": {"url": "https://x/1"}},
        {"msgtype": "text", "text": {"content": "@小智 看图"}},
        {"msgtype": "hologram"},
    ]

    message = await _read(kind="bot_mixed", group="wrG1", fields={"mixed": {"msg_item": items}})

    assert (message.type, message.text) == ("mixed", "[image]\n看图")


async def test_a_quoted_picture_reaches_the_agent() -> None:
    quote = {"msgtype": "image", "image": {"url": "https://x/1"}}

    message = await _read(text="@小智 这是什么", group="wrG1", fields={"quote": quote})

    assert (message.type, message.text) == ("mixed", "这是什么")
    assert [one.url for one in message.attachments] == ["https://x/1"]


async def test_quoted_words_are_kept_for_the_reply() -> None:
    quote = {
        "msgtype": "mixed",
        "mixed": {"msg_item": [{"msgtype": "text", "text": {"content": "旧"}}]},
    }

    message = await _read(fields={"quote": quote})

    assert (message.type, message.meta["quoted_text"]) == ("text", "旧")


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"msgid": ""}, "missing_message_id"), ({"from": {}}, "missing_sender"),
     ({"msgtype": "hologram"}, "unknown_type"), ({"msgtype": "event", "event": {}}, "missing_event")],
)  # fmt: skip
async def test_what_cannot_be_read_is_taken_and_ignored(fields: dict[str, Any], why: str) -> None:
    result = await Driver.bot().parse(WRITER.write({"kind": "bot_text", "fields": fields}))

    assert (result.messages, result.ignored) == ((), why)


async def test_a_callback_of_another_bot_is_forbidden_once_the_own_id_is_known() -> None:
    callback = WRITER.write({"kind": "bot_text"})

    assert (await Driver.bot(bot_id="AIBOTID01").parse(callback)).messages
    with pytest.raises(Forbidden):
        await Driver.bot(bot_id="AIBOTID02").parse(callback)


async def test_a_pressed_button_and_a_feedback_are_events() -> None:
    card = {
        "eventtype": "template_card_event",
        "template_card_event": {"event_key": "ok", "task_id": "T"},
    }
    feedback = {"eventtype": "feedback_event", "feedback_event": {"id": "F1", "content": "wrong"}}

    pressed = await _read(kind="bot_event", fields={"event": card})
    judged = await _read(kind="bot_event", fields={"event": feedback})

    assert (pressed.type, pressed.text, pressed.meta["task_id"]) == ("event", "ok", "T")
    assert (judged.text, judged.meta["feedback_id"]) == ("wrong", "F1")


async def test_half_a_character_does_not_stop_a_message() -> None:
    inner = b'{"msgid":"1","from":{"userid":"ann"},"msgtype":"text","text":{"content":"x\\ud83d"}}'

    message = await Driver.bot().read(WRITER.seal_bytes(inner))

    assert message.text == "x\ufffd"
