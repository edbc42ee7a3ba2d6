"""What lives that ended left unfinished: taken over by whoever notices, in one transaction.

A life has ended when its lease was given up, ran out, or is of an older start on the same data
directory. Then its `answering` goes back to `received` and keeps its claims, and its `sending` follows
the rule of the unknown outcome. The rules are those of store/sqlite/recovery.py.
"""

import msgspec

from wunder.model.account import AccountConfig, DeliverySettings
from wunder.model.conversation import LaneKind
from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.model.ids import AccountUid, At, DeliveryId, MessageId, TurnId
from wunder.model.trail import Event, Step, StepName
from wunder.model.turn import Reply
from wunder.store.message_rows import INBOUND_COLUMNS, INBOUND_WIDTH, inbound_of
from wunder.store.outgoing import Outgoing
from wunder.store.policy import StorePolicy
from wunder.store.postgres import lanes
from wunder.store.postgres.counters import PREFIX, folded
from wunder.store.postgres.life import DB_NOW
from wunder.store.postgres.replies import queue_replies
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.transaction import Tx
from wunder.store.readiness import POISON_CLAIMS
from wunder.store.recovered import Recovered
from wunder.store.standing import Standing, tell
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS

#: Who is paused inside a transaction holds its lease's row; the server ends it, and then it is free.
_END_LEASES = f"""
DELETE FROM channel_leases WHERE (name, account_uid) IN (
  SELECT name, account_uid FROM channel_leases WHERE name LIKE 'node/%' AND name <> ?
    AND lease_until < {DB_NOW} FOR UPDATE SKIP LOCKED)
RETURNING node_id, epoch, lease_until
"""  # noqa: S608 - constant
_FIGURES = "DELETE FROM meta WHERE key = ? RETURNING value"
#: In one look, so that a life that begins meanwhile is not taken for a dead one.
_DEAD = f"""
SELECT DISTINCT epoch FROM (
  SELECT epoch FROM channel_messages WHERE {LIVE_TURNS} AND state = 'answering'
  UNION ALL
  SELECT epoch FROM channel_outbox
  WHERE {LIVE_DELIVERIES} AND (state = 'claimed' OR state = 'sending' OR state = 'streaming')
) claimed
WHERE epoch <> ? AND NOT EXISTS (
  SELECT 1 FROM channel_leases l WHERE l.name LIKE 'node/%' AND l.epoch = claimed.epoch)
"""  # noqa: S608 - constant
_ANSWERING = f"""
SELECT {INBOUND_COLUMNS}, lane_id, turn_id, is_alone = 1 AND claims >= {POISON_CLAIMS},
  reply_ordinals FROM channel_messages
WHERE {LIVE_TURNS} AND state = 'answering' AND epoch = ANY(?::int8[])
ORDER BY account_uid, peer_kind, peer_id, thread_id, seq
"""  # noqa: S608 - constant
_RECEIVED = """
UPDATE channel_messages SET state = 'received', is_alone = 0
WHERE message_id = ? AND state = 'answering' AND epoch = ANY(?::int8[])
"""
_POISON = """
UPDATE channel_messages SET state = 'failed', reason = 'poison', finished_at = ?,
  reply_ordinals = reply_ordinals + ?
WHERE message_id = ? AND state = 'answering' AND epoch = ANY(?::int8[])
"""
_IN_FLIGHT = f"""
SELECT delivery_id, retries_used, had_unknown, first_sending_at,
  (streaming > 0 AND provider_message_id <> '' AND part = 0)::int, epoch FROM channel_outbox
WHERE {LIVE_DELIVERIES} AND (state = 'claimed' OR state = 'sending' OR state = 'streaming')
  AND epoch = ANY(?::int8[])
ORDER BY account_uid, peer_kind, peer_id, thread_id, seq
"""  # noqa: S608 - constant
_STILL = """
SELECT 1 FROM channel_outbox WHERE delivery_id = ? AND epoch = ANY(?::int8[])
  AND (state = 'claimed' OR state = 'sending' OR state = 'streaming')
"""
_ATTEMPT = """
UPDATE channel_attempts SET settled_at = ?, outcome = 'unknown', error_kind = ?, error = ?
WHERE delivery_id = ? AND attempt_no = ? AND outcome = ''
"""
_PARK = """
UPDATE channel_outbox SET state = 'unknown', settled_at = ?, had_unknown = 1, error_kind = ?, error = ?,
  retry_at = NULL WHERE delivery_id = ?
"""
_AGAIN = """
UPDATE channel_outbox SET state = 'pending', retry_at = ?, had_unknown = 1, retries_used = retries_used + 1,
  error_kind = ?, error = ? WHERE delivery_id = ?
"""
_STILL_STREAMING = """
UPDATE channel_outbox SET had_unknown = 1, retries_used = retries_used + 1 WHERE delivery_id = ?
"""
_OURS = "UPDATE channel_outbox SET epoch = ? WHERE delivery_id = ?"
_CLAIMED = "UPDATE channel_outbox SET state = 'pending' WHERE delivery_id = ? AND state = 'claimed'"
_CONFIG = "SELECT config FROM channel_accounts WHERE account_uid = ?"
_WORDS = "the gateway stopped before the answer came"

