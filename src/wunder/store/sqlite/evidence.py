"""Late successes within the plain functions of the message path."""

from wunder.model.delivery import Evidence
from wunder.store.evidence import LateSuccess
from wunder.store.policy import StorePolicy
from wunder.store.sqlite.held import LANES
from wunder.store.sqlite.receipts import RECEIPTS
from wunder.store.sqlite.transaction import Tx, finished

LATE = LateSuccess(LANES, RECEIPTS)


def confirm(tx: Tx, late: Evidence, policy: StorePolicy) -> bool:
    """Take a late success into account; False when there is no such attempt."""
    return finished(LATE.confirm(tx, late, policy))
