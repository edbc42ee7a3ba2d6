"""What lives that ended left unfinished: taken over by whoever notices, in one transaction.

A life has ended when its lease was given up, ran out, or is of an older start on the same data
directory. The rules are those of store/recovery.py.
"""

import msgspec

from wunder.store.outgoing import Outgoing
from wunder.store.policy import StorePolicy
from wunder.store.postgres.counters import PREFIX, folded
from wunder.store.postgres.held import LANES
from wunder.store.postgres.life import DB_NOW
from wunder.store.postgres.replies import queue_replies
from wunder.store.postgres.transaction import Tx
from wunder.store.recovered import Recovered
from wunder.store.recovery import ANSWERING_COLUMNS, IN_FLIGHT_COLUMNS, Recovery
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS

#: Who is paused inside a transaction holds its lease's row; the server ends it, and then it is free.
_END_LEASES = f"""
DELETE FROM channel_leases WHERE (name, account_uid) IN (
  SELECT name, account_uid FROM channel_leases WHERE name LIKE 'node/%' AND name <> ?
    AND lease_until < {DB_NOW} FOR UPDATE SKIP LOCKED)
RETURNING node_id, epoch, lease_until
"""  # noqa: S608 - constant
_FIGURES = "DELETE FROM meta WHERE key = ? RETURNING value"
#: In one look, so that a life that begins meanwhile is not taken for a dead one.
_DEAD = f"""
SELECT DISTINCT epoch FROM (
  SELECT epoch FROM channel_messages WHERE {LIVE_TURNS} AND state = 'answering'
  UNION ALL
  SELECT epoch FROM channel_outbox
  WHERE {LIVE_DELIVERIES} AND (state = 'claimed' OR state = 'sending' OR state = 'streaming')
) claimed
WHERE epoch <> ? AND NOT EXISTS (
  SELECT 1 FROM channel_leases l WHERE l.name LIKE 'node/%' AND l.epoch = claimed.epoch)
"""  # noqa: S608 - constant
_ANSWERING = f"""
SELECT {ANSWERING_COLUMNS} FROM channel_messages
WHERE {LIVE_TURNS} AND state = 'answering' AND epoch = ANY(?::int8[])
ORDER BY account_uid, peer_kind, peer_id, thread_id, seq
"""  # noqa: S608 - constant
_IN_FLIGHT = f"""
SELECT {IN_FLIGHT_COLUMNS} FROM channel_outbox
WHERE {LIVE_DELIVERIES} AND (state = 'claimed' OR state = 'sending' OR state = 'streaming')
  AND epoch = ANY(?::int8[])
ORDER BY account_uid, peer_kind, peer_id, thread_id, seq
"""  # noqa: S608 - constant


class Ended(msgspec.Struct, frozen=True):
    """Lives whose leases ended; of the `silent` ones nobody knows whether their process did."""

    count: int = 0
    silent: frozenset[int] = frozenset()


async def end_leases(tx: Tx, own_name: str) -> Ended:
    """End the lives whose leases ran out or were given up, and take over their figures."""
    ended = await tx.execute(_END_LEASES, (own_name,))
    for node_id, *_ in ended:
        for (value,) in await tx.execute(_FIGURES, (PREFIX + node_id,)):
            folded(tx.counts, value)
    return Ended(len(ended), frozenset(epoch for _, epoch, until in ended if until > 0))


async def recover(tx: Tx, policy: StorePolicy, ended: Ended) -> Recovered:
    """Put right what lives that ended had in hand."""
    dead = [row[0] for row in await tx.execute(_DEAD, (tx.epoch,))]
    if not dead:
        return Recovered()
    answering = await tx.execute(_ANSWERING, (dead,))
    in_flight = await tx.execute(_IN_FLIGHT, (dead,))
    found = Recovery(LANES, _queue, policy)
    return await found.recover(tx, answering, in_flight, ended.silent)


async def _queue(tx: Tx, going: Outgoing) -> None:
    await queue_replies(tx, going, None)
