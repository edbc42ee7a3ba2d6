"""Where a delivery stands when something is heard of it, and how its trail is told."""

from typing import Any, NamedTuple

from wunder.model.delivery import ClaimedDelivery, DeliveryState
from wunder.model.ids import AccountId, AccountUid, At, DeliveryId, MessageId
from wunder.model.trail import Event, Step, StepName
from wunder.store.clean import to_json
from wunder.store.gathered import Gathered
from wunder.store.policy import StorePolicy

#: What the trail is told of each end.
STEP_OF = {
    DeliveryState.SENT: StepName.SENT,
    DeliveryState.FAILED: StepName.FAILED,
    DeliveryState.UNKNOWN: StepName.UNKNOWN,
    DeliveryState.EXPIRED: StepName.EXPIRED,
    DeliveryState.CANCELLED: StepName.CANCELLED,
    DeliveryState.PENDING: StepName.RETRIED,
}


class Standing(NamedTuple):
    """Columns of one delivery."""

    state: str
    fence: int
    attempts: int
    lane_id: int
    message_id: MessageId
    root_message_id: MessageId | None
    part: int
    reply_ordinal: int
    receipt: str
    idem_window_ms: int
    idem_covers: str
    not_before: At | None
    expires_at: At
    account_uid: AccountUid
    account_id: AccountId
    plugin_id: str
    version: str

    @property
    def trail_of(self) -> MessageId:
        """The message whose trail this delivery belongs to."""
        return self.root_message_id or self.message_id


#: The columns of `Standing`, in order.
STANDING_COLUMNS = ", ".join(Standing._fields)


def as_marked(delivery: ClaimedDelivery) -> Standing:
    """Where a delivery stands on its first try; what the platform recognises is not known of a claim."""
    message = delivery.message
    return Standing(
        state=DeliveryState.SENDING,
        fence=delivery.fence,
        attempts=delivery.attempt_no,
        lane_id=delivery.lane_id,
        message_id=message.message_id,
        root_message_id=delivery.root_message_id,
        part=delivery.part,
        reply_ordinal=delivery.reply_ordinal,
        receipt="none",
        idem_window_ms=0,
        idem_covers="",
        not_before=None,
        expires_at=delivery.expires_at,
        account_uid=message.conversation.account_uid,
        account_id=message.account_id,
        plugin_id=delivery.release.plugin_id,
        version=delivery.release.version,
    )


def tell(
    tx: Gathered,
    name: StepName,
    delivery_id: DeliveryId,
    standing: Standing,
    at: At,
    **detail: object,
) -> None:
    """Add a step of a delivery to its trail; `detail` never holds text."""
    tx.step(
        Step(
            message_id=standing.trail_of,
            step=name,
            at=at,
            plugin_id=standing.plugin_id,
            version=standing.version,
            account_uid=standing.account_uid,
            account_id=standing.account_id,
            delivery_id=delivery_id,
            attempt_no=standing.attempts,
            detail=dict(detail),
        )
    )


def tell_taken_back(tx: Gathered, delivery_id: DeliveryId, standing: Standing, at: At) -> None:
    """Record that the platform said later that a message it took did not arrive."""
    tx.event(
        Event(
            "delivery_failed",
            at,
            "error",
            standing.plugin_id,
            standing.version,
            standing.account_uid,
            standing.account_id,
            message_id=standing.trail_of,
            delivery_id=delivery_id,
            fields={"kind": "receipt"},
        )
    )


def raw_result_json(raw: dict[str, Any] | None, policy: StorePolicy) -> str | None:
    """Encode what the platform said; of what is too long only the size is kept."""
    if raw is None:
        return None
    encoded = to_json(raw)
    size = len(encoded) if encoded.isascii() else len(encoded.encode())
    return encoded if size <= policy.raw_result_bytes else to_json({"dropped_bytes": size})
