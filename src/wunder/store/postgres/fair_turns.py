"""Which turn lanes are claimed next where more wait than fit: each account its share, in rotation."""

from wunder.model.ids import At
from wunder.store.postgres import lanes
from wunder.store.postgres.lane_book import LANE_COLUMNS, Lane
from wunder.store.postgres.transaction import Tx

_DUE = "l.kind = 'turn' AND l.ready_at <= ?2 AND l.is_suspect = 0"


def _scan(name: str, after: str, upto: str) -> str:
    """A loose scan of the index: one step an account that has heads waiting, whatever their number."""
    step = f"""SELECT l.account_uid FROM channel_lanes l
      WHERE {_DUE} AND l.account_uid > {{after}} {upto} ORDER BY l.account_uid LIMIT 1"""  # noqa: S608 - constants
    return f"""{name} (n, account_uid) AS (
  (SELECT 1, first.* FROM ({step.format(after=after)}) first)
  UNION ALL
  SELECT n + 1, next.* FROM {name} CROSS JOIN LATERAL ({step.format(after=f"{name}.account_uid")}) next
  WHERE n < ?3::int8)"""  # noqa: S608 - constants


#: What is locked is what is claimed; a lane that another node has locked is in its hands.
_FAIR = f"""
WITH RECURSIVE {_scan("ahead", "?1::text", "")},
{_scan("behind", "''", "AND l.account_uid <= ?1::text")},
accounts AS MATERIALIZED (
  SELECT account_uid FROM ahead UNION ALL SELECT account_uid FROM behind LIMIT ?3::int8),
fair AS MATERIALIZED (
  SELECT h.* FROM accounts CROSS JOIN LATERAL (
    SELECT {LANE_COLUMNS} FROM channel_lanes l WHERE {_DUE} AND l.account_uid = accounts.account_uid
    ORDER BY l.ready_at, l.lane_id
    LIMIT (SELECT (?3::int8 + count(*) - 1) / greatest(count(*), 1) FROM accounts)
    FOR UPDATE SKIP LOCKED) h
  LIMIT ?3::int8),
rest AS MATERIALIZED (
  SELECT {LANE_COLUMNS} FROM channel_lanes l
  WHERE {_DUE} AND NOT EXISTS (SELECT 1 FROM fair f WHERE f.lane_id = l.lane_id)
  ORDER BY l.ready_at, l.lane_id LIMIT ?3::int8 - (SELECT count(*) FROM fair) FOR UPDATE SKIP LOCKED)
SELECT * FROM fair UNION ALL SELECT * FROM rest
"""  # noqa: S608 - constants


async def due_turns(tx: Tx, after: str, now: At, limit: int) -> list[Lane]:
    """Lanes whose head may be answered now, locked; see store/sqlite/fair_turns.py."""
    await tx.settle_down()
    return lanes.taken(tx, await tx.execute(_FAIR, (after, now, limit)), now)
