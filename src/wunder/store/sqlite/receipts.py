"""Receipts within the plain functions of the message path."""

from wunder.model.ids import AccountUid, At, DeliveryId
from wunder.model.intake import AccountIntake, NewReceipt
from wunder.store import receipts
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.transaction import Tx, finished
from wunder.store.standing import Standing

RECEIPTS = receipts.Receipts(LANES)


def take_in(tx: Tx, part: AccountIntake, receipt: NewReceipt, now: At, policy: StorePolicy) -> None:
    """Join a receipt to its delivery, or keep it until the attempt settles."""
    finished(RECEIPTS.take_in(tx, part, receipt, now, policy))


def join_waiting(
    tx: Tx, delivery_id: DeliveryId, account_uid: AccountUid, provider_message_id: str
) -> None:
    """Apply receipts that came before the outcome of the attempt they speak of."""
    if receipts.may_wait(tx, provider_message_id):
        finished(RECEIPTS.join_waiting(tx, delivery_id, account_uid, provider_message_id))


def fail(tx: Tx, delivery_id: DeliveryId, standing: Standing, at: At, detail: str) -> None:
    """Turn a `sent` delivery into `failed`, as only a receipt may."""
    finished(receipts.fail(tx, delivery_id, standing, at, detail))
