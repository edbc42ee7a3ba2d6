"""Read where a delivery stands when something is heard of it."""

from wunder.model.ids import DeliveryId
from wunder.store.sqlite.transaction import Tx
from wunder.store.standing import STANDING_COLUMNS, Standing

_STANDING = f"SELECT {STANDING_COLUMNS} FROM channel_outbox WHERE delivery_id = ?"  # noqa: S608 - constant


def standing_of(tx: Tx, delivery_id: DeliveryId) -> Standing | None:
    """Read where a delivery stands."""
    row = tx.one(_STANDING, (delivery_id,))
    return None if row is None else Standing._make(row)
