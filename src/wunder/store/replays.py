"""What a replay of many deliveries asks of the outbox: counts by group, the next ones, one step."""

from collections.abc import Sequence
from typing import Any

from wunder.model.delivery import DeliveryState
from wunder.model.ids import At, DeliveryId
from wunder.store.desk import Replay
from wunder.store.filters import delivery_where
from wunder.store.held import Lanes
from wunder.store.jobs import SqlJobTable
from wunder.store.reads import Reads
from wunder.store.states import REPLAYABLE, REPLAYABLE_BY_FORCE
from wunder.store.unit import Transaction, Works
from wunder.upkeep.jobs import ClaimedJob
from wunder.upkeep.ledger import DeliveryFilter
from wunder.upkeep.replay import Found, Preview, ReplayFilter, ReplayGroup

_NEWEST = "SELECT coalesce(max(seq), 0) FROM channel_outbox"
_GROUP = "channel, account_id, plugin_id, error_kind"
#: What went out in another's words must not go out in its own as well.
_NOT_CORRECTED = "successor_id = ''"
_STATE_OF = f"""
SELECT channel, account_id, plugin_id, state, error_kind FROM channel_outbox
WHERE delivery_id = ? AND {_NOT_CORRECTED}
"""  # noqa: S608 - constant


class SqlReplayTable:
    """Port ReplayTable."""

    def __init__(self, writer: Works, reader: Reads, jobs: SqlJobTable, lanes: Lanes) -> None:
        self._writer = writer
        self._reader = reader
        self._jobs = jobs
        self._lanes = lanes

    async def preview(self, where: ReplayFilter) -> tuple[Preview, int]:
        """Count what matches; read by index, for one administrator, beside the traffic."""
        newest = (await self._reader.rows(_NEWEST))[0][0]
        groups: list[ReplayGroup] = []
        for state in where.states:
            condition, values = _condition(where, state)
            sql = (
                f"SELECT {_GROUP}, count(*) FROM channel_outbox WHERE {condition}"  # noqa: S608 - made of constants
                f" GROUP BY {_GROUP} ORDER BY {_GROUP}"
            )
            for channel, account_id, plugin_id, kind, count in await self._reader.rows(
                sql, *values
            ):
                groups.append(ReplayGroup(channel, account_id, plugin_id, state, kind, count))
        return Preview(sum(group.count for group in groups), tuple(groups)), newest

    async def preview_ids(self, ids: Sequence[str], *, is_forced: bool = False) -> Preview:
        """Count those of them that may go out again; forced, also those that arrived."""
        states = REPLAYABLE_BY_FORCE if is_forced else REPLAYABLE
        counts: dict[tuple[Any, ...], int] = {}
        for one in dict.fromkeys(ids):
            for row in await self._reader.rows(_STATE_OF, one):
                if row[3] in states:
                    counts[row] = counts.get(row, 0) + 1
        groups = tuple(
            ReplayGroup(channel, account_id, plugin_id, DeliveryState(state), kind, count)
            for (channel, account_id, plugin_id, state, kind), count in counts.items()
        )
        return Preview(sum(counts.values()), groups)

    async def batch(self, where: ReplayFilter, after: int, up_to: int, limit: int) -> list[Found]:
        """The next that match, oldest first: of each state by its index, then merged."""
        found: list[Found] = []
        for state in where.states:
            condition, values = _condition(where, state)
            sql = (
                "SELECT seq, delivery_id FROM channel_outbox"  # noqa: S608 - made of constants
                f" WHERE {condition} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
            )
            rows = await self._reader.rows(sql, *values, after, up_to, limit)
            found += [Found(seq, DeliveryId(delivery_id)) for seq, delivery_id in rows]
        return sorted(found, key=lambda one: one.cursor)[:limit]

    async def step(
        self, job: ClaimedJob, found: Sequence[Found], cursor: int, lease_s: float
    ) -> bool:
        """Replay some and note how far the job came; False: it is not ours any more."""
        replay = Replay(self._lanes, is_forced=bool(job.spec.get("is_forced")))

        async def unit(tx: Transaction) -> bool:
            if not await self._jobs.is_held(tx, job):
                return False
            done = 0
            for one in found:
                done += await replay(tx, one.delivery_id, At(tx.now), job.created_by)
            skipped = len(found) - done
            await self._jobs.advance(tx, job, cursor, done, skipped, lease_s)
            return True

        return await self._writer.work(unit)


def _condition(where: ReplayFilter, state: DeliveryState) -> tuple[str, tuple[Any, ...]]:
    """The condition for one state; times are those at which deliveries ended."""
    place = DeliveryFilter(
        (state,), where.channel, where.account_id, where.peer_id, error_kind=where.error_kind
    )
    condition, values = delivery_where(place)
    condition += f" AND {_NOT_CORRECTED}"
    given = list(values)
    for word, moment in ((">=", where.since), ("<", where.until)):
        if moment is not None:
            condition += f" AND coalesce(settled_at, created_at) {word} ?"
            given.append(moment)
    return condition, tuple(given)
