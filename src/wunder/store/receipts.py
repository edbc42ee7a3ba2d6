"""Receipts: what the platform says later. They move forward only, and `failed` wins."""

from wunder.model.delivery import RECEIPT_ORDER, DeliveryState
from wunder.model.ids import AccountUid, At, DeliveryId
from wunder.model.intake import AccountIntake, NewReceipt
from wunder.model.trail import StepName
from wunder.store.held import Lanes
from wunder.store.policy import StorePolicy
from wunder.store.standing import Standing, tell, tell_taken_back
from wunder.store.unit import Transaction

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


class Receipts:
    """Receipts of an engine, within units of work."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    async def take_in(
        self,
        tx: Transaction,
        part: AccountIntake,
        receipt: NewReceipt,
        now: At,
        policy: StorePolicy,
    ) -> None:
        """Join a receipt to its delivery, or keep it until the attempt settles."""
        found = await tx.first(_FIND, (part.account_uid, receipt.provider_message_id))
        if found is not None:
            await self.apply(tx, DeliveryId(found[0]), receipt)
            return
        keep_until = now + policy.receipts_kept_s * 1000
        row = (part.account_uid, receipt.provider_message_id, receipt.status, receipt.at)
        kept = await tx.run(_KEEP, (*row, receipt.detail, keep_until))
        tx.counts["channel_receipts"] += kept.rowcount

    async def join_waiting(
        self,
        tx: Transaction,
        delivery_id: DeliveryId,
        account_uid: AccountUid,
        provider_message_id: str,
    ) -> None:
        """Apply receipts that came before the outcome of the attempt they speak of."""
        if not may_wait(tx, provider_message_id):
            return
        await tx.settle_down()
        rows = await tx.run(_WAITING, (account_uid, provider_message_id))
        for status, at, detail in sorted(rows, key=lambda row: RECEIPT_ORDER[row[0]]):
            tx.counts["channel_receipts"] -= 1
            receipt = NewReceipt(provider_message_id, status, At(at), detail)
            await self.apply(tx, delivery_id, receipt)

    async def apply(self, tx: Transaction, delivery_id: DeliveryId, receipt: NewReceipt) -> None:
        """Move a delivery's receipt forward; `failed` turns `sent` into `failed`."""
        found = await self._lanes.look(tx, delivery_id)
        if found is None:
            return
        standing = found.standing
        if RECEIPT_ORDER[receipt.status] <= RECEIPT_ORDER[standing.receipt]:
            return
        await tx.run(_FORWARD, (receipt.status, delivery_id))
        tell(tx, StepName.RECEIPT, delivery_id, standing, receipt.at, status=receipt.status)
        if receipt.status == "failed" and standing.state == DeliveryState.SENT:
            await fail(tx, delivery_id, standing, receipt.at, receipt.detail)


def may_wait(tx: Transaction, provider_message_id: str) -> bool:
    """False where certainly no receipt waits for this attempt, as for most."""
    return bool(provider_message_id and tx.figure("channel_receipts"))


async def fail(
    tx: Transaction, delivery_id: DeliveryId, standing: Standing, at: At, detail: str
) -> None:
    """Turn a `sent` delivery into `failed`, as only a receipt may."""
    gone = (await tx.run(_FAIL, (at, detail, delivery_id))).rowcount
    tx.moved("channel_outbox", "sent", "failed", gone)
    if gone:
        tell_taken_back(tx, delivery_id, standing, at)
