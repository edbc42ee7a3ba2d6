"""An app's messages reach a member once, whole, and a failure says what it was."""

import asyncio

import pytest

from tests.standins.wecom.server import WecomStandin
from wunder_channels.wechat.tests.driver import Driver, to_user
from wunder_sdk import (
    Attachment,
    AuthFailed,
    OutboundMessage,
    OutcomeUnknown,
    Peer,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    RecipientUnreachable,
    TooLarge,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100


async def test_a_text_arrives_and_its_id_comes_back(wecom: WecomStandin, app: Driver) -> None:
    result = await app.send(to_user("你好"))

    (sent,) = wecom.platform.sent
    assert (sent.peer, sent.kind, sent.text) == ("zhangsan", "text", "你好")
    assert (result.provider_message_id, result.next) == (sent.id, None)


async def test_markdown_goes_as_markdown_unless_the_account_says_no(
    wecom: WecomStandin, app: Driver
) -> None:
    await app.send(to_user("**hi**", format="markdown"))
    app.configure(markdown="off")
    await app.send(to_user("**hi**", format="markdown"), delivery="delivery-2")

    assert [one.kind for one in wecom.platform.sent] == ["markdown", "text"]


async def test_a_long_text_arrives_whole_in_pieces_that_are_not_cut_off(
    wecom: WecomStandin, app: Driver
) -> None:
    text = "\n".join(f"第{number}行：企业微信按字节计数🚀" for number in range(300))

    results = await app.send_all(to_user(text))

    texts = wecom.platform.texts()
    assert len(texts) == len(results) > 4
    assert "\n".join(texts) == text


async def test_two_equal_answers_both_arrive(wecom: WecomStandin, app: Driver) -> None:
    await app.send(to_user("OK"), delivery="delivery-1")
    await app.send(to_user("OK"), delivery="delivery-2")

    assert wecom.platform.texts() == ["OK", "OK"]


async def test_equal_pieces_of_one_text_all_arrive(wecom: WecomStandin, app: Driver) -> None:
    await app.send_all(to_user(("x" * 2023 + "\n") * 3))

    assert len(wecom.platform.texts()) == 3


async def test_after_a_lost_answer_the_repeat_is_folded(wecom: WecomStandin, app: Driver) -> None:
    wecom.platform.lose_next_answer()

    with pytest.raises(OutcomeUnknown):
        await app.send(to_user("once"))
    await app.send(to_user("once"), attempt=2)

    assert wecom.platform.texts() == ["once"]
    assert wecom.platform.dropped == [{"why": "duplicate", "user": "zhangsan"}]


@pytest.mark.parametrize("field", ["invalid_users", "unlicensed_users"])
async def test_errcode_0_that_reached_nobody_is_a_failure(
    wecom: WecomStandin, app: Driver, field: str
) -> None:
    setattr(wecom.platform.rules, field, {"zhangsan"})

    with pytest.raises(RecipientUnreachable):
        await app.send(to_user("hi", user="ZhangSan"))

    assert wecom.platform.sent == []


@pytest.mark.parametrize("user", ["@all", "@ALL", "ann|bob", ""])
async def test_a_message_never_goes_to_many(wecom: WecomStandin, app: Driver, user: str) -> None:
    with pytest.raises(RecipientUnreachable):
        await app.send(to_user("hi", user=user))

    assert not wecom.platform.requests


async def test_the_thirty_first_message_of_a_minute_waits_instead_of_vanishing(
    wecom: WecomStandin, app: Driver
) -> None:
    for number in range(30):
        await app.send(to_user(f"n{number}"), delivery=f"d{number}")
    with pytest.raises(RateLimited) as limited:
        await app.send(to_user("n30"), delivery="d30")
    await app.send(to_user("other", user="lisi"), delivery="d31")
    app.host.clock_ms += 60_000
    wecom.platform.advance(60)
    await app.send(to_user("n30"), delivery="d30", attempt=2)

    assert (limited.value.scope, limited.value.retry_after) == ("peer", 60.0)
    assert wecom.platform.texts("zhangsan")[-1] == "n30"
    assert wecom.platform.dropped == []


async def test_nothing_to_send_is_refused_before_anything_is_asked(
    wecom: WecomStandin, app: Driver
) -> None:
    with pytest.raises(ProviderRejected):
        await app.send(to_user("  "))

    assert not wecom.platform.requests


# --- groups the app made --------------------------------------------------------------------------


def _to_group(text: str) -> OutboundMessage:
    return OutboundMessage("here", "test", Peer("group", "wrGROUP1"), text=text)


async def test_a_group_of_the_app_is_written_to(wecom: WecomStandin, app: Driver) -> None:
    await app.send(_to_group("hi"))

    assert [(one.way, one.peer, one.text) for one in wecom.platform.sent] == [
        ("appchat", "wrGROUP1", "hi")
    ]


async def test_what_may_have_arrived_in_a_group_is_not_sent_again(
    wecom: WecomStandin, app: Driver
) -> None:
    wecom.platform.lose_next_answer()

    for attempt in (1, 2, 3):
        with pytest.raises(OutcomeUnknown):
            await app.send(_to_group("once"), attempt=attempt)

    assert wecom.platform.texts() == ["once"]


async def test_a_bad_gateway_leaves_a_groups_message_unclear(
    wecom: WecomStandin, app: Driver
) -> None:
    wecom.platform.fail()

    with pytest.raises(OutcomeUnknown):
        await app.send(_to_group("once"))


# --- attachments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "sent_as"),
    [("image", PNG, "image"), ("image", b"\xff\xd8\xff" + b"j" * 9, "image"),
     ("image", b"GIF89a...", "file"), ("audio", b"#!AMR\n" + b"a" * 9, "voice"),
     ("audio", b"ID3......", "file"), ("video", b"\0\0\0\x18ftypmp42", "video"),
     ("video", b"\x1aE\xdf\xa3webm", "file"), ("file", b"%PDF-1.7", "file"),
     ("audio", b"#!AMR\n" + b"a" * (2 << 20), "file")],
)  # fmt: skip
async def test_an_attachment_goes_as_what_wecom_takes_it_for(
    wecom: WecomStandin, app: Driver, kind: str, content: bytes, sent_as: str
) -> None:
    app.host.blobs["b1"] = content
    attachment = Attachment(kind, blob_id="b1", name='a"b/报表.bin')  # type: ignore[arg-type]  # given

    results = await app.send_all(to_user("look", attachments=(attachment,)))

    assert [one.kind for one in wecom.platform.sent] == ["text", sent_as]
    assert len(results) == 3
    ((found, name, taken, _),) = wecom.platform.media.values()
    assert (found, name, taken) == (sent_as, "a_b_报表.bin", content)


