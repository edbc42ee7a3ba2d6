"""Who may talk to the agent: the core alone applies access rules."""

import msgspec
import pytest

from wunder.inbound.access import admit
from wunder.model.account import AccessRules
from wunder.model.conversation import Conversation
from wunder.model.message import Content, InboundMessage, MessageState, Sender


def message(kind="group", *, mentions_bot=None, type="text") -> InboundMessage:
    return InboundMessage(
        message_id="m1",
        conversation=Conversation("u1", kind, "p1"),
        channel="chat",
        account_id="main",
        platform_message_id="x1",
        sender=Sender("s1"),
        content=Content(type=type, text="hi", mentions_bot=mentions_bot),
        sent_at=0,
        received_at=0,
    )


def state(rules: AccessRules, *args, **kwargs) -> MessageState:
    return admit(rules, message(*args, **kwargs))[0]


def test_a_group_message_that_does_not_mention_the_bot_gets_no_answer() -> None:
    assert state(AccessRules(), "group") is MessageState.NO_ANSWER
    assert state(AccessRules(), "group", mentions_bot=False) is MessageState.NO_ANSWER


def test_a_mention_is_answered() -> None:
    assert state(AccessRules(), "group", mentions_bot=True) is MessageState.RECEIVED


def test_groups_can_be_answered_without_mention() -> None:
    assert state(AccessRules(groups="all"), "group") is MessageState.RECEIVED


def test_a_direct_message_needs_no_mention() -> None:
    assert state(AccessRules(), "user") is MessageState.RECEIVED


def test_events_need_no_mention() -> None:
    assert state(AccessRules(), "group", type="event") is MessageState.RECEIVED


@pytest.mark.parametrize("kind", ["group", "user"])
def test_either_kind_of_peer_can_be_switched_off(kind: str) -> None:
    rules = AccessRules(groups="off", direct="off")
    assert state(rules, kind, mentions_bot=True) is MessageState.NO_ANSWER


@pytest.mark.parametrize("field", ["deny_peers", "deny_senders"])
def test_deny_wins_over_allow_and_refuses(field: str) -> None:
    rules = msgspec.structs.replace(AccessRules(), **{field: ("p1", "s1")})
    assert admit(rules, message("user")) == (MessageState.REFUSED, "denied")


@pytest.mark.parametrize("field", ["allow_peers", "allow_senders"])
def test_who_is_not_on_an_allow_list_is_refused(field: str) -> None:
    rules = msgspec.structs.replace(AccessRules(), **{field: ("somebody",)})
    assert admit(rules, message("user")) == (MessageState.REFUSED, "not_allowed")


PAIRING = AccessRules(direct="pairing")


def test_with_pairing_a_stranger_asks_at_the_door() -> None:
    assert admit(PAIRING, message("user")) == (MessageState.UNROUTED, "pairing")


@pytest.mark.parametrize("field", ["allow_peers", "allow_senders"])
def test_with_pairing_only_who_is_named_comes_in(field: str) -> None:
    rules = msgspec.structs.replace(PAIRING, **{field: ("p1", "s1")})
    assert admit(rules, message("user")) == (MessageState.RECEIVED, "")
    others = msgspec.structs.replace(PAIRING, **{field: ("somebody",)})
    assert admit(others, message("user")) == (MessageState.UNROUTED, "pairing")


def test_with_pairing_deny_still_wins() -> None:
    rules = msgspec.structs.replace(PAIRING, allow_peers=("p1",), deny_peers=("p1",))
    assert admit(rules, message("user")) == (MessageState.REFUSED, "denied")


def test_with_pairing_events_and_bots_ask_nothing() -> None:
    bot = msgspec.structs.replace(message("user"), sender=Sender("s1", is_bot=True))
    assert admit(PAIRING, bot) == (MessageState.REFUSED, "pairing")
    assert admit(PAIRING, message("user", type="event")) == (MessageState.REFUSED, "pairing")


def test_pairing_concerns_direct_messages_only() -> None:
    assert state(PAIRING, "group", mentions_bot=True) is MessageState.RECEIVED
