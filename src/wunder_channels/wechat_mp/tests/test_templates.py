"""Template messages: what WeChat approved before reaches a user at any time."""

import pytest

from tests.standins.wechat_mp.server import MpStandin
from wunder_channels.wechat_mp.tests.driver import Driver
from wunder_sdk import OutboundMessage, Peer, ProviderRejected

USER = Peer("user", "oIDrpjqASyTPnxRmpS9O_ruZGsfk")
TEMPLATE = "TPL_order_0123456789abcdef"


def _message(text: str) -> OutboundMessage:
    return OutboundMessage("wechat_mp", "main", USER, text=text, format="markdown")


async def test_a_template_reaches_somebody_who_did_not_write(mp: MpStandin, bot: Driver) -> None:
    words = f'[Order](template:{TEMPLATE} "thing1=外卖|time2=12:00")'

    await bot.send_all(_message(words))

    (sent,) = mp.platform.sent
    assert sent.body["data"] == {"thing1": {"value": "外卖"}, "time2": {"value": "12:00"}}


async def test_the_words_beside_it_follow_as_usual(mp: MpStandin, bot: Driver) -> None:
    mp.platform.acted(USER.id, is_message=True)

    await bot.send_all(_message(f'[x](template:{TEMPLATE} "a=b")\n\nAnd **this**.'))

    assert [(one.msgtype, one.text) for one in mp.platform.sent] == [
        ("template", ""),
        ("text", "And this."),
    ]


@pytest.mark.parametrize(
    "words", [f'[x](template:{TEMPLATE} "just words")', "[x](template:unknown)"]
)
async def test_what_wechat_would_not_take_is_a_dead_letter(
    mp: MpStandin, bot: Driver, words: str
) -> None:
    with pytest.raises(ProviderRejected):
        await bot.send(_message(words))
    assert not mp.platform.sent
