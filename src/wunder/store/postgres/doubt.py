"""A transaction whose commit was not answered: what became of it, and giving back what it claimed."""

from collections.abc import Iterable
from typing import Any

import msgspec

from wunder.model.delivery import ClaimedDelivery
from wunder.model.intake import TakenIn
from wunder.model.turn import ClaimedTurn, TurnCommitted
from wunder.store.postgres import lanes
from wunder.store.postgres.counters import commits_of
from wunder.store.postgres.life import TRANSACTION_OF, Life
from wunder.store.postgres.session import Session
from wunder.store.postgres.transaction import Tx

_HAS_ENDED = f"SELECT pg_try_advisory_xact_lock({TRANSACTION_OF.format('?')})"
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
    """One such transaction, known by the number of commits that it would have left behind.

    The server's own number of it says nothing: a server that lost its power gives that number anew.
    """

    def __init__(self, life: Life, commits: int, claims: Claims) -> None:
        self._node_id = life.node_id
        self._lease_name = life.lease_name
        self._epoch = life.epoch
        self._commits = commits
        self._claims = claims

    async def status(self, session: Session) -> bool | None:
        """Whether it was committed; None while the server is still at it.

        Where another node has taken over meanwhile its claims are no longer ours: False.
        """
        # Two statements: what the first one saw may be older than the lock it got.
        if not (await session.fetch(_HAS_ENDED, self._lease_name))[0][0]:
            return None
        return await commits_of(session, self._node_id) == self._commits

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
