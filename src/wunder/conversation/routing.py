"""Which binding serves a message: the most specific, then the highest priority (pure).

Weights: channel 1, account 2, peer kind 4, peer id 8; `*` matches any and weighs nothing.
"""

from collections.abc import Iterable

from wunder.model.binding import ANY, Binding
from wunder.model.conversation import Conversation


def route(
    bindings: Iterable[Binding],
    channel: str,
    account_id: str,
    conversation: Conversation,
    owner_user_id: str = "",
) -> Binding | None:
    """Return the binding for a conversation, or None.

    Equal weight and priority: the older binding wins, so that adding one never moves traffic by
    surprise. A user's binding serves only accounts of the same owner.
    """
    values = (channel, account_id, conversation.peer_kind, conversation.peer_id)
    best: tuple[tuple[int, int, int], Binding] | None = None
    for binding in bindings:
        weight = _weight(binding, values)
        if weight is None or not binding.is_enabled or not _owns(binding, owner_user_id):
            continue
        rank = (weight, binding.priority, -binding.created_at)
        if best is None or rank > best[0]:
            best = (rank, binding)
    return best[1] if best else None


def _weight(binding: Binding, values: tuple[str, str, str, str]) -> int | None:
    """Sum the weights of the named fields; None when one does not match."""
    wanted = (binding.channel, binding.account_id, binding.peer_kind, binding.peer_id)
    weight = 0
    for position, (pattern, value) in enumerate(zip(wanted, values, strict=True)):
        if pattern == ANY:
            continue
        if pattern != value:
            return None
        weight += 1 << position
    return weight


def _owns(binding: Binding, owner_user_id: str) -> bool:
    return not binding.owner_user_id or binding.owner_user_id == owner_user_id
