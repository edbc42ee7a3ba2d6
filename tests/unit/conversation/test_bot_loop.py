"""Two bots must not talk for ever: more than 10 turns a minute pauses the conversation."""

from wunder.conversation.bot_loop import MAX_TRACKED, BotLoop
from wunder.model.conversation import Conversation

TALK = Conversation("u1", "user", "bot")


def test_ten_turns_a_minute_are_fine_the_eleventh_is_not() -> None:
    loop = BotLoop()
    assert not any(loop.is_looping(TALK, second) for second in range(10))
    assert loop.is_looping(TALK, 10)


def test_the_pause_ends_when_the_minute_is_over() -> None:
    loop = BotLoop()
    for second in range(11):
        loop.is_looping(TALK, second)
    assert not loop.is_looping(TALK, 75)


def test_conversations_do_not_count_for_each_other() -> None:
    loop = BotLoop()
    for second in range(11):
        loop.is_looping(TALK, second)
    assert not loop.is_looping(Conversation("u1", "user", "other"), 11)


def test_memory_is_bounded() -> None:
    loop = BotLoop()
    for number in range(MAX_TRACKED + 50):
        loop.is_looping(Conversation("u1", "user", str(number)), 0)
    assert len(loop._turns) == MAX_TRACKED