async def test_a_repeated_attachment_is_uploaded_once_and_shown_once(
    wecom: WecomStandin, app: Driver
) -> None:
    app.host.blobs["b1"] = PNG
    message = to_user(None, attachments=(Attachment("image", blob_id="b1"),))
    uploaded = await app.send(message)
    assert uploaded.next is not None
    wecom.platform.lose_next_answer()

    with pytest.raises(OutcomeUnknown):
        await app.send(message, part=1, state=uploaded.next.state)
    await app.send(message, part=1, state=uploaded.next.state, attempt=2)

    assert [one.kind for one in wecom.platform.sent] == ["image"]
    assert wecom.platform.requests["upload"] == 1


async def test_an_attachment_that_wecom_forgot_is_uploaded_again(
    wecom: WecomStandin, app: Driver
) -> None:
    app.host.blobs["b1"] = PNG
    message = to_user(None, attachments=(Attachment("image", blob_id="b1"),))
    uploaded = await app.send(message)
    assert uploaded.next is not None
    wecom.platform.advance(4 * 86_400)

    await app.send(message, part=1, state=uploaded.next.state)

    assert [one.kind for one in wecom.platform.sent] == ["image"]


@pytest.mark.parametrize(
    ("content", "error"), [(b"tiny", ProviderRejected), (b"x" * (20 << 20 | 1), TooLarge)]
)
async def test_a_file_that_wecom_never_takes_is_refused_for_good(
    app: Driver, content: bytes, error: type[Exception]
) -> None:
    app.host.blobs["b1"] = content

    with pytest.raises(error):
        await app.send(to_user(None, attachments=(Attachment("file", blob_id="b1"),)))


async def test_public_links_become_news_and_cards(wecom: WecomStandin, app: Driver) -> None:
    picture = Attachment("image", url="https://example.com/p.png", name="图" * 100)
    film = Attachment("video", url="https://example.com/v.mp4")

    await app.send_all(to_user("see", attachments=(picture, film)))

    text, news, card = wecom.platform.sent
    (article,) = news.body["news"]["articles"]
    assert article["picurl"] == article["url"] == "https://example.com/p.png"
    assert len(article["title"].encode()) <= 128
    assert card.body["textcard"] == {
        "title": "视频", "description": "https://example.com/v.mp4", "url": "https://example.com/v.mp4",
    }  # fmt: skip
    assert text.text == "see"


# --- tokens ------------------------------------------------------------------------------------------


async def test_a_token_is_asked_for_once_by_fifty_at_a_time(
    wecom: WecomStandin, app: Driver
) -> None:
    wecom.platform.rules.member_limit = False

    async def one(number: int) -> None:
        await app.send(to_user(f"n{number}", user=f"u{number}"), delivery=f"d{number}")

    await asyncio.gather(*(one(number) for number in range(50)))
    wecom.platform.expire_token()
    await asyncio.gather(*(one(number) for number in range(50, 100)))

    assert wecom.platform.requests["gettoken"] == 2
    assert sorted(wecom.platform.texts()) == sorted(f"n{number}" for number in range(100))


async def test_a_token_is_fetched_anew_once_and_then_given_up(
    wecom: WecomStandin, app: Driver
) -> None:
    wecom.platform.answer_with(40014, times=2)

    with pytest.raises(AuthFailed):
        await app.send(to_user("hi"))

    assert wecom.platform.requests["message"] == 2


async def test_the_token_endpoint_that_is_down_is_no_wrong_secret(
    wecom: WecomStandin, app: Driver
) -> None:
    wecom.platform.fail(path="gettoken")

    with pytest.raises(ProviderUnavailable):
        await app.send(to_user("hi"))
