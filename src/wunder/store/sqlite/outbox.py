"""Claims on the delivery lanes (T3) and messages sent first; settling is next door."""

import sqlite3
from collections.abc import Sequence
from operator import itemgetter

from wunder.model.conversation import Conversation, LaneKind
from wunder.model.delivery import (
    ClaimedDelivery,
    Evidence,
    InlineStanding,
    SendGrant,
    Settlement,
)
from wunder.model.ids import (
    AccountId,
    AccountUid,
    At,
    ChannelId,
    DeliveryId,
    MessageId,
    derived_id,
)
from wunder.model.message import OutboundMessage
from wunder.model.turn import NewSend
from wunder.ports import ReadyAccounts
from wunder.store.clean import clean_text
from wunder.store.clock_watch import ClockWatch
from wunder.store.delivery_rows import NewDelivery, facts_of
from wunder.store.lookout import Lookout
from wunder.store.message_rows import outbound_row
from wunder.store.policy import StorePolicy
from wunder.store.sqlite import evidence, inline, lanes, settling
from wunder.store.sqlite.claims import claim_lane
from wunder.store.sqlite.delivery_rows import insert
from wunder.store.sqlite.message_rows import INSERT_OUTBOUND
from wunder.store.sqlite.reader import Reader
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer

#: A loose scan of the index: one step an account that has heads waiting, whatever their number. Of
#: those that are due so many are told that nobody reserves slots for more.
_HEADS_TOLD = 16
_READY = f"""
WITH RECURSIVE waiting (account_uid) AS (
  SELECT min(account_uid) FROM channel_lanes WHERE kind = 'delivery' AND ready_at IS NOT NULL
  UNION ALL
  SELECT (SELECT min(account_uid) FROM channel_lanes
          WHERE kind = 'delivery' AND ready_at IS NOT NULL AND account_uid > waiting.account_uid)
  FROM waiting WHERE waiting.account_uid IS NOT NULL
)
SELECT account_uid, (SELECT min(ready_at) FROM channel_lanes WHERE kind = 'delivery'
  AND account_uid = waiting.account_uid AND ready_at IS NOT NULL),
  (SELECT count(*) FROM (SELECT 1 FROM channel_lanes WHERE kind = 'delivery'
    AND account_uid = waiting.account_uid AND ready_at <= ? LIMIT {_HEADS_TOLD}) due)
FROM waiting WHERE account_uid IS NOT NULL
"""  # noqa: S608 - constant
_USED_KEY = """
SELECT delivery_id FROM channel_outbox
WHERE account_uid = ? AND idempotency_key = ? AND idempotency_key <> ''
"""


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
        return await self._reader.read(lambda conn: _ready(conn, now))

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
        return await self._writer.commit(lambda tx: inline.claim(tx, message_id, grant, now))

    async def confirm(self, evidence_: Evidence) -> bool:
        """Settle to `sent` by a late success; False when the attempt is not known."""
        return await self._writer.commit(lambda tx: evidence.confirm(tx, evidence_, self._policy))

    async def enqueue(self, send: NewSend) -> tuple[DeliveryId, bool]:
        """Queue a message sent first; (id, False) when its key was used before."""
        return await self._writer.commit(lambda tx: _enqueue(tx, send), is_intake=True)


def _ready(conn: sqlite3.Connection, now: At) -> ReadyAccounts:
    due: dict[AccountUid, int] = {}
    later: list[At] = []
    for account_uid, at, heads in sorted(conn.execute(_READY, (now,)), key=itemgetter(1)):
        if at <= now:
            due[account_uid] = heads
        else:
            later.append(at)
    return ReadyAccounts(due, min(later, default=None))


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
    used = tx.one(_USED_KEY, (send.account_uid, send.idempotency_key))
    if used is not None:
        return DeliveryId(used[0]), False
    conversation = Conversation(
        AccountUid(send.account_uid),
        clean_text(send.peer_kind),
        clean_text(send.peer_id),
        clean_text(send.thread_id),
    )
    message = OutboundMessage(
        message_id=send.message_id,
        conversation=conversation,
        channel=ChannelId(send.channel),
        account_id=AccountId(send.account_id),
        text=send.text,
        format=send.format,
        attachments=send.attachments,
    )
    tx.execute(
        INSERT_OUTBOUND, (*outbound_row(message), None, None, None, None, None, None, send.at)
    )
    tx.counts["channel_messages_out"] += 1
    place = lanes.enter(tx, LaneKind.DELIVERY, conversation, 1, send.at, is_claimed=False)
    new = NewDelivery(
        delivery_id=DeliveryId(derived_id(send.message_id, "delivery")),
        message=message,
        root_message_id=None,
        reply_ordinal=0,
        lane_id=place.lane_id,
        lane_seq=place.first_seq,
        at=send.at,
        expires_at=send.expires_at,
        idempotency_key=send.idempotency_key,
    )
    insert(tx, new, None, 0)
    return new.delivery_id, True
