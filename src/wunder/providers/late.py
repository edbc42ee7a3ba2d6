"""A call that was given up and succeeded after all: evidence for the outbox (pure)."""

from wunder.model.delivery import Evidence
from wunder.model.ids import MAX_PROVIDER_MESSAGE_ID, At, DeliveryId, attempt_id
from wunder.model.redaction import struck
from wunder_wire.methods import SendParams, SendResult


def evidence_of(params: object, result: object, at: At) -> Evidence | None:
    """Say which attempt arrived late, and what part follows it; None for other calls."""
    if not isinstance(params, SendParams) or not isinstance(result, SendResult):
        return None
    delivery_id = params.idempotency_key.partition("#")[0]
    return Evidence(
        attempt_id=attempt_id(DeliveryId(delivery_id), params.attempt),
        provider_message_id=(result.provider_message_id or "")[:MAX_PROVIDER_MESSAGE_ID],
        at=at,
        raw_result=struck(result.raw_result, params.account.secrets),
        next_state=result.next.state if result.next else None,
    )
