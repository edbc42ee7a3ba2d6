"""At open: what an earlier start of this store left unfinished.

One process holds the data directory, so whatever an older epoch had in hand is nobody's now.
"""

from wunder.store.outgoing import Outgoing
from wunder.store.policy import StorePolicy
from wunder.store.recovered import Recovered
from wunder.store.recovery import ANSWERING_COLUMNS, IN_FLIGHT_COLUMNS, Recovery
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.replies import queue_replies
from wunder.store.sqlite.transaction import Tx, finished
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS

_ANSWERING = f"""
SELECT {ANSWERING_COLUMNS} FROM channel_messages
WHERE seq IN (SELECT seq FROM channel_messages INDEXED BY channel_messages_lane
  WHERE {LIVE_TURNS} AND state = 'answering') ORDER BY seq
"""  # noqa: S608 - constant
#: The index of the lanes holds the state: one look over what waits, not over the table.
_IN_FLIGHT = f"""
SELECT {IN_FLIGHT_COLUMNS} FROM channel_outbox
WHERE seq IN (SELECT seq FROM channel_outbox INDEXED BY channel_outbox_lane
  WHERE {LIVE_DELIVERIES} AND state IN ('claimed', 'sending', 'streaming')) ORDER BY seq
"""  # noqa: S608 - constant


def recover(tx: Tx, policy: StorePolicy) -> Recovered:
    """Put right what older epochs left, in the transaction that begins this one."""
    answering = tx.execute(_ANSWERING).fetchall()
    in_flight = tx.execute(_IN_FLIGHT).fetchall()
    return finished(Recovery(LANES, _queue, policy).recover(tx, answering, in_flight))


async def _queue(tx: Tx, going: Outgoing) -> None:
    queue_replies(tx, going, None)
