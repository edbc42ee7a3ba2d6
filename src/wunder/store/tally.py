"""`tallies`: messages are read behind where counting came to, and added by account, binding and hour."""

from collections.abc import Mapping

from wunder.model.ids import At
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works
from wunder.upkeep.tally import HOUR_MS, Tally

#: Where nodes write side by side, a smaller number may be committed after a larger one: what was stored
#: longer ago than a transaction may live is settled (`database_stall_s` ends it after 5 s).
SETTLED_MS = 6_000
#: So many of the latest troubled deliveries of a state are looked at for a list.
_TROUBLED = 2_000

_COUNTED_TO = "SELECT counted_to FROM tallies WHERE subject = '' AND hour = 0"
_NEWEST = "SELECT coalesce(max(seq), 0) FROM channel_messages"
_NEXT = """
SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM channel_messages
  WHERE seq > ?1 ORDER BY seq LIMIT ?2) AS following
"""
_NEXT_SETTLED = """
SELECT coalesce(max(seq), 0) FROM (SELECT seq, created_at FROM channel_messages
  WHERE seq > ?1 ORDER BY seq LIMIT ?2) AS following WHERE created_at <= ?3
"""
_GROUPS = f"""
SELECT account_uid, coalesce(binding_id, ''), direction, created_at / {HOUR_MS}, count(*),
  count(DISTINCT turn_id), max(created_at)
FROM channel_messages WHERE seq > ? AND seq <= ? GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - a constant
_ADD = """
INSERT INTO tallies (subject, hour, received, sent, last_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (subject, hour) DO UPDATE SET received = tallies.received + excluded.received,
  sent = tallies.sent + excluded.sent,
  last_at = CASE WHEN excluded.last_at > tallies.last_at THEN excluded.last_at ELSE tallies.last_at END
"""
_CAME_TO = "UPDATE tallies SET counted_to = ? WHERE subject = '' AND hour = 0"
_FORGET = "DELETE FROM tallies WHERE hour > 0 AND hour < ?"
_LIST = """
SELECT subject, CAST(sum(CASE WHEN hour >= ?1 THEN received ELSE 0 END) AS BIGINT),
  CAST(sum(CASE WHEN hour >= ?1 THEN sent ELSE 0 END) AS BIGINT), max(last_at)
FROM tallies WHERE subject <> '' GROUP BY subject
"""
_LATEST_FAILED = " UNION ALL ".join(
    "SELECT * FROM (SELECT account_uid, coalesce(settled_at, created_at) AS at FROM channel_outbox"  # noqa: S608 - constants
    f" WHERE state = '{state}' ORDER BY seq DESC LIMIT {_TROUBLED}) AS {state}_ones"
    for state in ("failed", "unknown", "expired")
)
_FAILED = f"""
SELECT account_uid, count(*) FROM ({_LATEST_FAILED}) AS troubled WHERE at >= ? GROUP BY account_uid
"""  # noqa: S608 - constants

_Sums = dict[tuple[str, int], tuple[int, int, int]]


class SqlTallyTable:
    """Port TallyTable. `is_alone`: one writer gives numbers, in the order in which they are committed."""

    def __init__(self, writer: Works, reader: Reads, *, is_alone: bool) -> None:
        self._writer = writer
        self._reader = reader
        self._is_alone = is_alone

    async def count_on(self, now: At, limit: int) -> int:
        """Count the next messages that nobody counted yet."""
        found = await self._reader.rows(_COUNTED_TO)
        counted_to = found[0][0] if found else 0
        [(newest,)] = await self._reader.rows(_NEWEST)
        if newest <= counted_to:
            if newest < counted_to:  # the newest are gone: their numbers will be given again
                await self._came(counted_to, newest, {})
            return 0
        top = await self._settled_to(counted_to, now, limit)
        if top <= counted_to:
            return 0
        sums: _Sums = {}
        total = 0
        for row in await self._reader.rows(_GROUPS, counted_to, top):
            total += row[4]
            _add_group(sums, row)
        return total if await self._came(counted_to, top, sums) else 0

    async def forget(self, before_hour: int) -> None:
        """Remove hours that nobody asks for any more."""

        async def unit(tx: Transaction) -> None:
            await tx.run(_FORGET, (before_hour,))

        await self._writer.work(unit)

    async def tallies(self, since_hour: int) -> Mapping[str, Tally]:
        """Every account and binding that ever had a message."""
        failed = dict(await self._reader.rows(_FAILED, since_hour * HOUR_MS))
        return {
            subject: Tally(subject, received, sent, failed.get(subject, 0), At(last_at))
            for subject, received, sent, last_at in await self._reader.rows(_LIST, since_hour)
        }

    async def _settled_to(self, counted_to: int, now: At, limit: int) -> int:
        """Return the number up to which no more messages will appear, at most `limit` further."""
        if self._is_alone:
            rows = await self._reader.rows(_NEXT, counted_to, limit)
        else:
            rows = await self._reader.rows(_NEXT_SETTLED, counted_to, limit, now - SETTLED_MS)
        top: int = rows[0][0]
        return top

    async def _came(self, seen: int, top: int, sums: _Sums) -> bool:
        """Add what was counted, unless somebody else has: False."""

        async def unit(tx: Transaction) -> bool:
            await tx.alone("tallies")
            row = await tx.first(_COUNTED_TO + tx.for_update)
            if (row[0] if row else 0) != seen:
                return False
            for (subject, hour), (received, sent, last_at) in sums.items():
                await tx.run(_ADD, (subject, hour, received, sent, last_at))
            await tx.run(_CAME_TO, (top,))
            return True

        return await self._writer.work(unit)


def _add_group(sums: _Sums, row: tuple[str, str, str, int, int, int, int]) -> None:
    """Add what one group says of the gateway, its account and its binding; this hour's and in all."""
    account_uid, binding_id, direction, hour, count, turns, last_at = row
    is_in = direction == "in"
    received, sent = (count, 0) if is_in else (0, count)
    said = [("", received, sent), (account_uid, received, sent)]
    if binding_id and not is_in:
        # An inbound message learns of its binding later than it is counted; its reply is born with it.
        said.append((binding_id, turns, sent))
    for subject, more_received, more_sent in said:
        for place in ((subject, hour), (subject, 0)):
            old = sums.get(place, (0, 0, 0))
            sums[place] = (old[0] + more_received, old[1] + more_sent, max(old[2], last_at))
