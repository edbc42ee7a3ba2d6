"""Receipts over locked lanes; also those whose attempt another node settled at the same moment."""

from wunder.store import receipts
from wunder.store.policy import StorePolicy
from wunder.store.postgres.held import LANES
from wunder.store.unit import Transaction, Unit

#: Kept by one node while another settled the attempt: neither saw the other's row.
_MISSED = """
SELECT r.account_uid, r.provider_message_id, a.delivery_id FROM channel_receipts r
JOIN channel_attempts a ON a.account_uid = r.account_uid AND a.provider_message_id = r.provider_message_id
  AND a.provider_message_id <> ''
LIMIT ?
"""

RECEIPTS = receipts.Receipts(LANES)
take_in, join_waiting, fail = RECEIPTS.take_in, RECEIPTS.join_waiting, receipts.fail


def join_missed(policy: StorePolicy) -> Unit[int]:
    """A step of the sweep: join receipts whose attempt another node settled at the same moment."""

    async def unit(tx: Transaction) -> int:
        if not tx.figure("channel_receipts"):
            return 0
        missed = await tx.run(_MISSED, (policy.housekeeping_rows,))
        for account_uid, provider_message_id, delivery_id in missed:
            await join_waiting(tx, delivery_id, account_uid, provider_message_id)
        return len(missed)

    return unit
