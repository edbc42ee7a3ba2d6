"""Evidence of delivery is monotone: a late success settles to `sent` from any recorded attempt."""

from wunder.model.conversation import Conversation
from wunder.model.delivery import DELIVERY_MOVES, RELEASED, DeliveryState, Evidence
from wunder.model.ids import DeliveryId
from wunder.model.trail import StepName
from wunder.store.clean import to_json
from wunder.store.delivery_rows import parse_attempt_id
from wunder.store.held import HeldDelivery, Lanes
from wunder.store.policy import StorePolicy
from wunder.store.receipts import Receipts
from wunder.store.standing import Standing, raw_result_json, tell
from wunder.store.unit import Transaction

_ATTEMPT = "SELECT part, outcome FROM channel_attempts WHERE delivery_id = ? AND attempt_no = ?"
_PROVE = """
UPDATE channel_attempts SET outcome = 'sent', settled_at = ?, error_kind = '', error = '',
  provider_message_id = ?, raw_result = coalesce(?, raw_result)
WHERE delivery_id = ? AND attempt_no = ?
"""
_SENT = """
UPDATE channel_outbox SET state = 'sent', settled_at = ?1, retry_at = NULL, error_kind = '', error = '',
  provider_message_id = CASE WHEN ?2 = '' THEN provider_message_id ELSE ?2 END, fence = ?3
WHERE delivery_id = ?4
"""
_GO_ON = """
UPDATE channel_outbox SET state = 'pending', part = part + 1, part_state = ?, had_unknown = 0,
  first_sending_at = NULL, retry_at = NULL, settled_at = NULL, error_kind = '', error = '', fence = ?,
  lane_seq = coalesce(?, lane_seq), begun_plugin_id = coalesce(begun_plugin_id, plugin_id),
  begun_version = coalesce(begun_version, version)
WHERE delivery_id = ?
"""
_SHOWN = "UPDATE channel_outbox SET provider_message_id = ? WHERE delivery_id = ?"
#: A lane that is shut for longer than this call asked for is shut for a later one.
_RESTS_FOR_ANOTHER = """
SELECT 1 FROM channel_outbox o JOIN channel_lanes l ON l.lane_id = o.lane_id
WHERE o.delivery_id = ? AND l.rests_until > o.settled_at + ?
"""
_PEER = (
    "SELECT account_uid, peer_kind, peer_id, thread_id FROM channel_outbox WHERE delivery_id = ?"
)


class LateSuccess:
    """Late successes of an engine, within units of work."""

    def __init__(self, lanes: Lanes, receipts: Receipts) -> None:
        self._lanes = lanes
        self._receipts = receipts

    async def confirm(self, tx: Transaction, late: Evidence, policy: StorePolicy) -> bool:
        """Take a late success into account; False when there is no such attempt."""
        named = parse_attempt_id(late.attempt_id)
        if named is None:
            return False
        delivery_id, attempt_no = DeliveryId(named[0]), named[1]
        attempt = await tx.first(_ATTEMPT, (delivery_id, attempt_no))
        found = await self._lanes.look(tx, delivery_id)
        if attempt is None or found is None:
            return False
        standing, _lane = found
        part, outcome = attempt
        if outcome != "sent":
            raw = raw_result_json(late.raw_result, policy)
            row = (late.at, late.provider_message_id, raw, delivery_id, attempt_no)
            await tx.run(_PROVE, row)
        if standing.state == DeliveryState.STREAMING:
            # Not the reply, only its beginning: now it is known what to edit.
            await tx.run(_SHOWN, (late.provider_message_id, delivery_id))
        elif part == standing.part and _may_be_sent(standing):
            if late.next_state is None:
                await self._sent(tx, delivery_id, found, late, policy)
            else:
                await self._go_on(tx, delivery_id, found, late, policy)
        uid = standing.account_uid
        await self._receipts.join_waiting(tx, delivery_id, uid, late.provider_message_id)
        return True

    async def _sent(
        self,
        tx: Transaction,
        delivery_id: DeliveryId,
        found: HeldDelivery,
        late: Evidence,
        policy: StorePolicy,
    ) -> None:
        standing, lane = found
        fence = await _outdate(tx, delivery_id, found, policy)
        await tx.run(_SENT, (late.at, late.provider_message_id, fence, delivery_id))
        tx.moved("channel_outbox", standing.state, "sent")
        tell(tx, StepName.SENT, delivery_id, standing, late.at, late=True)
        if standing.state in RELEASED:
            await lane.refresh(late.at)
        else:
            await lane.leave(late.at, delivery_id)

    async def _go_on(
        self,
        tx: Transaction,
        delivery_id: DeliveryId,
        found: HeldDelivery,
        late: Evidence,
        policy: StorePolicy,
    ) -> None:
        """The part arrived: the next one waits, at the tail where the lane was given up already."""
        standing, lane = found
        fence = await _outdate(tx, delivery_id, found, policy)
        lane_seq = None
        if standing.state in RELEASED:
            conversation = Conversation(*(await tx.first(_PEER, (delivery_id,)) or ()))
            lane_seq = await self._lanes.enter(tx, conversation, late.at)
        await tx.run(_GO_ON, (to_json(late.next_state), fence, lane_seq, delivery_id))
        tx.moved("channel_outbox", standing.state, "pending")
        part = standing.part + 1
        tell(tx, StepName.RETRIED, delivery_id, standing, late.at, late=True, part=part)
        await lane.refresh(late.at)


def _may_be_sent(standing: Standing) -> bool:
    if standing.state not in DELIVERY_MOVES:
        return False  # a later version's: what it means is not known here
    state = DeliveryState(standing.state)
    # `failed` by a receipt stays: the platform took it back.
    return DeliveryState.SENT in DELIVERY_MOVES[state] and standing.receipt != "failed"


async def _outdate(
    tx: Transaction, delivery_id: DeliveryId, found: HeldDelivery, policy: StorePolicy
) -> int:
    """End the claim of a try that may be under way, and the rest that awaited this very call."""
    if not await _rests_for_another(tx, delivery_id, found.standing, policy):
        await found.lane.rest(None)
    return await found.lane.bump_fence()


async def _rests_for_another(
    tx: Transaction, delivery_id: DeliveryId, standing: Standing, policy: StorePolicy
) -> bool:
    if standing.state not in RELEASED:
        return False
    await tx.settle_down()
    row = (delivery_id, int(policy.tombstone_s * 1000))
    return await tx.first(_RESTS_FOR_ANOTHER, row) is not None
