"""What the outcome of an attempt says on its rows and in the trail; the same on both engines."""

from typing import Any

from wunder.errors import Conflict
from wunder.model.delivery import DELIVERY_MOVES, DeliveryState, Evidence, Settlement
from wunder.model.ids import At
from wunder.store.delivery_rows import SendFacts
from wunder.store.gathered import Gathered
from wunder.store.policy import StorePolicy
from wunder.store.standing import STEP_OF, Standing, raw_result_json, tell

NEXT_ORDINAL = """
UPDATE channel_messages SET reply_ordinals = reply_ordinals + 1 WHERE message_id = ?
RETURNING reply_ordinals
"""
#: `late_row`.
NOTE_LATE = """
UPDATE channel_attempts SET settled_at = ?, outcome = ?, error_kind = ?, error = ?
WHERE delivery_id = ? AND attempt_no = ? AND outcome = ''
"""


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


def attempt_end_row(done: Settlement, policy: StorePolicy) -> tuple[Any, ...]:
    """An outcome on the row of its attempt."""
    return (
        done.at,
        done.outcome,
        done.error_kind,
        done.error,
        done.provider_code,
        done.provider_message_id,
        raw_result_json(done.raw_result, policy),
        done.took_ms,
        done.delivery.delivery_id,
        done.delivery.attempt_no,
    )


def late_evidence(done: Settlement) -> Evidence:
    """A success of a claim that is an old one."""
    return Evidence(
        attempt_id=done.delivery.attempt_id,
        provider_message_id=done.provider_message_id,
        at=done.at,
        raw_result=done.raw_result,
        next_state=done.next_state,
    )


def late_row(done: Settlement) -> tuple[Any, ...]:
    """Anything but a success of a claim that is an old one."""
    noted = (done.at, done.outcome, done.error_kind, done.error)
    return (*noted, done.delivery.delivery_id, done.delivery.attempt_no)


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


def end_row(done: Settlement, standing: Standing) -> tuple[Any, ...]:
    """A delivery that has ended, or is held."""
    return (
        done.state.value,
        done.at,
        done.error_kind,
        done.error,
        done.provider_message_id,
        int(done.outcome == "unknown"),
        int(done.uses_retry),
        done.delivery.delivery_id,
        standing.fence,
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
