"""Sets of states: as SQL text, the same words in queries and in the partial indexes of both engines."""

from wunder.model.delivery import DELIVERY_MOVES, RELEASED, DeliveryState

#: The states that keep a row in its lane. The text is also the WHERE of the partial indexes.
LIVE_DELIVERIES = (
    "(state = 'pending' OR state = 'claimed' OR state = 'sending' OR state = 'held'"
    " OR state = 'streaming')"
)
LIVE_TURNS = "(state = 'received' OR state = 'answering')"
#: Finished otherwise than well: likewise the text of an index.
TROUBLED_DELIVERIES = (
    "(state = 'failed' OR state = 'unknown' OR state = 'expired' OR state = 'cancelled'"
    " OR state = 'held')"
)
TROUBLED_MESSAGES = "(state = 'unrouted' OR state = 'refused' OR state = 'failed')"
_FINISHED = frozenset(
    {state for state in RELEASED if DeliveryState.PENDING in DELIVERY_MOVES[state]}
)
#: Finished and not arrived: what the transition table lets go back to `pending`.
REPLAYABLE = _FINISHED - {DeliveryState.SENT}
#: The same, and what arrived: a person says that it is to arrive twice.
REPLAYABLE_BY_FORCE = _FINISHED
#: What a person may end: it waits, and nobody is sending it.
CANCELLABLE = frozenset({DeliveryState.PENDING, DeliveryState.HELD})
