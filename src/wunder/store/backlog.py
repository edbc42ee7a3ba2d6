"""What waits, by account: counted rarely, up to a bound, beside the traffic."""

from collections.abc import Callable

from wunder.model.ids import At
from wunder.store.reads import Reads
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS
from wunder.upkeep.admission import Waiting

#: Through the partial index of what is live, at most as many rows as are asked for.
_MESSAGES = f"""
SELECT account_uid, count(*) FROM (SELECT account_uid FROM channel_messages
  WHERE {LIVE_TURNS} AND state = 'received' LIMIT ?) AS waiting GROUP BY account_uid
"""  # noqa: S608 - constants
_DELIVERIES = f"""
SELECT account_uid, count(*) FROM (SELECT account_uid FROM channel_outbox
  WHERE {LIVE_DELIVERIES} AND state = 'pending' LIMIT ?) AS waiting GROUP BY account_uid
"""  # noqa: S608 - constants
#: The first entry of the index by which deliveries are claimed, of each of its two parts.
_DUE = """
SELECT min(ready_at) FROM channel_lanes
WHERE kind = 'delivery' AND is_suspect = 0 AND ready_at IS NOT NULL
UNION ALL
SELECT min(ready_at) FROM channel_lanes
WHERE kind = 'delivery' AND is_suspect = 1 AND ready_at IS NOT NULL
"""


class SqlBacklogTable:
    """Port BacklogTable."""

    def __init__(self, reader: Reads, figure: Callable[[str], int]) -> None:
        self._reader = reader
        self._figure = figure

    def figure(self, name: str) -> int:
        """A kept counter."""
        return self._figure(name)

    async def waiting(self, messages_up_to: int, deliveries_up_to: int) -> Waiting:
        """Count at most so many of each; 0 counts none."""
        messages = await self._counted(_MESSAGES, messages_up_to)
        return Waiting(messages, await self._counted(_DELIVERIES, deliveries_up_to))

    async def due_since(self) -> At | None:
        """Since when the delivery that waits longest may be sent, or from when; None where none waits."""
        found = [At(at) for (at,) in await self._reader.rows(_DUE) if at is not None]
        return min(found, default=None)

    async def _counted(self, sql: str, up_to: int) -> dict[str, int]:
        return dict(await self._reader.rows(sql, up_to)) if up_to else {}
