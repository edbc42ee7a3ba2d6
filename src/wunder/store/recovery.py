"""The rules for what a life that ended left unfinished, whoever finds it.

`answering` goes back to `received` and keeps its claims; the second claim made alone fails the message.
`sending` follows the rule of the unknown outcome. Each row is changed only while it is still as it was
found: another node may be putting it right at the same moment.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

import msgspec

from wunder.model.account import AccountConfig, DeliverySettings
from wunder.model.conversation import LaneKind
from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.model.ids import AccountUid, At, DeliveryId, MessageId, TurnId
from wunder.model.message import InboundMessage
from wunder.model.trail import Event, Step, StepName
from wunder.model.turn import Reply
from wunder.store.held import HeldDelivery, Lanes
from wunder.store.message_rows import INBOUND_COLUMNS, INBOUND_WIDTH, inbound_of
from wunder.store.outgoing import Outgoing
from wunder.store.policy import StorePolicy
from wunder.store.readiness import POISON_CLAIMS
from wunder.store.recovered import Recovered
from wunder.store.standing import Standing, tell
from wunder.store.unit import Transaction

#: What a turn is read by, and then what a delivery is: each engine finds the rows in its own way.
ANSWERING_COLUMNS = f"""{INBOUND_COLUMNS}, lane_id, turn_id, is_alone = 1 AND claims >= {POISON_CLAIMS},
  reply_ordinals, epoch"""
IN_FLIGHT_COLUMNS = """delivery_id, retries_used, had_unknown, first_sending_at,
  streaming > 0 AND provider_message_id <> '' AND part = 0, epoch"""
_RECEIVED = """
UPDATE channel_messages SET state = 'received', is_alone = 0
WHERE message_id = ? AND state = 'answering' AND epoch = ?
"""
_POISON = """
UPDATE channel_messages SET state = 'failed', reason = 'poison', finished_at = ?,
  reply_ordinals = reply_ordinals + ?
WHERE message_id = ? AND state = 'answering' AND epoch = ?
"""
_STILL = """
SELECT 1 FROM channel_outbox WHERE delivery_id = ? AND epoch = ?
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
_NOTE = (FaultKind.OUTCOME_UNKNOWN.value, "the gateway stopped before the answer came")

_config = msgspec.json.Decoder(AccountConfig)


class _InFlight(NamedTuple):
    delivery_id: DeliveryId
    retries_used: int
    had_unknown: int
    first_sending_at: At | None
    is_shown: bool  # an edit shows the same however often it is made
    epoch: int


class _Answering(NamedTuple):
    lane_id: int
    turn_id: TurnId
    is_poison: bool
    ordinals: int
    epoch: int


