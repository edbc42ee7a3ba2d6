"""Read where a delivery stands when something is heard of it."""

from wunder.model.ids import DeliveryId
from wunder.store.sqlite.transaction import Tx
from wunder.store.standing import Standing

_STANDING = """
SELECT state, fence, attempts, lane_id, message_id, root_message_id, part, reply_ordinal, receipt,
  idem_window_ms, idem_covers, not_before, expires_at, account_uid, account_id, plugin_id, version
FROM channel_outbox WHERE delivery_id = ?
"""


def standing_of(tx: Tx, delivery_id: DeliveryId) -> Standing | None:
    """Read where a delivery stands."""
    row = tx.one(_STANDING, (delivery_id,))
    return None if row is None else Standing._make(row)