_config = msgspec.json.Decoder(AccountConfig)


class _InFlight(msgspec.Struct, frozen=True):
    delivery_id: DeliveryId
    retries_used: int
    had_unknown: int
    first_sending_at: At | None
    is_shown: int  # an edit shows the same however often it is made
    epoch: int


class Ended(msgspec.Struct, frozen=True):
    """Lives whose leases ended; of the `silent` ones nobody knows whether their process did."""

    count: int = 0
    silent: frozenset[int] = frozenset()


async def end_leases(tx: Tx, own_name: str) -> Ended:
    """End the lives whose leases ran out or were given up, and take over their figures."""
    ended = await tx.execute(_END_LEASES, (own_name,))
    for node_id, *_ in ended:
        for (value,) in await tx.execute(_FIGURES, (PREFIX + node_id,)):
            folded(tx.counts, value)
    return Ended(len(ended), frozenset(epoch for _, epoch, until in ended if until > 0))


async def recover(tx: Tx, policy: StorePolicy, ended: Ended) -> Recovered:
    """Put right what lives that ended had in hand.

    Calls of a silent life may still be running: what has to be parked keeps its lane shut for as long
    as after a call that timed out.
    """
    dead = [row[0] for row in await tx.execute(_DEAD, (tx.epoch,))]
    if not dead:
        return Recovered()
    again: list[MessageId] = []
    poisoned: list[MessageId] = []
    for row in await tx.execute(_ANSWERING, (dead,)):
        (poisoned if row[INBOUND_WIDTH + 2] else again).append(await _turn(tx, row, dead, policy))
    resent: list[DeliveryId] = []
    unknown: list[DeliveryId] = []
    for row in await tx.execute(_IN_FLIGHT, (dead,)):
        found = _InFlight(*row)
        rests = policy.tombstone_s if found.epoch in ended.silent else 0
        is_resent = await _delivery(tx, found, dead, policy, rests)
        (resent if is_resent else unknown).append(found.delivery_id)
    return Recovered(tuple(again), tuple(poisoned), tuple(resent), tuple(unknown))


async def delivery_settings(tx: Tx, account_uid: AccountUid) -> DeliverySettings:
    """An account's own settings; the defaults where it is gone or unreadable."""
    row = await tx.one(_CONFIG, (account_uid,))
    try:
        return _config.decode(row[0]).delivery if row is not None else DeliverySettings()
    except msgspec.DecodeError:
        return DeliverySettings()


async def _turn(tx: Tx, row: tuple[object, ...], dead: list[int], policy: StorePolicy) -> MessageId:
    message = inbound_of(row[:INBOUND_WIDTH])
    _lane_id, turn_id, is_poison, ordinals = row[INBOUND_WIDTH:]
    message_id = message.message_id
    lane = await tx.lanes.of(LaneKind.TURN, message.conversation)
    if not is_poison:
        if (await tx.execute(_RECEIVED, (message_id, dead))).rowcount:
            tx.moved("channel_messages", "answering", "received")
            await lanes.refresh_turns(tx, lane, tx.now)
        return message_id
    settings = await delivery_settings(tx, message.conversation.account_uid)
    text = policy.apology if settings.apology is None else settings.apology
    replies = (Reply(text),) if text else ()
    if not (await tx.execute(_POISON, (tx.now, len(replies), message_id, dead))).rowcount:
        return message_id
    tx.moved("channel_messages", "answering", "failed")
    uid, account_id = message.conversation.account_uid, message.account_id
    tx.step(
        Step(
            message_id=message_id,
            step=StepName.NOT_ANSWERED,
            at=tx.now,
            account_uid=uid,
            account_id=account_id,
            detail={"reason": "poison"},
        )
    )
    going = Outgoing(
        inbound=message,
        turn_id=TurnId(str(turn_id)),
        replies=replies,
        at=tx.now,
        expires_at=At(tx.now + settings.ttl_s * 1000),
        ordinals=int(str(ordinals)),
    )
    await queue_replies(tx, going, None)
    await lanes.leave_turns(tx, lane, tx.now, message_id)
    tx.event(
        Event(
            name="message_poisoned",
            at=tx.now,
            level="error",
            account_uid=uid,
            account_id=account_id,
            message_id=message_id,
        )
    )
    return message_id


