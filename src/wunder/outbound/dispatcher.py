"""Room 3: takes due deliveries, one at a time a conversation, and gets them to the platform."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from wunder.errors import StoreUnavailable
from wunder.model.delivery import ClaimedDelivery, DeliveryState, ReleaseRef, SendGrant, Settlement
from wunder.model.ids import AccountUid, At
from wunder.observe.logs import get_logger
from wunder.observe.outage import Outage
from wunder.outbound.attempt import Attempt
from wunder.outbound.outcome import OutcomeReporter
from wunder.outbound.slots import Slots
from wunder.ports import Clock, Outbox, WakeUp

if TYPE_CHECKING:
    from asyncio import TaskGroup

log = get_logger(__name__)


class DispatcherPolicy(msgspec.Struct, frozen=True):
    """How often to look without being woken, and how long to wait for a store that is away."""

    poll_s: float = 1.0
    store_retry_s: float = 0.5
    claim_at_once: int = 16  # deliveries of one account claimed in one transaction


class Dispatcher:
    """Claims, sends and settles. Also room 3's free hands (port SendSlots).

    A slot taken for a delivery is kept for the whole chain: attempt, next part, next of its lane.
    """

    def __init__(
        self,
        outbox: Outbox,
        attempt: Attempt,
        slots: Slots,
        reporter: OutcomeReporter,
        clock: Clock,
        policy: DispatcherPolicy,
    ) -> None:
        self._outbox = outbox
        self._attempt = attempt
        self._slots = slots
        self._reporter = reporter
        self._clock = clock
        self._policy = policy
        self._wake = WakeUp()
        self._outage = Outage(log, "outbox")
        self._tasks: TaskGroup | None = None
        self._is_draining = False

    # --- port SendSlots: what room 2 may use to have a delivery born `sending` -----------------

    def reserve(self, account_uid: AccountUid) -> SendGrant | None:
        """Reserve one slot; None when this account cannot send right now, or others wait for it."""
        if self._tasks is None or self._is_draining or self._slots.are_awaited(account_uid):
            return None
        return self._slots.take(account_uid)

    def release(self, grant: SendGrant) -> None:
        """Give a reserved slot back unused."""
        self._slots.put_back(grant.account_uid, grant.release, grant.limit)

    def give(self, delivery: ClaimedDelivery) -> None:
        """Carry a delivery that was marked under a reserved slot."""
        if self._tasks is not None:
            self._tasks.create_task(self._carry(delivery), name=f"delivery {delivery.delivery_id}")

    def wake(self, account_uid: AccountUid | None = None) -> None:
        """Say that deliveries wait."""
        self._wake.set()

    # --- the room's own work -------------------------------------------------------------------

    async def run(self) -> None:
        """Claim whatever is due until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                pause_s = self._policy.poll_s
                with self._outage:
                    pause_s = await self._claim_due()
                await self._wake.pause(pause_s)

    async def drain(self, limit_s: float) -> None:
        """Take nothing new and wait for what is under way, at most `limit_s` seconds."""
        self._is_draining = True
        ends_at = self._clock.monotonic() + limit_s
        while self._slots.in_flight and self._clock.monotonic() < ends_at:
            await self._clock.sleep(0.02)

    async def _claim_due(self) -> float:
        """Claim for every account that has both work and slots; seconds until the next look."""
        if self._is_draining:
            return self._policy.poll_s
        now = self._clock.now()
        ready = await self._outbox.ready(now)
        grants = self._slots.deal(ready.accounts, self._policy.claim_at_once)
        if grants:
            await self._claim(grants, now)
        pauses = [at - now for at in (ready.next_at, self._slots.opens_at()) if at is not None]
        return min(self._policy.poll_s, max(0.005, min(pauses, default=1_000_000) / 1000))

    async def _claim(self, grants: Sequence[SendGrant], now: At) -> None:
        claimed: list[ClaimedDelivery] = []
        try:
            claimed = await self._outbox.claim(grants, now)
        finally:
            unused = {(grant.account_uid, grant.release): grant.limit for grant in grants}
            for delivery in claimed:
                unused[delivery.message.conversation.account_uid, delivery.release] -= 1
            for (account_uid, release), count in unused.items():
                self._slots.put_back(account_uid, release, count)
        for delivery in claimed:
            self.give(delivery)
        if claimed:
            self._wake.set()  # there may be more than one claim takes

    async def _carry(self, delivery: ClaimedDelivery) -> None:
        account_uid = delivery.message.conversation.account_uid
        release = delivery.release
        following: ClaimedDelivery | None = delivery
        try:
            while following is not None:
                settlement, fault = await self._attempt.make(following)
                self._reporter.report(settlement, fault)
                following = await self._settle(settlement, release)
                if following is not None:
                    self._slots.spend(account_uid)
        finally:
            self._slots.finish(account_uid, release)
            self._wake.set()

    async def _settle(self, settlement: Settlement, release: ReleaseRef) -> ClaimedDelivery | None:
        """Commit an outcome, however long the store takes: it is the only record of what happened."""
        account_uid = settlement.delivery.message.conversation.account_uid
        takes_next = (
            settlement.state is DeliveryState.SENT
            and not self._is_draining
            and self._slots.may_go_on(account_uid, release)
        )
        settlement = msgspec.structs.replace(settlement, take_next=takes_next)
        while True:
            try:
                marked = await self._outbox.settle([settlement])
            except StoreUnavailable as error:
                log.warning(
                    "outcome_not_stored_yet",
                    delivery_id=settlement.delivery.delivery_id,
                    reason=error.code,
                )
                await self._clock.sleep(self._policy.store_retry_s)
                continue
            return marked[0] if marked else None
