"""Read where a delivery stands when something is heard of it."""

from wunder.model.ids import DeliveryId
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.standing import Standing

_STANDING = Many(
    """
SELECT v.n, o.state, o.fence, o.attempts, o.lane_id, o.message_id, o.root_message_id, o.part,
  o.reply_ordinal, o.receipt, o.idem_window_ms, o.idem_covers, o.not_before, o.expires_at, o.account_uid,
  o.account_id, o.plugin_id, o.version
FROM {v} JOIN channel_outbox o ON o.delivery_id = v.id
""",
    "id text",
)


async def standing_of(tx: Tx, delivery_id: DeliveryId) -> Standing | None:
    """Read where a delivery stands; whoever changes it holds its lane."""
    row = await tx.one(_STANDING, (delivery_id,))
    return None if row is None else Standing._make(row)
