"""Customer service: a hint is followed, customers are answered, nothing is lost between two hints."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.standins.wecom.desk import CUSTOMER, OPEN_KFID
from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.tests.driver import CORP_ID, Driver
from wunder_sdk import (
    Attachment,
    ChannelError,
    ChannelMessage,
    OutboundMessage,
    ProviderUnavailable,
    RecipientUnreachable,
)

NOW_S = 1_767_225_600


@pytest.fixture
async def desk(wecom: WecomStandin) -> AsyncIterator[Driver]:
    driver = Driver(mode="kf", corp_id=CORP_ID, agent_id=0, domain=wecom.url, open_kfid=OPEN_KFID)
    driver.inner.host.clock_ms = NOW_S * 1000
    yield driver
    await driver.close()


async def _hear(wecom: WecomStandin, desk: Driver, **asked: Any) -> tuple[ChannelMessage, ...]:
    callback = wecom.callbacks.write({"kind": "kf", "now_s": NOW_S, **asked})
    return (await desk.parse(callback, NOW_S * 1000)).messages


def _reply(to: ChannelMessage, text: str | None, **more: Any) -> OutboundMessage:
    return OutboundMessage(to.channel, to.account_id, to.peer, text=text, reply_to=to.message_id,
                           meta=to.meta, **more)  # fmt: skip


async def test_a_customer_is_heard_and_answered(wecom: WecomStandin, desk: Driver) -> None:
    (message,) = await _hear(wecom, desk, text="退货")

    await desk.send_all(_reply(message, "好的"))

    (sent,) = wecom.platform.sent
    assert (message.text, message.peer.id, sent.peer, sent.text) == (
        "退货",
        CUSTOMER,
        CUSTOMER,
        "好的",
    )
    assert sent.body["open_kfid"] == OPEN_KFID


async def test_every_page_is_read_and_what_may_not_be_stored_is_returned_once_more(
    wecom: WecomStandin, desk: Driver
) -> None:
    for number in range(4):
        wecom.platform.desk.write({"text": f"{number}"}, NOW_S)
    first = [one.text for one in await _hear(wecom, desk, text="4")]
    second = [one.text for one in await _hear(wecom, desk, text="5")]
    third = [one.text for one in await _hear(wecom, desk, text="6")]

    assert first == ["0", "1", "2", "3", "4"]
    assert second == [*first, "5"]  # one hint behind: the gateway folds what it has
    assert third == ["5", "6"]


async def test_at_first_sight_nobody_is_answered_days_late(
    wecom: WecomStandin, desk: Driver
) -> None:
    wecom.platform.desk.write({"text": "old", "at_s": NOW_S - 86_400}, NOW_S)

    assert [one.text for one in await _hear(wecom, desk, text="new")] == ["new"]


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [("image", {"media_id": "M1"}, ("image", "[image]")),
     ("location", {"latitude": 23.1, "longitude": 113.2, "name": "塔"}, ("location", "[location] 塔")),
     ("location", {"latitude": "x"}, ("text", "[location]")),
     ("link", {"title": "a", "url": "http://b", "desc": "c"}, ("text", "a (http://b)\nc")),
     ("business_card", {"userid": "x"}, ("text", "[business_card]"))],
)  # fmt: skip
async def test_what_customers_send_is_read(
    wecom: WecomStandin, desk: Driver, kind: str, content: dict[str, Any], said: tuple[str, str]
) -> None:
    (message,) = await _hear(wecom, desk, type=kind, content=content)

    assert (message.type, message.text) == said


async def test_human_agents_and_other_desks_are_not_ours(wecom: WecomStandin, desk: Driver) -> None:
    assert await _hear(wecom, desk, origin=5) == ()
    assert await _hear(wecom, desk, open_kfid="wkOther") == ()


async def test_who_opens_the_chat_is_welcomed(wecom: WecomStandin, desk: Driver) -> None:
    desk.configure(welcome="您好")
    event = {"event_type": "enter_session", "open_kfid": OPEN_KFID, "external_userid": CUSTOMER,
             "scene": "oauth", "welcome_code": "W1"}  # fmt: skip

    (message,) = await _hear(wecom, desk, type="event", content=event)

    assert (message.type, message.meta["event_type"]) == ("event", "enter_session")
    assert wecom.platform.desk.welcomed[0]["code"] == "W1"


async def test_a_message_that_did_not_arrive_is_a_failed_receipt(
    wecom: WecomStandin, desk: Driver
) -> None:
    event = {"event_type": "msg_send_fail", "fail_msgid": "m1", "fail_type": 4}
    callback = wecom.callbacks.write(
        {"kind": "kf", "now_s": NOW_S, "type": "event", "content": event}
    )

    (receipt,) = (await desk.parse(callback, NOW_S * 1000)).receipts

    assert (receipt.provider_message_id, receipt.status) == ("m1", "failed")


async def test_when_wecom_does_not_answer_the_hint_comes_again(
    wecom: WecomStandin, desk: Driver
) -> None:
    wecom.platform.fail(path="/kf/sync_msg", status=503)
    callback = wecom.callbacks.write({"kind": "kf", "now_s": NOW_S, "text": "x"})

    with pytest.raises(ProviderUnavailable):
        await desk.parse(callback, NOW_S * 1000)
    (message,) = (await desk.parse(callback, NOW_S * 1000)).messages
    assert message.text == "x"


async def test_a_repeat_after_a_lost_answer_is_folded(wecom: WecomStandin, desk: Driver) -> None:
    (message,) = await _hear(wecom, desk)
    wecom.platform.lose_next_answer()
    with pytest.raises(ChannelError):
        await desk.send(_reply(message, "once"))

    await desk.send(_reply(message, "once"), attempt=2)

    assert [one.text for one in wecom.platform.sent] == ["once"]


async def test_while_a_human_has_the_conversation_nothing_is_sent(
    wecom: WecomStandin, desk: Driver
) -> None:
    (message,) = await _hear(wecom, desk)
    wecom.platform.desk.human.add(CUSTOMER)

    with pytest.raises(RecipientUnreachable) as failed:
        await desk.send(_reply(message, "x"))

    told = failed.value.to_wire().data
    assert told is not None and (told.provider_code, told.scope) == ("95018", "message")


async def test_choices_are_a_menu_and_a_tap_is_said(wecom: WecomStandin, desk: Driver) -> None:
    (message,) = await _hear(wecom, desk)
    await desk.send_all(_reply(message, "Shall I?\n- [好的](reply:yes)", format="markdown"))
    line = wecom.platform.sent[1].body["msgmenu"]["list"][0]["click"]

    content = {"content": line["content"], "menu_id": line["id"]}
    *_, said = await _hear(wecom, desk, content=content)

    assert (said.type, said.text, said.meta["payload_id"]) == ("text", "好的", "yes")


async def test_files_go_up_and_links_go_as_text(wecom: WecomStandin, desk: Driver) -> None:
    (message,) = await _hear(wecom, desk)
    desk.inner.host.blobs["b1"] = b"\x89PNG\r\n\x1a\n" + bytes(99)
    files = (
        Attachment("image", blob_id="b1"),
        Attachment("file", url="https://example.com/a.pdf", name="a.pdf"),
    )

    await desk.send_all(_reply(message, None, attachments=files))

    image, link = wecom.platform.sent
    assert image.kind == "image" and link.text == "a.pdf https://example.com/a.pdf"


async def test_the_connection_test_names_the_desk(wecom: WecomStandin, desk: Driver) -> None:
    verdict = await desk.validate("live")
    assert verdict.identity is not None and verdict.identity.display_name == "售后"

    desk.configure(open_kfid="wkOther")
    assert not (await desk.validate("live")).ok
