"""A transaction whose commit was not answered: what became of it, and giving back what it claimed."""

from collections.abc import Iterable
from typing import Any

import msgspec

from wunder.model.delivery import ClaimedDelivery
from wunder.model.intake import TakenIn
from wunder.model.turn import ClaimedTurn, TurnCommitted
from wunder.store.postgres import lanes
from wunder.store.postgres.session import Session
from wunder.store.postgres.transaction import Tx

_STATUS = "SELECT pg_xact_status($1::text::xid8)"
_RETURN_TURN = """
UPDATE channel_messages SET state = 'received', claims = claims - 1, is_alone = 0
WHERE message_id = ? AND state = 'answering' AND fence = ? AND epoch = ? RETURNING lane_id
"""
#: No frame was written: nobody ever heard that it was marked.
_RETURN_DELIVERY = """
UPDATE channel_outbox SET state = 'pending'
WHERE delivery_id = ? AND state = 'sending' AND fence = ? AND attempts = ? RETURNING lane_id
"""
_NOTE_ATTEMPT = """
UPDATE channel_attempts SET settled_at = ?, outcome = 'not_sent', error_kind = 'internal',
  error = 'the database did not answer in time' WHERE delivery_id = ? AND attempt_no = ? AND outcome = ''
"""


class Claims(msgspec.Struct, frozen=True):
    """What a batch claimed for whoever waits for its results."""

    turns: tuple[ClaimedTurn, ...] = ()
    deliveries: tuple[ClaimedDelivery, ...] = ()


def claims_in(results: Iterable[Any]) -> Claims:
    """Find the claims in the results of units."""
    turns: list[ClaimedTurn] = []
    deliveries: list[ClaimedDelivery] = []
    for result in results:
        inner = result.claimed if isinstance(result, TakenIn | TurnCommitted) else result
        for one in inner if isinstance(inner, list | tuple) else (inner,):
            if isinstance(one, ClaimedTurn):
                turns.append(one)
            elif isinstance(one, ClaimedDelivery):
                deliveries.append(one)
    return Claims(tuple(turns), tuple(deliveries))


class Doubt:
    """One such transaction."""

    def __init__(self, xid: str, epoch: int, claims: Claims) -> None:
        self._xid = xid
        self._epoch = epoch
        self._claims = claims

    async def status(self, session: Session) -> bool | None:
        """Whether it was committed; None while the server is still at it."""
        word = (await session.fetch(_STATUS, self._xid))[0][0]
        return None if word == "in progress" else word == "committed"

    async def give_back(self, tx: Tx) -> None:
        """Put back into their lanes what it claimed."""
        for turn in self._claims.turns:
            claim = (turn.message.message_id, turn.fence, self._epoch)
            for (lane_id,) in await tx.execute(_RETURN_TURN, claim):
                tx.moved("channel_messages", "answering", "received")
                await lanes.refresh_turns(tx, await tx.lanes.by_id(lane_id), tx.now)
        for delivery in self._claims.deliveries:
            named = (delivery.delivery_id, delivery.attempt_no)
            row = (delivery.delivery_id, delivery.fence, delivery.attempt_no)
            for (lane_id,) in await tx.execute(_RETURN_DELIVERY, row):
                await tx.execute(_NOTE_ATTEMPT, (tx.now, *named))
                tx.moved("channel_outbox", "sending", "pending")
                await lanes.refresh_deliveries(tx, await tx.lanes.by_id(lane_id), tx.now)
