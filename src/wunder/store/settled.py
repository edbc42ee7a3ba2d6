"""What the outcome of an attempt says on its rows and in the trail; the same on both engines."""

from typing import Any

from wunder.errors import Conflict
from wunder.model.delivery import (
    DELIVERY_MOVES,
    ClaimedDelivery,
    DeliveryState,
    Evidence,
    Settlement,
)
from wunder.model.ids import At
from wunder.store.clean import to_json
from wunder.store.delivery_rows import SendFacts
from wunder.store.evidence import LateSuccess
from wunder.store.gathered import Gathered
from wunder.store.marks import Marks
from wunder.store.policy import StorePolicy
from wunder.store.receipts import Receipts
from wunder.store.standing import STEP_OF, Standing, tell
from wunder.store.unit import Transaction

_NEXT_ORDINAL = """
UPDATE channel_messages SET reply_ordinals = reply_ordinals + 1 WHERE message_id = ?
RETURNING reply_ordinals
"""
_NOTE_LATE = """
UPDATE channel_attempts SET settled_at = ?, outcome = ?, error_kind = ?, error = ?
WHERE delivery_id = ? AND attempt_no = ? AND outcome = ''
"""
#: `put_back_row`.
PUT_BACK = """
UPDATE channel_outbox SET state = 'pending', retry_at = ?, error_kind = ?, error = ?,
  retries_used = retries_used + ?, had_unknown = had_unknown | ?, collisions = collisions + ?,
  reply_ordinal = ?
WHERE delivery_id = ? AND state = 'sending' AND fence = ?
"""
_NEXT_PART = """
UPDATE channel_outbox SET part = part + 1, part_state = ?1, attempts = attempts + 1, had_unknown = 0,
  first_sending_at = ?2, error_kind = '', error = '',
  provider_message_id = CASE WHEN ?3 = '' THEN provider_message_id ELSE ?3 END,
  begun_plugin_id = coalesce(begun_plugin_id, plugin_id), begun_version = coalesce(begun_version, version)
WHERE delivery_id = ?4 AND state = 'sending' AND fence = ?5
"""


class Outcomes:
    """Outcomes that are no end of a delivery, and those of claims that are old ones, of an engine."""

    def __init__(self, receipts: Receipts, late: LateSuccess, marks: Marks) -> None:
        self._receipts = receipts
        self._late = late
        self._marks = marks

    async def settle_late(self, tx: Transaction, done: Settlement, policy: StorePolicy) -> None:
        """The claim is an old one: a success is evidence, anything else is only noted on the attempt."""
        delivery = done.delivery
        if done.outcome != "sent":
            noted = (done.at, done.outcome, done.error_kind, done.error)
            await tx.run(_NOTE_LATE, (*noted, delivery.delivery_id, delivery.attempt_no))
            return
        late = Evidence(
            attempt_id=delivery.attempt_id,
            provider_message_id=done.provider_message_id,
            at=done.at,
            raw_result=done.raw_result,
            next_state=done.next_state,
        )
        await self._late.confirm(tx, late, policy)

    async def next_part(
        self, tx: Transaction, done: Settlement, standing: Standing
    ) -> ClaimedDelivery:
        """The part arrived: the next one begins under the same claim, with an attempt of its own."""
        delivery_id, shown_as = done.delivery.delivery_id, done.provider_message_id
        state = to_json(done.next_state or {})
        await tx.run(_NEXT_PART, (state, done.at, shown_as, delivery_id, standing.fence))
        await self._receipts.join_waiting(tx, delivery_id, standing.account_uid, shown_as)
        found = await self._marks.find(tx, delivery_id)
        if found is None:
            raise Conflict("The delivery is gone.", reason="delivery_gone")
        head, message = found
        before = head._replace(attempts=head.attempts - 1), message
        return self._marks.begin(tx, before, facts_again(done, standing), done.at, standing.fence)


async def next_ordinal(tx: Transaction, standing: Standing) -> int:
    """A collision: the next reply ordinal of the inbound message."""
    if standing.root_message_id is not None:
        found = await tx.first(_NEXT_ORDINAL, (standing.root_message_id,))
        if found is not None:
            return int(found[0])
    return standing.reply_ordinal + 1


def is_own(done: Settlement, standing: Standing) -> bool:
    """Whether this is the outcome of the try that is under way."""
    return (
        standing.state == DeliveryState.SENDING
        and standing.fence == done.delivery.fence
        and standing.attempts == done.delivery.attempt_no
    )


def check_move(done: Settlement) -> None:
    """Check what the delivery is to become. Raises: Conflict."""
    if done.state not in DELIVERY_MOVES[DeliveryState.SENDING]:
        words = f"A delivery in sending cannot become {done.state}."
        raise Conflict(words, reason="illegal_move")


def facts_again(done: Settlement, standing: Standing) -> SendFacts:
    """The facts of what is sent next under the same release."""
    return SendFacts(done.delivery.release, standing.idem_window_ms, standing.idem_covers)


def put_back_row(
    done: Settlement, standing: Standing, retry_at: At, reply_ordinal: int
) -> tuple[Any, ...]:
    """A delivery that waits again."""
    return (
        retry_at,
        done.error_kind,
        done.error,
        int(done.uses_retry),
        int(done.outcome == "unknown"),
        int(done.new_ordinal),
        reply_ordinal,
        done.delivery.delivery_id,
        standing.fence,
    )


def end_row(done: Settlement) -> tuple[Any, ...]:
    """A delivery that has ended, or is held."""
    return (
        str(done.state),
        done.at,
        done.error_kind,
        done.error,
        done.provider_message_id,
        int(done.outcome == "unknown"),
        int(done.uses_retry),
        done.delivery.delivery_id,
        done.delivery.fence,
    )


def tell_outcome(tx: Gathered, done: Settlement, standing: Standing, retry_at: At | None) -> None:
    """Add what became of the delivery to its trail."""
    name = STEP_OF.get(done.state)
    if name is None:
        return
    detail: dict[str, object] = {}
    if done.error_kind:
        detail["kind"] = done.error_kind
    if done.provider_code:
        detail["provider_code"] = done.provider_code
    if retry_at is not None:
        detail["retry_at"] = retry_at
    tell(tx, name, done.delivery.delivery_id, standing, done.at, **detail)
