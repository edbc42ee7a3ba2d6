"""Rounds of ending what is too old, in steps so small that no message waits."""

from collections.abc import Sequence

from wunder.errors import StoreBroken, StoreUnavailable
from wunder.model.ids import DeliveryId
from wunder.observe.logs import get_logger
from wunder.ports import Clock
from wunder.store.clock_watch import ClockWatch
from wunder.store.events import SqlEventLog
from wunder.store.expiry import expire
from wunder.store.held import Lanes
from wunder.store.policy import StorePolicy
from wunder.store.unit import Transaction, Unit, Works
from wunder.store.waiting import nothing_waits_for_long

log = get_logger(__name__)

_EXPIRED = (
    "SELECT delivery_id FROM channel_outbox WHERE state = 'pending' AND expires_at <= ? LIMIT ?"
)
_OLD_KEYS = (
    "SELECT dedupe_key FROM channel_dedupe WHERE keep_until <= ? ORDER BY keep_until LIMIT ?"
)
_OLD_RECEIPTS = """
SELECT account_uid, provider_message_id, status FROM channel_receipts WHERE keep_until <= ?
ORDER BY keep_until LIMIT ?
"""
_OLD_EVENTS = """
SELECT event_id FROM channel_events WHERE event_id <= (SELECT max(event_id) FROM channel_events) - ?
ORDER BY event_id LIMIT ?
"""


class Sweep:
    """Runs steps, each again for as long as it finds a full share of rows."""

    def __init__(
        self,
        writer: Works,
        events: SqlEventLog,
        watch: ClockWatch,
        clock: Clock,
        policy: StorePolicy,
        steps: Sequence[Unit[int]],
    ) -> None:
        self._writer = writer
        self._events = events
        self._watch = watch
        self._clock = clock
        self._policy = policy
        self._steps = steps
        self._was_set_back = False  # and what waits was not looked at since

    async def run(self) -> None:
        """Sweep now and then until cancelled."""
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
        self._was_set_back = self._was_set_back or step_ms < 0
        if self._was_set_back:
            await self._writer.work(nothing_waits_for_long(self._policy))
            self._was_set_back = False
        total = 0
        for step in self._steps:
            while True:
                done = await self._writer.work(step)
                total += done
                if done < self._policy.housekeeping_rows:
                    break
        await self._events.flush()
        return total


def steps_of(lanes: Lanes, watch: ClockWatch, policy: StorePolicy) -> tuple[Unit[int], ...]:
    """End deliveries whose time is over; forget keys, receipts and events that are old enough."""

    async def expire_deliveries(tx: Transaction) -> int:
        if watch.is_frozen:
            return 0
        rows = await tx.run(_EXPIRED, (tx.now, policy.housekeeping_rows))
        return sum([await expire(lanes, tx, DeliveryId(row[0]), tx.now) for row in rows])

    async def forget_keys(tx: Transaction) -> int:
        if watch.is_frozen:
            return 0
        old = (tx.now, policy.housekeeping_rows)
        return await _forget(tx, "channel_dedupe", "dedupe_key", _OLD_KEYS, old)

    async def forget_receipts(tx: Transaction) -> int:
        key, old = "account_uid, provider_message_id, status", (tx.now, policy.housekeeping_rows)
        return await _forget(tx, "channel_receipts", key, _OLD_RECEIPTS, old)

    async def forget_events(tx: Transaction) -> int:
        old = (policy.events_kept, policy.housekeeping_rows)
        return await _forget(tx, "channel_events", "event_id", _OLD_EVENTS, old)

    return expire_deliveries, forget_keys, forget_receipts, forget_events


async def _forget(tx: Transaction, table: str, key: str, sql: str, old: tuple[int, int]) -> int:
    # What another node is at is its to forget.
    gone = await tx.run(f"DELETE FROM {table} WHERE ({key}) IN ({sql}{tx.skip_locked})", old)  # noqa: S608 - constants
    tx.counts[table] -= gone.rowcount
    return gone.rowcount
