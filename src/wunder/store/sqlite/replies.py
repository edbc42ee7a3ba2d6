"""The end of a turn in rows: outbound messages and their deliveries, in order, ids fixed beforehand."""

from collections.abc import Sequence

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ClaimedDelivery, SendGrant
from wunder.model.message import OutboundMessage
from wunder.model.turn import TurnCommitted
from wunder.store.outgoing import Outgoing, say
from wunder.store.shown import ShownReplies, shown_by
from wunder.store.sqlite import lanes
from wunder.store.sqlite.delivery_rows import MARKS
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.message_rows import INSERT_OUTBOUND
from wunder.store.sqlite.transaction import Tx, finished

_SHOWN = ShownReplies(LANES, MARKS)


def queue_replies(tx: Tx, going: Outgoing, grant: SendGrant | None) -> TurnCommitted:
    """Insert messages and deliveries; with a grant the first is born `sending` where its lane is empty.

    A first reply that was shown while it was written has its delivery: it gets its whole text.
    """
    # Only a message that was given an ordinal before can have begun to be answered.
    begun = finished(shown_by(tx, going.turn_id)) if going.ordinals else None
    numbered = list(enumerate(say(tx, going, INSERT_OUTBOUND, is_begun=begun is not None)))
    if begun is None:
        claimed = _queue(tx, going, numbered, grant)
    else:
        claimed = finished(_SHOWN.end(tx, begun, going, grant))
        _queue(tx, going, numbered[1:], None)
    return TurnCommitted(tuple(claimed), len(going.replies) - len(claimed))


def _queue(
    tx: Tx,
    going: Outgoing,
    numbered: Sequence[tuple[int, OutboundMessage]],
    grant: SendGrant | None,
) -> list[ClaimedDelivery]:
    """Queue deliveries of messages, each with its number in the turn; those born `sending`."""
    if not numbered:
        return []
    conversation, count = going.inbound.conversation, len(numbered)
    is_claimed = grant is not None
    place = lanes.enter(tx, LaneKind.DELIVERY, conversation, count, going.at, is_claimed=is_claimed)
    claimed = MARKS.queue(tx, going, numbered, grant, place)
    if going.not_before is not None:
        lanes.refresh_deliveries(tx, place.lane_id, going.at)
    return claimed
