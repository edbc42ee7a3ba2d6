"""Who may talk to the agent: mention only in groups, allow and deny lists (pure).

The core alone applies access rules; channels only report `mentions_bot`.
"""

from wunder.model.account import AccessRules
from wunder.model.binding import ANY
from wunder.model.message import InboundMessage, MessageState


def admit(rules: AccessRules, message: InboundMessage) -> tuple[MessageState, str]:
    """Return the state a message enters the store in, and why when that is not `received`.

    `refused` messages are stored without body; `no_answer` ones whole: they are history.
    """
    peer, sender = message.conversation.peer_id, message.sender.id
    if _lists(rules.deny_peers, peer) or _lists(rules.deny_senders, sender):
        return MessageState.REFUSED, "denied"
    if not _lists(rules.allow_peers, peer) or not _lists(rules.allow_senders, sender):
        return MessageState.REFUSED, "not_allowed"
    is_direct = message.conversation.peer_kind == "user"
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


def _lists(entries: tuple[str, ...], value: str) -> bool:
    return ANY in entries or value in entries
