"""Leases of nodes: keep one's own, and take over from whose ran out."""

from typing import TYPE_CHECKING

from wunder.errors import StoreBroken, StoreUnavailable
from wunder.observe.logs import get_logger
from wunder.ports import Clock
from wunder.store.policy import StorePolicy
from wunder.store.postgres.counters import ALL_COUNTERS
from wunder.store.postgres.life import DB_NOW, Life
from wunder.store.postgres.recovery import end_leases, recover
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger(__name__)

_SUSPECTS = "SELECT 1 FROM channel_lanes WHERE is_suspect = 1 AND ready_at IS NOT NULL LIMIT 1"
_PEERS = f"""
SELECT count(*) FROM channel_leases
WHERE name LIKE 'node/%' AND node_id <> ? AND lease_until >= {DB_NOW}
"""  # noqa: S608 - constant; a row a node


class LeaseKeeper:
    """Prolongs this node's lease, and takes over from nodes whose lease ran out."""

    def __init__(self, writer: Writer, life: Life, clock: Clock, policy: StorePolicy) -> None:
        self._writer = writer
        self._life = life
        self._clock = clock
        self._policy = policy
        self.on_taken_over: Callable[[], None] = _nothing
        self.on_suspects: Callable[[], None] = _nothing
        self._left_suspects = False

    async def run(self) -> None:
        """Prolong the lease three times in its length until cancelled; look whether others' have run out."""
        while True:
            try:
                await self.look_after_leases()
            except StoreBroken:
                return
            except StoreUnavailable as error:
                log.warning("lease_not_renewed", reason=error.code)
            await self._clock.sleep(self._policy.lease_s / 3)

    async def look_after_leases(self) -> None:
        """Renew this node's lease and take over from those whose lease ran out."""
        asked_s = self._life.tenure.monotonic()
        await self._writer.commit(self._life.renew)
        self._life.tenure.granted(self._life.epoch, asked_s)
        ended = await self._writer.commit(self._take_over)
        if ended:
            log.warning("nodes_were_taken_over", nodes=ended)
            self.on_taken_over()
            if self._left_suspects:
                self.on_suspects()

    async def _take_over(self, tx: Tx) -> int:
        ended = await end_leases(tx, self._life.lease_name)
        if ended.count:
            found = await recover(tx, self._policy, ended)
            log.info(
                "work_taken_over",
                turns_again=len(found.again),
                poisoned=len(found.poisoned),
                resent=len(found.resent),
                unknown=len(found.unknown),
            )
            await tx.settle_down()
            self._left_suspects = await tx.one(_SUSPECTS) is not None
        peers = await tx.one(_PEERS, (self._life.node_id,))
        self._life.peers = int(peers[0]) if peers else 0
        self._writer.counters.look(await tx.execute(ALL_COUNTERS))
        return ended.count


def _nothing() -> None:
    return
