"""A reply that is shown while it is written: its delivery, begun before the turn has ended."""

from typing import NamedTuple

from wunder.model.delivery import SHOWN_AS, ClaimedDelivery, ReleaseRef
from wunder.model.ids import DeliveryId, attempt_id
from wunder.model.message import OutboundMessage
from wunder.store.delivery_rows import Head

#: Statements of both engines. Text is compared as an expression: no index of states is to be tried.
FIND = """
SELECT delivery_id, state, lane_id, provider_message_id FROM channel_outbox
WHERE delivery_id = ? AND streaming > 0
"""
TO_SEND = """
UPDATE channel_outbox SET state = 'pending', part_state = ?, expires_at = ?, retry_at = NULL
WHERE delivery_id = ? AND state || '' = 'streaming'
"""
END = """
UPDATE channel_outbox SET state = 'failed', settled_at = ?, error_kind = 'internal',
  error = 'the turn ended without a reply' WHERE delivery_id = ? AND state || '' = 'streaming'
"""


class Shown(NamedTuple):
    """The delivery of a turn's first reply, begun before the turn ended."""

    delivery_id: DeliveryId
    state: str
    lane_id: int
    provider_message_id: str


def as_claimed(
    head: Head, message: OutboundMessage, release: ReleaseRef, fence: int, epoch: int, shown_as: str
) -> ClaimedDelivery:
    """The delivery of a reply that the platform shows already, as its attempts left it."""
    return ClaimedDelivery(
        delivery_id=head.delivery_id,
        attempt_id=attempt_id(head.delivery_id, head.attempts),
        attempt_no=head.attempts,
        fence=fence,
        message=message,
        root_message_id=head.root_message_id,
        reply_ordinal=head.reply_ordinal,
        part=0,
        part_state={SHOWN_AS: shown_as},
        retries_used=head.retries_used,
        collisions=head.collisions,
        first_sending_at=head.first_sending_at or head.created_at,
        queued_at=head.created_at,
        expires_at=head.expires_at,
        release=release,
        begun_by=None,
        had_unknown=bool(head.had_unknown),
        epoch=epoch,
    )
