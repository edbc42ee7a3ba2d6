"""The end of a turn in rows: outbound messages and their deliveries, in order, ids fixed beforehand."""

from wunder.model.conversation import LaneKind
from wunder.model.delivery import ClaimedDelivery, SendGrant
from wunder.model.ids import At, DeliveryId, derived_id
from wunder.model.turn import Reply, TurnCommitted
from wunder.store.postgres import lanes
from wunder.store.postgres.delivery_rows import insert
from wunder.store.postgres.message_rows import INSERT_OUTBOUND
from wunder.store.postgres.transaction import Tx
from wunder.store.sqlite.delivery_rows import NewDelivery, SendFacts, facts_of
from wunder.store.sqlite.lanes import ready_at
from wunder.store.sqlite.message_rows import outbound_row
from wunder.store.sqlite.replies import Outgoing, reply_message


async def queue_replies(tx: Tx, going: Outgoing, grant: SendGrant | None) -> TurnCommitted:
    """Insert messages and deliveries; with a grant the first is born `sending` where its lane is empty."""
    if not going.replies:
        return TurnCommitted()
    conversation, count = going.inbound.conversation, len(going.replies)
    is_asked = grant is not None
    place = await lanes.enter(
        tx, LaneKind.DELIVERY, conversation, count, going.at, is_claimed=is_asked
    )
    claimed: list[ClaimedDelivery] = []
    for ordinal, reply in enumerate(going.replies):
        is_born = grant is not None and place.is_free and ordinal == 0
        facts = facts_of(grant) if grant is not None and is_born else None
        delivery = _queue(tx, going, place, (ordinal, reply), facts)
        if delivery is not None:
            claimed.append(delivery)
    if going.not_before is not None:
        await _hold_back(tx, going, count, going.not_before)
    tx.counts["channel_messages_out"] += count
    return TurnCommitted(tuple(claimed), count - len(claimed))


def _queue(
    tx: Tx,
    going: Outgoing,
    place: lanes.Place,
    numbered: tuple[int, Reply],
    facts: SendFacts | None,
) -> ClaimedDelivery | None:
    ordinal, reply = numbered
    message = reply_message(going, reply, ordinal)
    session_seq = None if going.session_id is None else going.session_seq + ordinal
    tx.later(
        INSERT_OUTBOUND,
        (
            *outbound_row(message),
            going.inbound.message_id,
            going.turn_id,
            going.session_id,
            session_seq,
            going.agent_id,
            going.binding_id,
            going.at,
            "out",
        ),
    )
    new = NewDelivery(
        delivery_id=DeliveryId(derived_id(going.turn_id, "delivery", ordinal)),
        message=message,
        root_message_id=going.inbound.message_id,
        reply_ordinal=going.ordinals + ordinal + 1,
        lane_id=place.lane_id,
        lane_seq=place.first_seq + ordinal,
        at=going.at,
        expires_at=going.expires_at,
        release=going.release,
    )
    is_held = going.not_before is not None and new.reply_ordinal == 1
    return insert(tx, new, facts, place.fence, going.not_before if is_held else None)


async def _hold_back(tx: Tx, going: Outgoing, count: int, until: At) -> None:
    """Keep the first reply from the dispatcher while a webhook may carry it, where it is the head."""
    lane = await tx.lanes.of(LaneKind.DELIVERY, going.inbound.conversation)
    if lane.waiting == count and going.ordinals == 0:
        lanes.set_ready(tx, lane, ready_at(going.at, None, until, going.expires_at))
