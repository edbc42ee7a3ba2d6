"""Receipts over locked lanes; also those whose attempt another node settled at the same moment."""

from wunder.store import receipts
from wunder.store.postgres.held import LANES
from wunder.store.postgres.transaction import Tx

#: Kept by one node while another settled the attempt: neither saw the other's row.
_MISSED = """
SELECT r.account_uid, r.provider_message_id, a.delivery_id FROM channel_receipts r
JOIN channel_attempts a ON a.account_uid = r.account_uid AND a.provider_message_id = r.provider_message_id
  AND a.provider_message_id <> ''
LIMIT ?
"""

RECEIPTS = receipts.Receipts(LANES)
take_in, join_waiting, fail = RECEIPTS.take_in, RECEIPTS.join_waiting, receipts.fail


async def join_missed(tx: Tx, limit: int) -> int:
    """Join receipts whose attempt was settled by another node at the same moment."""
    missed = await tx.execute(_MISSED, (limit,))
    for account_uid, provider_message_id, delivery_id in missed:
        await join_waiting(tx, delivery_id, account_uid, provider_message_id)
    return len(missed)
