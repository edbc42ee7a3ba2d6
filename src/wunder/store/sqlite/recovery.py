"""At open: what an earlier start of this store left unfinished.

One process holds the data directory, so whatever an older epoch had in hand is nobody's now.
`answering` goes back to `received` and keeps its claims; the second claim made alone fails the message:
its process can hardly have been killed by anything else. `sending` follows the rule of the unknown outcome.
"""

import msgspec

from wunder.model.account import AccountConfig, DeliverySettings
from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.model.ids import AccountUid, At, DeliveryId, MessageId, TurnId
from wunder.model.trail import Event, Step, StepName
from wunder.model.turn import Reply
from wunder.store.message_rows import INBOUND_COLUMNS, INBOUND_WIDTH, inbound_of
from wunder.store.outgoing import Outgoing
from wunder.store.policy import StorePolicy
from wunder.store.readiness import POISON_CLAIMS
from wunder.store.recovered import Recovered
from wunder.store.sqlite import lanes
from wunder.store.sqlite.replies import queue_replies
from wunder.store.sqlite.standing import standing_of
from wunder.store.sqlite.transaction import Tx
from wunder.store.standing import Standing, tell
from wunder.store.states import LIVE_DELIVERIES, LIVE_TURNS

_ANSWERING = f"""
SELECT {INBOUND_COLUMNS}, lane_id, turn_id, is_alone = 1 AND claims >= {POISON_CLAIMS},
  reply_ordinals FROM channel_messages
WHERE seq IN (SELECT seq FROM channel_messages INDEXED BY channel_messages_lane
  WHERE {LIVE_TURNS} AND state = 'answering') ORDER BY seq
"""  # noqa: S608 - constant
_RECEIVED = """
UPDATE channel_messages SET state = 'received', is_alone = 0 WHERE message_id = ? AND state = 'answering'
"""
_POISON = """
UPDATE channel_messages SET state = 'failed', reason = 'poison', finished_at = ?,
  reply_ordinals = reply_ordinals + ?
WHERE message_id = ? AND state = 'answering'
"""
#: The index of the lanes holds the state: one look over what waits, not over the table.
_IN_FLIGHT = f"""
SELECT delivery_id, retries_used, had_unknown, first_sending_at,
  streaming > 0 AND provider_message_id <> '' AND part = 0 FROM channel_outbox
WHERE seq IN (SELECT seq FROM channel_outbox INDEXED BY channel_outbox_lane
  WHERE {LIVE_DELIVERIES} AND state IN ('claimed', 'sending', 'streaming')) ORDER BY seq
"""  # noqa: S608 - constant
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


def recover(tx: Tx, policy: StorePolicy) -> Recovered:
    """Put right what older epochs left, in the transaction that begins this one."""
    again: list[MessageId] = []
    poisoned: list[MessageId] = []
    for row in tx.execute(_ANSWERING).fetchall():
        (poisoned if row[INBOUND_WIDTH + 2] else again).append(_turn(tx, row, policy))
    resent: list[DeliveryId] = []
    unknown: list[DeliveryId] = []
    for row in tx.execute(_IN_FLIGHT).fetchall():
        found = _InFlight(*row)
        (resent if _delivery(tx, found, policy) else unknown).append(found.delivery_id)
    return Recovered(tuple(again), tuple(poisoned), tuple(resent), tuple(unknown))


def delivery_settings(tx: Tx, account_uid: AccountUid) -> DeliverySettings:
    """An account's own settings; the defaults where it is gone or unreadable."""
    row = tx.one(_CONFIG, (account_uid,))
    try:
        return _config.decode(row[0]).delivery if row is not None else DeliverySettings()
    except msgspec.DecodeError:
        return DeliverySettings()


def _turn(tx: Tx, row: tuple[object, ...], policy: StorePolicy) -> MessageId:
    message = inbound_of(row[:INBOUND_WIDTH])
    lane_id, turn_id, is_poison, ordinals = row[INBOUND_WIDTH:]
    message_id = message.message_id
    if not is_poison:
        tx.execute(_RECEIVED, (message_id,))
        tx.moved("channel_messages", "answering", "received")
        lanes.refresh_turns(tx, int(str(lane_id)), tx.now)
        return message_id
    settings = delivery_settings(tx, message.conversation.account_uid)
    text = policy.apology if settings.apology is None else settings.apology
    replies = (Reply(text),) if text else ()
    tx.execute(_POISON, (tx.now, len(replies), message_id))
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
    queue_replies(tx, going, None)
    lanes.leave_turns(tx, int(str(lane_id)), tx.now)
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


def _delivery(tx: Tx, found: _InFlight, policy: StorePolicy) -> bool:
    """Put one delivery right; False when it was parked as `unknown`."""
    standing = standing_of(tx, found.delivery_id)
    if standing is None:
        return False
    if standing.state == DeliveryState.CLAIMED:
        tx.execute(_CLAIMED, (found.delivery_id,))
        tx.moved("channel_outbox", "claimed", "pending")
        lanes.refresh_deliveries(tx, standing.lane_id, tx.now)
        return True
    is_streaming = standing.state == DeliveryState.STREAMING
    if is_streaming and found.is_shown:
        return True  # its turn runs again and goes on with the same platform message
    note = (FaultKind.OUTCOME_UNKNOWN.value, _WORDS)
    tx.execute(_ATTEMPT, (tx.now, *note, found.delivery_id, standing.attempts))
    if _may_repeat(tx, found, standing, policy):
        if is_streaming:
            tx.execute(_STILL_STREAMING, (found.delivery_id,))
            return True
        retry_at = At(tx.now + int(policy.backoff_s * 1000))
        tx.execute(_AGAIN, (retry_at, *note, found.delivery_id))
        tx.moved("channel_outbox", standing.state, "pending")
        tell(
            tx,
            StepName.RETRIED,
            found.delivery_id,
            standing,
            tx.now,
            kind=note[0],
            retry_at=retry_at,
        )
        lanes.refresh_deliveries(tx, standing.lane_id, tx.now)
        return True
    tx.execute(_PARK, (tx.now, *note, found.delivery_id))
    tx.moved("channel_outbox", standing.state, "unknown")
    tell(tx, StepName.UNKNOWN, found.delivery_id, standing, tx.now, kind=note[0])
    lanes.leave_deliveries(tx, standing.lane_id, tx.now)
    tx.event(
        Event(
            name="delivery_unknown",
            at=tx.now,
            level="error",
            plugin_id=standing.plugin_id,
            version=standing.version,
            account_uid=standing.account_uid,
            account_id=standing.account_id,
            message_id=standing.trail_of,
            delivery_id=found.delivery_id,
            fields={"reason": "gateway_stopped"},
        )
    )
    return False


def _may_repeat(tx: Tx, found: _InFlight, standing: Standing, policy: StorePolicy) -> bool:
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
    settings = delivery_settings(tx, standing.account_uid)
    return settings.on_unknown == "retry_once" and not found.had_unknown
