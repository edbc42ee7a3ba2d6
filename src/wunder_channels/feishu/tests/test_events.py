"""What people do on Feishu arrives as messages, events and receipts."""

import asyncio
from typing import Any

import pytest

from tests.standins.feishu.callbacks import CHATS, USER, Callback
from tests.standins.feishu.server import FeishuStandin
from wunder_channels.feishu.tests.driver import BOT_OPEN_ID, Driver
from wunder_channels.feishu.tests.people import People, body_of
from wunder_sdk import Location, ParseResult

OTHER = "ou_0ther00000000000000000000000001"


async def _parse(bot: Driver, callback: Callback) -> ParseResult:
    return await bot.parse(callback.headers, callback.body)


def _mention(key: str, open_id: str, name: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "id": {"open_id": open_id}, "name": name, **more}


# --- contents -----------------------------------------------------------------------------------------


async def test_a_post_is_read_as_a_person_reads_it(people: People) -> None:
    rows = [
        [{"tag": "text", "text": "看 "}, {"tag": "a", "text": "文档", "href": "https://x.cn/a"}],
        [
            {"tag": "at", "user_id": "@_user_1", "user_name": "李四"},
            {"tag": "text", "text": " 请看"},
        ],
        [{"tag": "img", "image_key": "img_v3_1"}, {"tag": "emotion", "emoji_type": "SMILE"}],
        [{"tag": "media", "file_key": "file_v3_1", "image_key": "img_v3_2"}],
        [{"tag": "code_block", "language": "PYTHON", "text": "print(1)\n"}],
        [{"tag": "hr"}],
        [{"tag": "md", "text": "**b**"}, {"tag": "new", "text": "?"}, "odd"],
        "odd",
    ]
    content = {"title": "标题", "content": rows}

    message = await people.write(
        "group",
        message_type="post",
        content=content,
        mentions=[_mention("@_user_1", OTHER, "李四")],
    )

    assert message.text == (
        "标题\n看 [文档](https://x.cn/a)\n@李四 请看\n[image][SMILE]\n[video]\n"
        "```python\nprint(1)\n```\n---\n**b**?"
    )
    assert [(one.kind, one.media_id) for one in message.attachments] == [
        ("image", f"{message.message_id}/img_v3_1"), ("video", f"{message.message_id}/file_v3_1"),
    ]  # fmt: skip
    assert message.type == "mixed"


async def test_the_bots_own_mention_leaves_a_post(people: People) -> None:
    content = {
        "content": [[{"tag": "at", "user_id": "@_user_1"}, {"tag": "text", "text": " 你好"}]]
    }
    mentions = [_mention("@_user_1", BOT_OPEN_ID, "小助手")]

    message = await people.write("group", message_type="post", content=content, mentions=mentions)

    assert (message.text, message.mentions_bot, message.type) == ("你好", True, "text")


@pytest.mark.parametrize(
    ("message_type", "content", "type_", "text"),
    [("audio", {"file_key": "f", "duration": 2000}, "audio", "[audio]"),
     ("media", {"file_key": "f", "file_name": "a.mp4"}, "video", "[video] a.mp4"),
     ("image", {}, "text", "[image]"), ("sticker", {}, "text", "[sticker]"),
     ("share_chat", {"chat_id": "oc_1"}, "text", "[share_chat]"),
     ("merge_forward", {"content": "x"}, "text", "[merge_forward]"),
     ("todo", {"summary": {"title": "买菜"}}, "text", "[todo] 买菜"),
     ("vote", {"topic": "去哪"}, "text", "[vote] 去哪"),
     ("interactive", {"title": "卡片", "elements": [[{"tag": "text", "text": "内容"}]]}, "text",
      "[interactive] 卡片\n内容"),
     ("something_new", {"a": 1}, "text", "[something_new]"), ("", {"a": 1}, "text", "[message]")],
)  # fmt: skip
async def test_every_kind_of_message_says_something(
    people: People, message_type: str, content: dict[str, Any], type_: str, text: str
) -> None:
    message = await people.write("p2p", message_type=message_type, content=content)

    assert (message.type, message.text) == (type_, text)


async def test_a_place_is_a_location(people: People) -> None:
    content = {"name": "天安门", "longitude": "116.397", "latitude": "39.908"}

    message = await people.write("p2p", message_type="location", content=content)

    assert message.location == Location(39.908, 116.397, "天安门")
    assert (message.type, message.text) == ("location", "[location] 天安门")


@pytest.mark.parametrize("lat", ["nan", "91", "x", None, True])
async def test_a_place_that_is_nowhere_is_only_a_text(people: People, lat: Any) -> None:
    content = {"name": "?", "longitude": 1, "latitude": lat}

    message = await people.write("p2p", message_type="location", content=content)

    assert (message.type, message.location) == ("text", None)


# --- who and where ------------------------------------------------------------------------------------


