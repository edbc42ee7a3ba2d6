"""Which turn lanes are claimed next where more wait than fit: each account its share, in rotation."""

from wunder.model.ids import At
from wunder.store.sqlite import lanes
from wunder.store.sqlite.transaction import Tx

#: A loose scan of the index: one step an account that has heads waiting, whatever their number.
_WAITING = """
WITH RECURSIVE waiting (account_uid) AS (
  SELECT (SELECT account_uid FROM channel_lanes WHERE kind = 'turn' AND account_uid > ?1
          AND ready_at <= ?2 AND is_suspect = 0 ORDER BY account_uid LIMIT 1)
  UNION ALL
  SELECT (SELECT account_uid FROM channel_lanes WHERE kind = 'turn' AND account_uid > waiting.account_uid
          AND ready_at <= ?2 AND is_suspect = 0 ORDER BY account_uid LIMIT 1)
  FROM waiting WHERE waiting.account_uid IS NOT NULL LIMIT ?3
)
SELECT account_uid FROM waiting WHERE account_uid IS NOT NULL
"""
_HEADS = """
SELECT lane_id FROM channel_lanes WHERE kind = 'turn' AND account_uid = ? AND ready_at <= ?
AND is_suspect = 0 ORDER BY ready_at, lane_id LIMIT ?
"""


def due_turns(tx: Tx, after: str, now: At, limit: int) -> list[int]:
    """Lanes whose head may be answered now, at most `limit`, none of a suspect.

    Each account with waiting heads gets an equal share, longest ready first; what is left of it goes
    to who has been ready longest. Where not all accounts find room, those that follow `after` do; the
    last lane belongs to the account to go on after.
    """
    oldest = lanes.due_turns(tx, False, now, limit)
    if len(oldest) < max(limit, 1):
        return oldest
    accounts = _accounts(tx, after, now, limit)
    if len(accounts) < limit:
        accounts += [uid for uid in _accounts(tx, "", now, limit) if uid <= after]
    share = -(-limit // min(limit, len(accounts)))
    chosen: list[int] = []
    for uid in accounts:
        row = (uid, now, min(share, limit - len(chosen)))
        chosen += [lane_id for (lane_id,) in tx.execute(_HEADS, row)]
        if len(chosen) == limit:
            return chosen
    taken = set(chosen)
    rest = [lane_id for lane_id in oldest if lane_id not in taken]
    return chosen + rest[: limit - len(chosen)]


def _accounts(tx: Tx, after: str, now: At, limit: int) -> list[str]:
    return [uid for (uid,) in tx.execute(_WAITING, (after, now, limit))]