async def _delivery(
    tx: Tx, found: _InFlight, dead: list[int], policy: StorePolicy, rests_s: float
) -> bool:
    """Put one delivery right; False when it was parked as `unknown`."""
    before = await standing_of(tx, found.delivery_id)
    if before is None:
        return False
    lane = await tx.lanes.by_id(before.lane_id)
    if await tx.one(_STILL, (found.delivery_id, dead)) is None:
        # It was settled while this waited for its lane.
        return True
    standing = await standing_of(tx, found.delivery_id) or before
    if standing.state == DeliveryState.CLAIMED:
        await tx.execute(_CLAIMED, (found.delivery_id,))
        tx.moved("channel_outbox", "claimed", "pending")
        await lanes.refresh_deliveries(tx, lane, tx.now)
        return True
    is_streaming = standing.state == DeliveryState.STREAMING
    if is_streaming:
        # It goes on living with whoever runs its turn; if that one dies too, it is looked at again.
        await tx.execute(_OURS, (tx.epoch, found.delivery_id))
        if found.is_shown:
            return True
    note = (FaultKind.OUTCOME_UNKNOWN.value, _WORDS)
    await tx.execute(_ATTEMPT, (tx.now, *note, found.delivery_id, standing.attempts))
    if await _may_repeat(tx, found, standing, policy):
        if is_streaming:
            await tx.execute(_STILL_STREAMING, (found.delivery_id,))
            return True
        retry_at = At(tx.now + int(policy.backoff_s * 1000))
        await tx.execute(_AGAIN, (retry_at, *note, found.delivery_id))
        tx.moved("channel_outbox", standing.state, "pending")
        again = {"kind": note[0], "retry_at": retry_at}
        tell(tx, StepName.RETRIED, found.delivery_id, standing, tx.now, **again)
        await lanes.refresh_deliveries(tx, lane, tx.now)
        return True
    await tx.execute(_PARK, (tx.now, *note, found.delivery_id))
    tx.moved("channel_outbox", standing.state, "unknown")
    tell(tx, StepName.UNKNOWN, found.delivery_id, standing, tx.now, kind=note[0])
    if rests_s:
        lanes.rest(lane, At(tx.now + int(rests_s * 1000)))
    await lanes.leave_deliveries(tx, lane, tx.now, found.delivery_id)
    tx.event(_parked(tx, found.delivery_id, standing))
    return False


def _parked(tx: Tx, delivery_id: DeliveryId, standing: Standing) -> Event:
    return Event(
        name="delivery_unknown",
        at=tx.now,
        level="error",
        plugin_id=standing.plugin_id,
        version=standing.version,
        account_uid=standing.account_uid,
        account_id=standing.account_id,
        message_id=standing.trail_of,
        delivery_id=delivery_id,
        fields={"reason": "gateway_stopped"},
    )


async def _may_repeat(tx: Tx, found: _InFlight, standing: Standing, policy: StorePolicy) -> bool:
    """The rule of the unknown outcome: the platform's window, else the account's own choice."""
    if found.retries_used >= policy.max_retries:
        return False
    if found.is_shown:
        return True
    is_covered = standing.idem_covers == "all" or standing.root_message_id is not None
    begun_at = found.first_sending_at
    if is_covered and begun_at is not None:
        # From the future: the clock was set back, and how long ago it really was nobody knows.
        earliest = begun_at - policy.clock_step_s * 1000
        if earliest <= tx.now < begun_at + standing.idem_window_ms:
            return True
    settings = await delivery_settings(tx, standing.account_uid)
    return settings.on_unknown == "retry_once" and not found.had_unknown
