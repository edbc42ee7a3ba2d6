"""Who may talk to the agent: mention only in groups, allow and deny lists (pure).

The core alone applies access rules; channels only report `mentions_bot`.
"""

from wunder.model.account import AccessRules
from wunder.model.binding import ANY
from wunder.model.message import InboundMessage, MessageState

#: Why a stranger's message is not answered yet.
PAIRING = "pairing"


def admit(rules: AccessRules, message: InboundMessage) -> tuple[MessageState, str]:
    """Return the state a message enters the store in, and why when that is not `received`.

    `refused` messages are stored without body; `no_answer` ones whole: they are history. A message
    that is `unrouted` for PAIRING is that of a stranger, unless T1 knows them.
    """
    peer, sender = message.conversation.peer_id, message.sender.id
    if _lists(rules.deny_peers, peer) or _lists(rules.deny_senders, sender):
        return MessageState.REFUSED, "denied"
    is_direct = message.conversation.peer_kind == "user"
    if is_direct and rules.direct == PAIRING:
        return _at_the_door(rules, message)
    if not _lists(rules.allow_peers, peer) or not _lists(rules.allow_senders, sender):
        return MessageState.REFUSED, "not_allowed"
    if is_direct:
        if rules.direct == "off":
            return MessageState.NO_ANSWER, "direct_off"
        return MessageState.RECEIVED, ""
    if rules.groups == "off":
        return MessageState.NO_ANSWER, "groups_off"
    is_called = message.content.mentions_bot or message.is_event
    if rules.groups == "mention" and not is_called:
        return MessageState.NO_ANSWER, "not_mentioned"
    return MessageState.RECEIVED, ""


def _at_the_door(rules: AccessRules, message: InboundMessage) -> tuple[MessageState, str]:
    """Named people come in; others may ask, but a bot or an event asks nothing."""
    if (
        message.conversation.peer_id in rules.allow_peers
        or message.sender.id in rules.allow_senders
    ):
        return MessageState.RECEIVED, ""
    may_ask = not (message.is_event or message.sender.is_bot)
    return MessageState.UNROUTED if may_ask else MessageState.REFUSED, PAIRING


def _lists(entries: tuple[str, ...], value: str) -> bool:
    return ANY in entries or value in entries
