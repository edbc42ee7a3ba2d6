"""Claims on the delivery lanes (T3) and messages sent first; settling is next door."""

from collections.abc import Sequence

from wunder.model.conversation import LaneKind
from wunder.model.delivery import (
    ClaimedDelivery,
    Evidence,
    InlineStanding,
    SendGrant,
    Settlement,
)
from wunder.model.ids import (
    At,
    DeliveryId,
    MessageId,
)
from wunder.model.turn import NewSend
from wunder.ports import ReadyAccounts
from wunder.store.clock_watch import ClockWatch
from wunder.store.delivery_rows import facts_of
from wunder.store.lookout import Lookout
from wunder.store.policy import StorePolicy
from wunder.store.postgres import evidence, lanes, settling
from wunder.store.postgres.claims import claim_lanes
from wunder.store.postgres.delivery_rows import MARKS
from wunder.store.postgres.inline import INLINE
from wunder.store.postgres.lane_book import lane_key
from wunder.store.postgres.message_rows import INSERT_OUTBOUND
from wunder.store.postgres.reader import Reader
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer
from wunder.store.readiness import READY, ready_accounts
from wunder.store.sent_first import USED_KEY, delivery_first, message_first, row_first


class PostgresOutbox:
    """Room 3's door to the tables (port Outbox)."""

    def __init__(
        self, writer: Writer, reader: Reader, policy: StorePolicy, watch: ClockWatch
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._policy = policy
        self._watch = watch
        self._lookout = Lookout(lambda: writer.waiting("channel_outbox_pending"))

    async def ready(self, now: At) -> ReadyAccounts:
        """Which accounts have deliveries to claim now, and when to look again."""
        if self._lookout.is_quiet(now):
            return ReadyAccounts({}, None)
        return ready_accounts(await self._reader.rows(READY, now))

    async def claim(self, grants: Sequence[SendGrant], now: At) -> list[ClaimedDelivery]:
        """Mark due heads `sending` with their attempt rows; expired heads end on the way."""
        may_expire = not self._watch.is_frozen

        async def unit(tx: Tx) -> list[ClaimedDelivery]:
            claimed: list[ClaimedDelivery] = []
            for grant in grants:
                claimed += await _claim(tx, grant, now, may_expire)
            return claimed

        return await self._writer.commit(unit)

    async def settle(self, settlements: Sequence[Settlement]) -> list[ClaimedDelivery]:
        """Record outcomes (T4); next parts and next heads, marked."""
        may_expire = not self._watch.is_frozen

        async def unit(tx: Tx) -> list[ClaimedDelivery]:
            claimed: list[ClaimedDelivery] = []
            for number, done in enumerate(settlements):
                if number:
                    await tx.settle_down()
                claimed += await settling.settle(tx, done, self._policy, may_expire)
            return claimed

        keys = [
            lane_key(LaneKind.DELIVERY, done.delivery.message.conversation) for done in settlements
        ]
        return await self._writer.commit(unit, lanes=keys, patience_s=self._policy.settle_within_s)

    async def claim_inline(
        self, message_id: MessageId, grant: SendGrant, now: At
    ) -> ClaimedDelivery | InlineStanding:
        """Mark the reply to a message `sending` for the webhook that holds it, before its time."""
        return await self._writer.work(lambda tx: INLINE.claim(tx, message_id, grant, now))

    async def confirm(self, evidence_: Evidence) -> bool:
        """Settle to `sent` by a late success; False when the attempt is not known."""
        return await self._writer.commit(lambda tx: evidence.confirm(tx, evidence_, self._policy))

    async def enqueue(self, send: NewSend) -> tuple[DeliveryId, bool]:
        """Queue a message sent first; (id, False) when its key was used before."""
        return await self._writer.commit(lambda tx: _enqueue(tx, send), is_intake=True)


async def _claim(tx: Tx, grant: SendGrant, now: At, may_expire: bool) -> list[ClaimedDelivery]:
    # Lanes whose head turns out expired give nothing: look at a few more than were granted.
    looked_at = grant.limit * 2 + 8 if may_expire else grant.limit
    due = await lanes.due_deliveries(tx, grant.account_uid, now, looked_at)
    return await claim_lanes(
        tx, due, facts_of(grant), now, may_expire=may_expire, limit=grant.limit
    )


async def _enqueue(tx: Tx, send: NewSend) -> tuple[DeliveryId, bool]:
    message = message_first(send)
    conversation = message.conversation
    await tx.lanes.of(LaneKind.DELIVERY, conversation)
    used = await tx.one(USED_KEY, (send.account_uid, send.idempotency_key))
    if used is not None:
        return DeliveryId(used[0]), False
    tx.put(INSERT_OUTBOUND, row_first(send, message))
    tx.counts["channel_messages_out"] += 1
    place = await lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, send.at, is_claimed=False)
    new = delivery_first(send, message, place)
    MARKS.insert(tx, new, None, 0)
    return new.delivery_id, True
