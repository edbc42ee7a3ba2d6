"""Late successes over locked lanes."""

from wunder.store.evidence import LateSuccess
from wunder.store.postgres.held import LANES
from wunder.store.postgres.receipts import RECEIPTS

LATE = LateSuccess(LANES, RECEIPTS)
confirm = LATE.confirm
