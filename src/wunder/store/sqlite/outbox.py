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
from wunder.store.readiness import READY, ready_accounts
from wunder.store.sent_first import USED_KEY, delivery_first, message_first, row_first
from wunder.store.sqlite import evidence, lanes, settling
from wunder.store.sqlite.claims import claim_lane
from wunder.store.sqlite.delivery_rows import MARKS
from wunder.store.sqlite.inline import INLINE
from wunder.store.sqlite.message_rows import INSERT_OUTBOUND
from wunder.store.sqlite.reader import Reader
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer


class SqliteOutbox:
    """Room 3's door to the tables (port Outbox)."""

    def __init__(
        self, writer: Writer, reader: Reader, policy: StorePolicy, watch: ClockWatch
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._policy = policy
        self._watch = watch
        self._lookout = Lookout(lambda: writer.counters.value("channel_outbox_pending"))

    async def ready(self, now: At) -> ReadyAccounts:
        """Which accounts have deliveries to claim now, and when to look again."""
        if self._lookout.is_quiet(now):
            return ReadyAccounts({}, None)
        return ready_accounts(await self._reader.rows(READY, now))

    async def claim(self, grants: Sequence[SendGrant], now: At) -> list[ClaimedDelivery]:
        """Mark due heads `sending` with their attempt rows; expired heads end on the way."""
        may_expire = not self._watch.is_frozen
        return await self._writer.commit(
            lambda tx: [one for grant in grants for one in _claim(tx, grant, now, may_expire)]
        )

    async def settle(self, settlements: Sequence[Settlement]) -> list[ClaimedDelivery]:
        """Record outcomes (T4); next parts and next heads, marked."""
        return await self._writer.commit(
            lambda tx: [
                one
                for settlement in settlements
                for one in settling.settle(tx, settlement, self._policy, not self._watch.is_frozen)
            ],
            patience_s=self._policy.settle_within_s,
        )

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


def _claim(tx: Tx, grant: SendGrant, now: At, may_expire: bool) -> list[ClaimedDelivery]:
    claimed: list[ClaimedDelivery] = []
    facts = facts_of(grant)
    # Lanes whose head turns out expired give nothing: look at a few more than were granted.
    for lane_id in lanes.due_deliveries(tx, grant.account_uid, now, grant.limit * 2 + 8):
        if len(claimed) == grant.limit:
            break
        found = claim_lane(tx, lane_id, facts, now, may_expire)
        if found is not None:
            claimed.append(found)
    return claimed


def _enqueue(tx: Tx, send: NewSend) -> tuple[DeliveryId, bool]:
    message = message_first(send)
    conversation = message.conversation
    used = tx.one(USED_KEY, (send.account_uid, send.idempotency_key))
    if used is not None:
        return DeliveryId(used[0]), False
    tx.put(INSERT_OUTBOUND, row_first(send, message))
    tx.counts["channel_messages_out"] += 1
    place = lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, send.at, is_claimed=False)
    new = delivery_first(send, message, place)
    MARKS.insert(tx, new, None, 0)
    return new.delivery_id, True