async def test_a_thread_is_a_conversation_of_its_own(people: People) -> None:
    message = await people.write(
        "group", thread_id="omt_1", root_id="om_root", parent_id="om_parent"
    )

    assert message.thread is not None and message.thread.id == "omt_1"
    assert (message.reply_to, message.meta["root_id"]) == ("om_parent", "om_root")


async def test_the_bots_own_id_is_asked_once_and_remembered(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    first = await people.write("group", at_bot=True)
    await bot.restart()
    second = await people.write("group", at_bot=True)
    nobody = await people.write("group", mentions=[_mention("@_user_1", OTHER, "李四")])

    assert [one.mentions_bot for one in (first, second, nobody)] == [True, True, False]
    assert feishu.platform.requests["bot_info"] == 1


async def test_while_the_own_id_is_unknown_a_bots_mention_must_do(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    feishu.platform.app.__dict__["app_secret"] = "changed"
    mentions = [
        _mention("@_user_1", OTHER, "李四", mentioned_type="user"),
        _mention("@_user_2", BOT_OPEN_ID, "小助手", mentioned_type="bot"),
    ]

    message = await people.write("group", "@_user_2 问 @_user_1", mentions=mentions)

    assert (message.text, message.mentions_bot) == ("问 @李四", True)
    assert bot.host.lines[-1][1] == "own_id_not_found"


@pytest.mark.parametrize("sender_type", ["app", "bot"])
async def test_the_bot_does_not_hear_itself_and_knows_other_bots(
    people: People, feishu: FeishuStandin, bot: Driver, sender_type: str
) -> None:
    own = feishu.callbacks.write(
        {"kind": "group", "sender": BOT_OPEN_ID, "sender_type": sender_type}
    )
    other = await people.write("group", sender=OTHER, sender_type=sender_type)

    assert (await _parse(bot, own)).ignored == "own_message"
    assert (other.sender.id, other.sender.is_bot) == (OTHER, True)


async def test_a_bot_whose_own_id_is_unknown_listens_to_no_bot(
    feishu: FeishuStandin, bot: Driver
) -> None:
    bot.configure(app_secret="wrong")
    callback = feishu.callbacks.write({"kind": "group", "sender": OTHER, "sender_type": "app"})

    assert (await _parse(bot, callback)).ignored == "own_message"


# --- schema 1.0 ---------------------------------------------------------------------------------------


async def test_a_message_of_schema_1_is_answered_like_any_other(people: People) -> None:
    text = '<at open_id="ou_1">@李四</at> 你好'

    message = await people.write("group", text, v1=True, at_bot=True)

    assert (message.text, message.mentions_bot, message.peer.kind) == ("@李四 你好", True, "group")
    assert message.meta["message_id"] == message.message_id


@pytest.mark.parametrize(
    ("extra", "type_", "text", "keys"),
    [({"msg_type": "image", "image_key": "img_1"}, "image", "[image]", ["img_1"]),
     ({"msg_type": "file", "file_key": "f_1", "file_name": "a.pdf"}, "file", "[file] a.pdf", ["f_1"]),
     ({"msg_type": "post", "title": "T", "text_without_at_bot": "x", "image_keys": ["i1", "i2"]},
      "mixed", "T\nx", ["i1", "i2"]),
     ({"msg_type": "share_group"}, "text", "[share_group]", [])],
)  # fmt: skip
async def test_every_kind_of_message_of_schema_1_says_something(
    people: People, extra: dict[str, Any], type_: str, text: str, keys: list[str]
) -> None:
    message = await people.write("p2p", v1=True, extra=extra)

    assert (message.type, message.text) == (type_, text)
    assert [one.media_id for one in message.attachments] == [
        f"{message.message_id}/{key}" for key in keys
    ]


# --- events -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "text"),
    [({"value": {"answer": "yes"}}, '{"answer":"yes"}'), ({"value": "yes"}, "yes"),
     ({"value": None, "option": "2"}, "2"), ({"value": {}, "name": "send"}, "send"),
     ({"value": None, "form_value": {"城市": "北京"}, "name": "form"},
      '{"form_value":{"城市":"北京"},"name":"form"}'), ({"value": None}, "button")],
)  # fmt: skip
async def test_a_pressed_button_is_an_event_with_its_value(
    feishu: FeishuStandin, bot: Driver, action: dict[str, Any], text: str
) -> None:
    callback = feishu.callbacks.write(
        {"kind": "button", "extra": action, "chat_id": CHATS["group"]}
    )

    result = await _parse(bot, callback)

    (message,) = result.messages
    assert (message.type, message.text, message.sender.id) == ("event", text, USER)
    assert (message.message_id, message.meta["message_id"]) == (callback.event_id, "om_card0001")
    assert (message.peer.kind, message.peer.id) == ("group", CHATS["group"])
    assert body_of(result.immediate_response) == b"{}"


async def test_a_button_belongs_to_the_private_chat_after_a_restart_too(
    people: People, bot: Driver
) -> None:
    said = await people.write("p2p")
    before = await people.write("button")
    await bot.restart()
    after = await people.write("button")

    assert said.peer == before.peer == after.peer
    assert before.message_id != after.message_id


async def test_private_chats_told_at_the_same_moment_are_all_remembered_in_the_end(
    people: People, feishu: FeishuStandin, bot: Driver
) -> None:
    chats = [f"oc_{number}" for number in range(8)]
    for _ in range(2):
        async with asyncio.TaskGroup() as tasks:
            for chat_id in chats:
                tasks.create_task(people.write("p2p", chat_id=chat_id))
    await bot.restart()

    kinds = [(await people.write("button", chat_id=chat_id)).peer.kind for chat_id in chats]
    assert kinds == ["user"] * 8


async def test_a_button_of_the_old_card_address_is_checked_by_its_own_signature(
    feishu: FeishuStandin, bot: Driver
) -> None:
    callback = feishu.callbacks.write({"kind": "old_button"})

    (first,) = (await _parse(bot, callback)).messages
    (second,) = (await _parse(bot, callback)).messages

    assert (first.type, first.text, first.sender.id) == ("event", '{"answer":"yes"}', USER)
    assert first.message_id == second.message_id


@pytest.mark.parametrize(
    ("event_type", "event", "peer", "actor"),
    [("im.chat.member.bot.added_v1", {"chat_id": "oc_1", "operator_id": {"open_id": "ou_1"}},
      ("group", "oc_1"), "ou_1"),
     ("im.chat.disbanded_v1", {"chat_id": "oc_1"}, ("group", "oc_1"), "oc_1"),
     ("im.chat.access_event.bot_p2p_chat_entered_v1",
      {"chat_id": "oc_2", "operator_id": {"open_id": "ou_1"}}, ("user", "oc_2"), "ou_1"),
     ("im.message.recalled_v1", {"message_id": "om_1", "chat_id": "oc_1"}, ("group", "oc_1"), "oc_1"),
     ("im.message.recalled_v1", {"message_id": "om_1", "chat_id": CHATS["p2p"]},
      ("user", CHATS["p2p"]), CHATS["p2p"]),
     ("im.message.reaction.created_v1",
      {"message_id": "om_1", "user_id": {"open_id": "ou_1"}, "reaction_type": {"emoji_type": "OK"}},
      ("user", "ou_1"), "ou_1"),
     ("application.bot.menu_v6",
      {"event_key": "help", "operator": {"operator_id": {"open_id": "ou_1"}}}, ("user", "ou_1"), "ou_1")],
)  # fmt: skip
async def test_a_notice_is_an_event_of_its_conversation(
    people: People, feishu: FeishuStandin, bot: Driver, event_type: str, event: dict[str, Any],
    peer: tuple[str, str], actor: str,
) -> None:  # fmt: skip
    await people.write("p2p")
    callback = feishu.callbacks.event(event_type, event)

    (message,) = (await _parse(bot, callback)).messages

    assert (message.type, message.peer.kind, message.peer.id) == ("event", *peer)
    assert (message.sender.id, message.message_id) == (actor, callback.event_id)
    assert message.meta["event_type"] == event_type


async def test_a_read_notice_is_a_receipt(feishu: FeishuStandin, bot: Driver) -> None:
    reader = {"reader_id": {"open_id": USER}, "read_time": "1767225600123"}
    event = {"reader": reader, "message_id_list": ["om_out1", 7, "om_out2"]}

    result = await _parse(bot, feishu.callbacks.event("im.message.message_read_v1", event))

    assert [(one.provider_message_id, one.status, one.ts) for one in result.receipts] == [
        ("om_out1", "read", 1767225600123), ("om_out2", "read", 1767225600123),
    ]  # fmt: skip
    assert not result.messages


async def test_an_event_nobody_knows_is_received_and_ignored(
    feishu: FeishuStandin, bot: Driver
) -> None:
    result = await _parse(bot, feishu.callbacks.event("im.brand.new_v9", {"a": 1}))

    assert result.ignored == "unknown_event"
    assert body_of(result.immediate_response) == b'{"code":0}'


async def test_an_event_delivered_twice_is_the_same_event(
    people: People, feishu: FeishuStandin
) -> None:
    callback = feishu.callbacks.write({"kind": "p2p", "text": "hi"})
    first = (await people.bot.parse(callback.headers, callback.body)).messages
    backfill = feishu.callbacks.write(
        {"kind": "p2p", "text": "hi", "message_id": callback.message_id}
    )

    again = (await people.bot.parse(backfill.headers, backfill.body)).messages

    assert backfill.event_id != callback.event_id
    assert first[0].message_id == again[0].message_id
