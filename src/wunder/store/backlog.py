"""What waits, by account: counted rarely, up to a bound, beside the traffic."""

from collections.abc import Callable

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

    async def _counted(self, sql: str, up_to: int) -> dict[str, int]:
        return dict(await self._reader.rows(sql, up_to)) if up_to else {}
