"""What people and QQ do becomes messages, events and receipts in the gateway's words."""

from typing import Any

import pytest

from tests.standins.qq.server import QqStandin
from wunder_channels.qqbot.tests.driver import APP_ID, NOW_MS, SECRET, Driver
from wunder_channels.qqbot.tests.people import People
from wunder_sdk import ChannelMessage, ParseResult

BOT = {"id": "B1", "member_openid": "B1", "username": "bot", "bot": True}


async def _read(qq: QqStandin, bot: Driver, name: str, content: dict[str, Any]) -> ParseResult:
    callback = qq.callbacks.write({"t": name, "id": f"{name}:1", "d": content})
    return await bot.parse(callback.headers, callback.body)


async def _only(qq: QqStandin, bot: Driver, name: str, content: dict[str, Any]) -> ChannelMessage:
    (message,) = (await _read(qq, bot, name, content)).messages
    return message


# --- full volume: the bot hears everything ----------------------------------------------------------


async def test_a_group_message_without_mention_does_not_address_the_bot(people: People) -> None:
    message = await people.write("group", "just talking")

    assert message.peer.kind == "group"
    assert message.mentions_bot is False


@pytest.mark.parametrize("tag", ["<@!B1>", "<@B1>", '<qqbot-at-user id="B1" />'])
async def test_a_group_message_that_mentions_the_bot_loses_its_mention(
    people: People, tag: str
) -> None:
    mentions = [{**BOT, "is_you": True}, {"id": "U2", "username": "小明"}]

    message = await people.write("group", f"{tag} 问 <@!U2> &lt;3", extra={"mentions": mentions})

    assert message.text == "问 @小明 <3"
    assert message.mentions_bot is True
    assert [(one.id, one.is_self) for one in message.mentions] == [("B1", True), ("U2", False)]


async def test_another_bot_in_a_guild_is_told_apart_by_our_own_id(
    people: People, qq: QqStandin
) -> None:
    own = qq.platform.profile["id"]
    mentions = [{"id": "77", "username": "other", "bot": True}, {"id": own, "bot": True}]

    message = await people.write(
        "guild_at", f"<@!77> and <@!{own}> hello", extra={"mentions": mentions}
    )

    assert message.text == "@other and  hello"
    assert [one.is_self for one in message.mentions] == [False, True]


async def test_a_guild_message_for_another_bot_does_not_address_us(people: People) -> None:
    mentions = [{"id": "77", "username": "other", "bot": True}]

    message = await people.write("guild", "<@!77> hello", extra={"mentions": mentions})

    assert message.mentions_bot is False


async def test_a_guild_mention_that_is_not_marked_as_a_bot_is_compared_by_id(
    people: People, qq: QqStandin
) -> None:
    own = qq.platform.profile["id"]

    ours = await people.write("guild", f"<@{own}> hello", extra={"mentions": [{"id": own}]})
    theirs = await people.write("guild", "<@5> hello", extra={"mentions": [{"id": "5"}]})

    assert (ours.text, ours.mentions_bot) == ("hello", True)
    assert (theirs.text, theirs.mentions_bot) == ("@5 hello", False)


async def test_our_own_guild_id_is_asked_for_once(people: People, qq: QqStandin) -> None:
    mentions = [{"id": "77", "bot": True}]

    for _ in range(3):
        await people.write("guild", "<@!77> hello", extra={"mentions": mentions})

    assert qq.platform.requests["token"] == 1
    assert (await people.bot.host.state_get("own_id", "test")).value == qq.platform.profile["id"]


async def test_without_an_answer_from_qq_a_guild_mention_is_still_read() -> None:
    driver = Driver(api_base="http://127.0.0.1:1")
    standin = QqStandin(APP_ID, SECRET)
    callback = standin.callbacks.write(
        {"kind": "guild_at", "text": "<@!1> hi", "now_s": NOW_MS / 1000,
         "extra": {"mentions": [{"id": "1", "bot": True}, {"id": "2", "bot": True}]}}
    )  # fmt: skip

    (message,) = (await driver.parse(callback.headers, callback.body)).messages

    assert message.text == "hi"
    await driver.close()


# --- bots --------------------------------------------------------------------------------------------


async def test_a_bot_is_not_heard_unless_the_account_says_so(qq: QqStandin, bot: Driver) -> None:
    callback = qq.callbacks.write({"kind": "group", "text": "beep", "bot": True})

    refused = await bot.parse(callback.headers, callback.body)
    bot.configure(accept_bots=True)
    heard = await bot.parse(callback.headers, callback.body)

    assert (refused.messages, refused.ignored) == ((), "bot_author")
    assert heard.messages[0].sender.is_bot is True


# --- attachments ---------------------------------------------------------------------------------------


async def test_a_voice_message_is_read_as_what_qq_heard(people: People) -> None:
    voice = {"content_type": "voice", "filename": "v.silk", "size": 9, "url": "//q.com/v",
             "asr_refer_text": "你好"}  # fmt: skip

    message = await people.write("c2c", "", attachments=[voice])

    assert (message.text, message.type) == ("你好", "audio")
    (attachment,) = message.attachments
    assert (attachment.kind, attachment.mime, attachment.url) == ("audio", None, "https://q.com/v")


