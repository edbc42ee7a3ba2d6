"""Read where a delivery stands when something is heard of it."""

from wunder.model.ids import DeliveryId
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.standing import STANDING_COLUMNS, Standing

_STANDING = Many(
    f"SELECT v.n, {STANDING_COLUMNS} FROM {{v}} JOIN channel_outbox ON delivery_id = v.id",  # noqa: S608
    "id text",
)


async def standing_of(tx: Tx, delivery_id: DeliveryId) -> Standing | None:
    """Read where a delivery stands; whoever changes it holds its lane."""
    row = await tx.one(_STANDING, (delivery_id,))
    return None if row is None else Standing._make(row)
