"""Requests on their way into the spool: all of a batch at once, for they come where there is no time left.

A node that is overloaded keeps what platforms do not bring again. Were each request two round trips,
keeping them would cost more than the messages it has no room for. What a spool is: store/spool.py.
"""

from wunder.model.intake import SpooledRequest
from wunder.store.policy import StorePolicy
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.spool import HOLDS_UP_TO_TRIES, spool_row

#: Those of one batch count as well. One that is there already was kept by a commit nobody heard of.
_KEEP = Many(
    """
WITH kept AS MATERIALIZED (
  SELECT a.account_uid, count(k.size_bytes) AS rows, coalesce(sum(k.size_bytes), 0) AS bytes
  FROM (SELECT DISTINCT v.account_uid FROM {v}) a
  LEFT JOIN channel_spool k ON k.account_uid = a.account_uid GROUP BY a.account_uid
), batch AS (
  SELECT v.*, row_number() OVER earlier AS place, sum(v.size_bytes) OVER earlier AS bytes
  FROM {v} WINDOW earlier AS (PARTITION BY v.account_uid ORDER BY v.n)
)
INSERT INTO channel_spool AS s (spool_id, account_uid, channel, account_id, sealed, size_bytes,
  received_at, tries, retry_at)
SELECT b.spool_id, b.account_uid, b.channel, b.account_id, b.sealed, b.size_bytes, b.received_at,
  b.tries, b.retry_at
FROM batch b JOIN kept ON kept.account_uid = b.account_uid
WHERE kept.rows + b.place <= b.most_rows AND kept.bytes + b.bytes <= b.most_bytes
ORDER BY b.n
ON CONFLICT (spool_id) DO UPDATE SET spool_id = excluded.spool_id
RETURNING s.spool_id, s.xmax = 0
""",
    "spool_id text, account_uid text, channel text, account_id text, sealed bytea, size_bytes int8,"
    " received_at int8, tries int8, retry_at int8, most_rows int8, most_bytes int8",
    by="spool_id",
)
_AHEAD = Many(
    """
SELECT v.n FROM {v} WHERE EXISTS (
  SELECT 1 FROM channel_spool s WHERE s.account_uid = v.account_uid AND s.tries < v.tries)
""",
    "account_uid text, tries int8",
)


async def keep(tx: Tx, request: SpooledRequest, policy: StorePolicy) -> bool:
    """Keep a request; False when its account has no room left."""
    kept = await tx.one(_KEEP, (*spool_row(request), policy.spool_rows, policy.spool_bytes))
    if kept is None:
        return False
    tx.counts["channel_spool"] += int(kept[0])
    return True


async def is_ahead(tx: Tx, account_uid: str) -> bool:
    """True while an earlier request of the account waits: who overtook it would break the order."""
    if not tx.has_spooled():
        return False
    return bool(await tx.execute(_AHEAD, (account_uid, HOLDS_UP_TO_TRIES)))