async def test_files_and_videos_are_references(people: People) -> None:
    attachments = [
        {"content_type": "file", "filename": "a.pdf", "url": "https://q.com/a"},
        {"content_type": "video/mp4", "url": "q.com/b", "size": "big"},
        {"content_type": "image/png"},
    ]

    message = await people.write("c2c", "look", attachments=attachments)

    assert [(one.kind, one.url, one.size) for one in message.attachments] == [
        ("file", "https://q.com/a", None),
        ("video", "https://q.com/b", None),
    ]
    assert message.type == "mixed"


async def test_a_forwarded_message_is_read(people: People) -> None:
    forwarded = {"message_type": 103, "msg_elements": [{"content": "a &lt; b"}, {"content": "c"}]}

    message = await people.write("c2c", "", extra=forwarded)

    assert (message.text, message.reply_to) == ("a < b\nc", None)


# --- notices ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FRIEND_ADD", "FRIEND_DEL", "C2C_MSG_RECEIVE", "C2C_MSG_REJECT"])
async def test_a_notice_about_a_person_is_an_event(qq: QqStandin, bot: Driver, name: str) -> None:
    message = await _only(qq, bot, name, {"openid": "U1", "timestamp": 1699240365})

    assert (message.type, message.message_id) == ("event", f"{name}:1")
    assert (message.peer.kind, message.peer.id, message.sender.id) == ("user", "U1", "U1")
    assert message.ts == 1_699_240_365_000
    assert message.meta["answerable"] is (name in ("FRIEND_ADD", "C2C_MSG_RECEIVE"))


@pytest.mark.parametrize(
    ("name", "who"),
    [("GROUP_ADD_ROBOT", "op_member_openid"), ("GROUP_DEL_ROBOT", "op_member_openid"),
     ("GROUP_MSG_RECEIVE", "op_member_openid"), ("GROUP_MSG_REJECT", "op_member_openid"),
     ("GROUP_MEMBER_ADD", "member_openid"), ("GROUP_MEMBER_REMOVE", "member_openid")],
)  # fmt: skip
async def test_a_notice_about_a_group_is_an_event(
    qq: QqStandin, bot: Driver, name: str, who: str
) -> None:
    message = await _only(
        qq, bot, name, {"group_openid": "G1", who: "M1", "timestamp": "1699240365"}
    )

    assert (message.peer.kind, message.peer.id, message.sender.id) == ("group", "G1", "M1")


@pytest.mark.parametrize(
    ("content", "peer"),
    [({"chat_type": 2, "user_openid": "U1"}, ("user", "U1")),
     ({"chat_type": 1, "group_openid": "G1", "group_member_openid": "M1"}, ("group", "G1")),
     ({"chat_type": 0, "channel_id": "C1", "guild_id": "9"}, ("channel", "C1"))],
)  # fmt: skip
async def test_a_pressed_button_is_an_event_and_stops_spinning(
    qq: QqStandin, bot: Driver, content: dict[str, Any], peer: tuple[str, str]
) -> None:
    pressed = {"id": "I/1", "data": {"resolved": {"button_data": "ok:42"}}, **content}

    message = await _only(qq, bot, "INTERACTION_CREATE", pressed)

    assert (message.type, message.text) == ("event", "ok:42")
    assert (message.peer.kind, message.peer.id) == peer
    assert qq.platform.acknowledged == ["I/1"]


async def test_a_button_is_read_even_if_it_cannot_be_acknowledged(qq: QqStandin) -> None:
    driver = Driver(api_base="http://127.0.0.1:1")
    callback = qq.callbacks.write(
        {"t": "INTERACTION_CREATE", "d": {"id": "I1", "chat_type": 2, "user_openid": "U1"},
         "now_s": NOW_MS / 1000}
    )  # fmt: skip

    assert (await driver.parse(callback.headers, callback.body)).messages
    await driver.close()


@pytest.mark.parametrize(
    ("name", "status"), [("MESSAGE_AUDIT_PASS", "delivered"), ("MESSAGE_AUDIT_REJECT", "failed")]
)
async def test_the_verdict_of_a_review_is_a_receipt(
    qq: QqStandin, bot: Driver, name: str, status: str
) -> None:
    result = await _read(
        qq, bot, name, {"audit_id": "A1", "audit_time": "2026-01-01T08:00:00+08:00"}
    )

    (receipt,) = result.receipts
    assert (receipt.provider_message_id, receipt.status) == ("A1", status)
    assert receipt.ts == 1_767_225_600_000


async def test_a_notice_without_an_id_gets_the_same_one_each_time(
    qq: QqStandin, bot: Driver
) -> None:
    ids = set()
    for _ in range(2):
        payload = {"op": 0, "t": "FRIEND_ADD", "d": {"openid": "U1", "timestamp": 5}}
        callback = qq.callbacks.sign(payload)
        (message,) = (await bot.parse(callback.headers, callback.body)).messages
        ids.add(message.message_id)

    assert len(ids) == 1


async def test_a_redelivered_callback_reads_the_same(qq: QqStandin, bot: Driver) -> None:
    callback = qq.callbacks.write({"kind": "c2c", "text": "hello"})

    first = await bot.parse(callback.headers, callback.body)
    bot.host.clock_ms += 30_000
    second = await bot.parse(callback.headers, callback.body)

    assert first == second
