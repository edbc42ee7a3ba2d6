"""What the store does by itself: keep its lease, take over the dead, end what is too old in small steps."""

import asyncio
from typing import TYPE_CHECKING

from wunder.errors import StoreBroken, StoreUnavailable
from wunder.model.ids import DeliveryId
from wunder.observe.logs import get_logger
from wunder.ports import Clock
from wunder.store.clock_watch import ClockWatch
from wunder.store.events import SqlEventLog
from wunder.store.policy import StorePolicy
from wunder.store.postgres import receipts
from wunder.store.postgres.claims import expire
from wunder.store.postgres.counters import ALL_COUNTERS
from wunder.store.postgres.life import DB_NOW, Life
from wunder.store.postgres.recovery import end_leases, recover
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer
from wunder.store.waiting import nothing_waits_for_long

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger(__name__)

_EXPIRED = (
    "SELECT delivery_id FROM channel_outbox WHERE state = 'pending' AND expires_at <= ? LIMIT ?"
)
_OLD_KEYS = """
DELETE FROM channel_dedupe WHERE dedupe_key IN (
  SELECT dedupe_key FROM channel_dedupe WHERE keep_until <= ? ORDER BY keep_until LIMIT ?
  FOR UPDATE SKIP LOCKED)
"""
_OLD_RECEIPTS = """
DELETE FROM channel_receipts WHERE (account_uid, provider_message_id, status) IN (
  SELECT account_uid, provider_message_id, status FROM channel_receipts WHERE keep_until <= ?
  ORDER BY keep_until LIMIT ? FOR UPDATE SKIP LOCKED)
"""
_OLD_EVENTS = """
DELETE FROM channel_events WHERE event_id IN (
  SELECT event_id FROM channel_events WHERE event_id <= (SELECT max(event_id) FROM channel_events) - ?
  ORDER BY event_id LIMIT ? FOR UPDATE SKIP LOCKED)
"""
_SUSPECTS = "SELECT 1 FROM channel_lanes WHERE is_suspect = 1 AND ready_at IS NOT NULL LIMIT 1"
_PEERS = f"""
SELECT count(*) FROM channel_leases
WHERE name LIKE 'node/%' AND node_id <> ? AND lease_until >= {DB_NOW}
"""  # noqa: S608 - constant; a row a node


class Housekeeping:
    """The store's own long-lived part."""

    def __init__(
        self,
        writer: Writer,
        events: SqlEventLog,
        life: Life,
        watch: ClockWatch,
        clock: Clock,
        policy: StorePolicy,
    ) -> None:
        self._writer = writer
        self._events = events
        self._life = life
        self._watch = watch
        self._clock = clock
        self._policy = policy
        self.on_taken_over: Callable[[], None] = _nothing
        self.on_suspects: Callable[[], None] = _nothing
        self._left_suspects = False

    async def run(self) -> None:
        """Keep house until cancelled."""
        async with asyncio.TaskGroup() as tg:
            tg.create_task(self._keep_lease(), name="store lease")
            tg.create_task(self._sweep_now_and_then(), name="store sweep")

    async def _keep_lease(self) -> None:
        """Prolong the lease three times in its length; look whether others' have run out."""
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

    async def _sweep_now_and_then(self) -> None:
        while True:
            await self._clock.sleep(self._policy.housekeeping_every_s)
            try:
                await self.sweep()
            except StoreBroken:
                # Said by `on_fatal`; the process is about to end.
                return
            except StoreUnavailable as error:
                log.warning("housekeeping_postponed", reason=error.code)

    async def sweep(self) -> int:
        """One round; how many rows ended or went."""
        step_ms = self._watch.take_step_ms()
        if step_ms:
            log.warning("wall_clock_stepped", step_ms=step_ms)
        if step_ms < 0:
            await self._writer.work(nothing_waits_for_long(self._policy))
        total = 0
        for unit in (
            self._expire,
            self._join_receipts,
            self._forget_keys,
            self._forget_receipts,
            self._forget_events,
        ):
            while True:
                done = await self._writer.commit(unit)
                total += done
                if done < self._policy.housekeeping_rows:
                    break
        await self._events.flush()
        return total

    async def _expire(self, tx: Tx) -> int:
        if self._watch.is_frozen:
            return 0
        rows = await tx.execute(_EXPIRED, (tx.now, self._policy.housekeeping_rows))
        return sum([await expire(tx, DeliveryId(row[0]), tx.now) for row in rows])

    async def _join_receipts(self, tx: Tx) -> int:
        if not tx.figure("channel_receipts"):
            return 0
        return await receipts.join_missed(tx, self._policy.housekeeping_rows)

    async def _forget_keys(self, tx: Tx) -> int:
        if self._watch.is_frozen:
            return 0
        gone = (await tx.execute(_OLD_KEYS, (tx.now, self._policy.housekeeping_rows))).rowcount
        tx.counts["channel_dedupe"] -= gone
        return gone

    async def _forget_receipts(self, tx: Tx) -> int:
        values = (tx.now, self._policy.housekeeping_rows)
        gone = (await tx.execute(_OLD_RECEIPTS, values)).rowcount
        tx.counts["channel_receipts"] -= gone
        return gone

    async def _forget_events(self, tx: Tx) -> int:
        values = (self._policy.events_kept, self._policy.housekeeping_rows)
        gone = (await tx.execute(_OLD_EVENTS, values)).rowcount
        tx.counts["channel_events"] -= gone
        return gone


def _nothing() -> None:
    return
