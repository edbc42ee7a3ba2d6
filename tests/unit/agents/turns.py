"""Turns for tests of agents."""

from wunder.model.conversation import Conversation, HistoryLine
from wunder.model.ids import (
    AccountId,
    AccountUid,
    At,
    ChannelId,
    MessageId,
    PlatformMessageId,
    SessionId,
    TurnId,
)
from wunder.model.message import Content, InboundMessage, Sender
from wunder.model.turn import AgentTurn


def turn(
    text: str = "hello", *, kind: str = "user", history: tuple[HistoryLine, ...] = (), **content
) -> AgentTurn:
    message = InboundMessage(
        message_id=MessageId("a" * 32),
        conversation=Conversation(AccountUid("u1"), kind, "p1", "t1"),
        channel=ChannelId("chat"),
        account_id=AccountId("main"),
        platform_message_id=PlatformMessageId("pm1"),
        sender=Sender("s1", "Ann"),
        content=Content(text=text, **content),
        sent_at=At(1_000),
        received_at=At(2_000),
        peer_name="Friends",
        meta={"session_webhook": "https://hidden.example/?token=never"},
    )
    return AgentTurn(TurnId("b" * 32), SessionId("c" * 32), message, history)
