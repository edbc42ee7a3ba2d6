"""What the store does by itself: end what is too old, in steps so small that no message waits."""

from wunder.errors import StoreBroken, StoreUnavailable
from wunder.model.ids import DeliveryId
from wunder.observe.logs import get_logger
from wunder.ports import Clock
from wunder.store.clock_watch import ClockWatch
from wunder.store.disk import Disk
from wunder.store.events import SqlEventLog
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.claims import expire
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer
from wunder.store.waiting import nothing_waits_for_long

log = get_logger(__name__)

_EXPIRED = (
    "SELECT delivery_id FROM channel_outbox WHERE state = 'pending' AND expires_at <= ? LIMIT ?"
)
_OLD_KEYS = """
DELETE FROM channel_dedupe WHERE dedupe_key IN (
  SELECT dedupe_key FROM channel_dedupe WHERE keep_until <= ? ORDER BY keep_until LIMIT ?)
"""
_OLD_RECEIPTS = """
DELETE FROM channel_receipts WHERE (account_uid, provider_message_id, status) IN (
  SELECT account_uid, provider_message_id, status FROM channel_receipts WHERE keep_until <= ?
  ORDER BY keep_until LIMIT ?)
"""
_OLD_EVENTS = """
DELETE FROM channel_events WHERE event_id IN (
  SELECT event_id FROM channel_events WHERE event_id <= (SELECT max(event_id) FROM channel_events) - ?
  ORDER BY event_id LIMIT ?)
"""


class Housekeeping:
    """The store's own long-lived part."""

    def __init__(
        self,
        writer: Writer,
        events: SqlEventLog,
        disk: Disk,
        watch: ClockWatch,
        clock: Clock,
        policy: StorePolicy,
    ) -> None:
        self._writer = writer
        self._events = events
        self._disk = disk
        self._watch = watch
        self._clock = clock
        self._policy = policy

    async def run(self) -> None:
        """Keep house until cancelled."""
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
        for unit in (self._expire, self._forget_keys, self._forget_receipts, self._forget_events):
            while True:
                done = await self._writer.commit(unit)
                total += done
                if done < self._policy.housekeeping_rows:
                    break
        await self._events.flush()
        # On the writer's thread, like every use of the ballast.
        await self._writer.commit(lambda _tx: self._disk.restore_ballast())
        return total

    def _expire(self, tx: Tx) -> int:
        if self._watch.is_frozen:
            return 0
        rows = tx.execute(_EXPIRED, (tx.now, self._policy.housekeeping_rows)).fetchall()
        return sum(expire(tx, DeliveryId(row[0]), tx.now) for row in rows)

    def _forget_keys(self, tx: Tx) -> int:
        if self._watch.is_frozen:
            return 0
        gone = tx.execute(_OLD_KEYS, (tx.now, self._policy.housekeeping_rows)).rowcount
        tx.counts["channel_dedupe"] -= gone
        return gone

    def _forget_receipts(self, tx: Tx) -> int:
        gone = tx.execute(_OLD_RECEIPTS, (tx.now, self._policy.housekeeping_rows)).rowcount
        tx.counts["channel_receipts"] -= gone
        return gone

    def _forget_events(self, tx: Tx) -> int:
        kept, rows = self._policy.events_kept, self._policy.housekeeping_rows
        gone = tx.execute(_OLD_EVENTS, (kept, rows)).rowcount
        tx.counts["channel_events"] -= gone
        return gone
