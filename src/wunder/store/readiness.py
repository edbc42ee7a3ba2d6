"""When the head of a lane may be claimed, and by whom."""

from collections.abc import Iterable
from typing import Any

from wunder.model.ids import AccountUid, At
from wunder.ports import ReadyAccounts

#: So many unfinished claims make a message run alone (delivery semantics, Turns).
SUSPECT_CLAIMS = 2
#: So many fail it: whoever kills gateways in a row hits one that runs alone by chance, not twice (ADR 0064).
POISON_CLAIMS = SUSPECT_CLAIMS + 2
#: A loose scan of the index: one step an account that has heads waiting, whatever their number. Of
#: those that are due so many are told that nobody reserves slots for more.
_HEADS_TOLD = 16
READY = f"""
WITH RECURSIVE waiting (account_uid) AS (
  SELECT min(account_uid) FROM channel_lanes WHERE kind = 'delivery' AND ready_at IS NOT NULL
  UNION ALL
  SELECT (SELECT min(account_uid) FROM channel_lanes
          WHERE kind = 'delivery' AND ready_at IS NOT NULL AND account_uid > waiting.account_uid)
  FROM waiting WHERE waiting.account_uid IS NOT NULL
)
SELECT account_uid, (SELECT min(ready_at) FROM channel_lanes WHERE kind = 'delivery'
  AND account_uid = waiting.account_uid AND ready_at IS NOT NULL),
  (SELECT count(*) FROM (SELECT 1 FROM channel_lanes WHERE kind = 'delivery'
    AND account_uid = waiting.account_uid AND ready_at <= ? LIMIT {_HEADS_TOLD}) due)
FROM waiting WHERE account_uid IS NOT NULL
"""  # noqa: S608 - constant


def ready_at(now: At, retry_at: At | None, not_before: At | None, expires_at: At) -> At:
    """When a waiting head may be claimed: at its retry, but in time to expire."""
    return min(max(now, retry_at or now, not_before or now), max(now, expires_at))


def ready_accounts(rows: Iterable[tuple[Any, ...]]) -> ReadyAccounts:
    """Read READY: which accounts have deliveries to claim now, longest ready first, and when to look again."""
    due: dict[AccountUid, int] = {}
    later: list[At] = []
    for account_uid, at, heads in sorted(rows, key=_at):
        # Another node may have claimed the last head between the looks.
        if heads:
            due[account_uid] = heads
        elif at is not None:
            later.append(at)
    return ReadyAccounts(due, min(later, default=None))


def _at(row: tuple[Any, ...]) -> int:
    return int(row[1] or 0)