class Recovery:
    """Puts rows right inside a unit; `queue` is how the engine queues a turn's replies."""

    def __init__(
        self,
        lanes: Lanes,
        queue: Callable[[Any, Outgoing], Coroutine[Any, Any, Any]],
        policy: StorePolicy,
    ) -> None:
        self._lanes = lanes
        self._queue = queue
        self._policy = policy

    async def recover(
        self,
        tx: Transaction,
        answering: Sequence[tuple[Any, ...]],
        in_flight: Sequence[tuple[Any, ...]],
        silent: frozenset[int] = frozenset(),
    ) -> Recovered:
        """Put right what was found.

        Calls of a `silent` life may still be running: what has to be parked keeps its lane shut for as
        long as after a call that timed out.
        """
        again: list[MessageId] = []
        poisoned: list[MessageId] = []
        for row in answering:
            message, turn = inbound_of(row[:INBOUND_WIDTH]), _Answering._make(row[INBOUND_WIDTH:])
            (poisoned if turn.is_poison else again).append(message.message_id)
            await (self._poison if turn.is_poison else self._answer_again)(tx, message, turn)
        resent: list[DeliveryId] = []
        unknown: list[DeliveryId] = []
        for row in in_flight:
            found = _InFlight._make(row)
            rests_s = self._policy.tombstone_s if found.epoch in silent else 0
            is_resent = await self._delivery(tx, found, rests_s)
            (resent if is_resent else unknown).append(found.delivery_id)
        return Recovered(tuple(again), tuple(poisoned), tuple(resent), tuple(unknown))

    async def _answer_again(
        self, tx: Transaction, message: InboundMessage, turn: _Answering
    ) -> None:
        lane = await self._lanes.hold(tx, LaneKind.TURN, turn.lane_id)
        if (await tx.run(_RECEIVED, (message.message_id, turn.epoch))).rowcount:
            tx.moved("channel_messages", "answering", "received")
            await lane.refresh(tx.now)

    async def _poison(self, tx: Transaction, message: InboundMessage, turn: _Answering) -> None:
        lane = await self._lanes.hold(tx, LaneKind.TURN, turn.lane_id)
        message_id, uid = message.message_id, message.conversation.account_uid
        settings = await _settings(tx, uid)
        text = self._policy.apology if settings.apology is None else settings.apology
        replies = (Reply(text),) if text else ()
        values = (tx.now, len(replies), message_id, turn.epoch)
        if not (await tx.run(_POISON, values)).rowcount:
            return
        tx.moved("channel_messages", "answering", "failed")
        tx.step(
            Step(
                message_id=message_id,
                step=StepName.NOT_ANSWERED,
                at=tx.now,
                account_uid=uid,
                account_id=message.account_id,
                detail={"reason": "poison"},
            )
        )
        going = Outgoing(
            inbound=message,
            turn_id=turn.turn_id,
            replies=replies,
            at=tx.now,
            expires_at=At(tx.now + settings.ttl_s * 1000),
            ordinals=turn.ordinals,
        )
        await self._queue(tx, going)
        await lane.leave(tx.now, message_id)
        tx.event(
            Event(
                name="message_poisoned",
                at=tx.now,
                level="error",
                account_uid=uid,
                account_id=message.account_id,
                message_id=message_id,
            )
        )

    async def _delivery(self, tx: Transaction, found: _InFlight, rests_s: float) -> bool:
        """Put one delivery right; False when it was parked as `unknown`."""
        held = await self._lanes.look(tx, found.delivery_id)
        if held is None:
            return False
        if await tx.first(_STILL, (found.delivery_id, found.epoch)) is None:
            # It was settled while this waited for its lane.
            return True
        standing = held.standing
        if standing.state == DeliveryState.CLAIMED:
            await tx.run(_CLAIMED, (found.delivery_id,))
            tx.moved("channel_outbox", "claimed", "pending")
            await held.lane.refresh(tx.now)
            return True
        is_streaming = standing.state == DeliveryState.STREAMING
        if is_streaming:
            # It goes on living with whoever runs its turn; if that one dies too, it is looked at again.
            await tx.run(_OURS, (tx.epoch, found.delivery_id))
            if found.is_shown:
                return True
        attempt = (found.delivery_id, standing.attempts)
        await tx.run(_ATTEMPT, (tx.now, *_NOTE, *attempt))
        if not await self._may_repeat(tx, found, standing):
            await _park(tx, found.delivery_id, held, rests_s)
            return False
        if is_streaming:
            await tx.run(_STILL_STREAMING, (found.delivery_id,))
        else:
            await self._send_again(tx, found.delivery_id, held)
        return True

    async def _send_again(
        self, tx: Transaction, delivery_id: DeliveryId, held: HeldDelivery
    ) -> None:
        standing, retry_at = held.standing, At(tx.now + int(self._policy.backoff_s * 1000))
        await tx.run(_AGAIN, (retry_at, *_NOTE, delivery_id))
        tx.moved("channel_outbox", standing.state, "pending")
        again = {"kind": _NOTE[0], "retry_at": retry_at}
        tell(tx, StepName.RETRIED, delivery_id, standing, tx.now, **again)
        await held.lane.refresh(tx.now)

    async def _may_repeat(self, tx: Transaction, found: _InFlight, standing: Standing) -> bool:
        """The rule of the unknown outcome: the platform's window, else the account's own choice."""
        if found.retries_used >= self._policy.max_retries:
            return False
        if found.is_shown:
            return True
        is_covered = standing.idem_covers == "all" or standing.root_message_id is not None
        begun_at = found.first_sending_at
        if standing.idem_window_ms and is_covered and begun_at is not None:
            # From the future: the clock was set back, and how long ago it really was nobody knows.
            earliest = begun_at - self._policy.clock_step_s * 1000
            if earliest <= tx.now < begun_at + standing.idem_window_ms:
                return True
        settings = await _settings(tx, standing.account_uid)
        return settings.on_unknown == "retry_once" and not found.had_unknown


async def _park(
    tx: Transaction, delivery_id: DeliveryId, held: HeldDelivery, rests_s: float
) -> None:
    standing = held.standing
    await tx.run(_PARK, (tx.now, *_NOTE, delivery_id))
    tx.moved("channel_outbox", standing.state, "unknown")
    tell(tx, StepName.UNKNOWN, delivery_id, standing, tx.now, kind=_NOTE[0])
    if rests_s:
        await held.lane.rest(At(tx.now + int(rests_s * 1000)))
    await held.lane.leave(tx.now, delivery_id)
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
            delivery_id=delivery_id,
            fields={"reason": "gateway_stopped"},
        )
    )


async def _settings(tx: Transaction, account_uid: AccountUid) -> DeliverySettings:
    """An account's own settings; the defaults where it is gone or unreadable."""
    row = await tx.first(_CONFIG, (account_uid,))
    try:
        return _config.decode(row[0]).delivery if row is not None else DeliverySettings()
    except msgspec.DecodeError:
        return DeliverySettings()
