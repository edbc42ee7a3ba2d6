"""Receipts: what the platform says later. They move forward only, and `failed` wins."""

from wunder.model.delivery import RECEIPT_ORDER, DeliveryState
from wunder.model.ids import AccountUid, At, DeliveryId
from wunder.model.intake import AccountIntake, NewReceipt
from wunder.model.trail import StepName
from wunder.store.policy import StorePolicy
from wunder.store.postgres.standing import standing_of
from wunder.store.postgres.transaction import Tx
from wunder.store.standing import Standing, tell, tell_taken_back

_FIND = """
SELECT delivery_id FROM channel_attempts
WHERE account_uid = ? AND provider_message_id = ? AND provider_message_id <> '' LIMIT 1
"""
_KEEP = """
INSERT INTO channel_receipts (account_uid, provider_message_id, status, at, detail, keep_until)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_WAITING = """
DELETE FROM channel_receipts WHERE account_uid = ? AND provider_message_id = ?
RETURNING status, at, detail
"""
_FORWARD = "UPDATE channel_outbox SET receipt = ? WHERE delivery_id = ?"
_FAIL = """
UPDATE channel_outbox SET state = 'failed', settled_at = ?, error_kind = 'receipt', error = ?
WHERE delivery_id = ? AND state = 'sent'
"""
#: Kept by one node while another settled the attempt: neither saw the other's row.
_MISSED = """
SELECT r.account_uid, r.provider_message_id, a.delivery_id FROM channel_receipts r
JOIN channel_attempts a ON a.account_uid = r.account_uid AND a.provider_message_id = r.provider_message_id
  AND a.provider_message_id <> ''
LIMIT ?
"""


async def take_in(
    tx: Tx, part: AccountIntake, receipt: NewReceipt, now: At, policy: StorePolicy
) -> None:
    """Join a receipt to its delivery, or keep it until the attempt settles."""
    found = await tx.one(_FIND, (part.account_uid, receipt.provider_message_id))
    if found is not None:
        await apply(tx, DeliveryId(found[0]), receipt)
        return
    keep_until = now + policy.receipts_kept_s * 1000
    row = (part.account_uid, receipt.provider_message_id, receipt.status, receipt.at)
    kept = await tx.execute(_KEEP, (*row, receipt.detail, keep_until))
    tx.counts["channel_receipts"] += kept.rowcount


async def join_waiting(
    tx: Tx, delivery_id: DeliveryId, account_uid: AccountUid, provider_message_id: str
) -> None:
    """Apply receipts that came before the outcome of the attempt they speak of."""
    if not provider_message_id or not tx.figure("channel_receipts"):
        return
    await tx.settle_down()
    rows = await tx.execute(_WAITING, (account_uid, provider_message_id))
    for status, at, detail in sorted(rows, key=lambda row: RECEIPT_ORDER[row[0]]):
        tx.counts["channel_receipts"] -= 1
        await apply(tx, delivery_id, NewReceipt(provider_message_id, status, At(at), detail))


async def join_missed(tx: Tx, limit: int) -> int:
    """Join receipts whose attempt was settled by another node at the same moment."""
    missed = await tx.execute(_MISSED, (limit,))
    for account_uid, provider_message_id, delivery_id in missed:
        await join_waiting(tx, delivery_id, account_uid, provider_message_id)
    return len(missed)


async def apply(tx: Tx, delivery_id: DeliveryId, receipt: NewReceipt) -> None:
    """Move a delivery's receipt forward; `failed` turns `sent` into `failed`."""
    before = await standing_of(tx, delivery_id)
    if before is None:
        return
    # Another node may settle it now: look again once its lane is ours.
    await tx.lanes.by_id(before.lane_id)
    standing = await standing_of(tx, delivery_id)
    if standing is None or RECEIPT_ORDER[receipt.status] <= RECEIPT_ORDER[standing.receipt]:
        return
    await tx.execute(_FORWARD, (receipt.status, delivery_id))
    tell(tx, StepName.RECEIPT, delivery_id, standing, receipt.at, status=receipt.status)
    if receipt.status == "failed" and standing.state == DeliveryState.SENT:
        await fail(tx, delivery_id, standing, receipt.at, receipt.detail)


async def fail(tx: Tx, delivery_id: DeliveryId, standing: Standing, at: At, detail: str) -> None:
    """Turn a `sent` delivery into `failed`, as only a receipt may."""
    gone = (await tx.execute(_FAIL, (at, detail, delivery_id))).rowcount
    tx.moved("channel_outbox", "sent", "failed", gone)
    if gone:
        tell_taken_back(tx, delivery_id, standing, at)
