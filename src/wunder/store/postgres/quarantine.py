"""The quarantine: what arrived and could not become a message; bounded, shown, replayable."""

from wunder.model.intake import AccountIntake, NewQuarantine
from wunder.store.policy import StorePolicy
from wunder.store.postgres.transaction import Tx
from wunder.store.quarantine import DROP_OLDEST, INSERT, Context, quarantine_row


async def set_aside(
    tx: Tx,
    part: AccountIntake,
    item: NewQuarantine,
    quarantine_id: str,
    context: Context,
    policy: StorePolicy,
) -> None:
    """Keep an item; the account's oldest beyond the bound go."""
    await keep(tx, quarantine_row(part, item, quarantine_id, context), policy)


async def keep(tx: Tx, row: tuple[object, ...], policy: StorePolicy) -> None:
    """Insert a row in the order of the columns; a second time is a no-op."""
    if (await tx.execute(INSERT, row)).rowcount:
        gone = (await tx.execute(DROP_OLDEST, (row[1], policy.quarantine_rows))).rowcount
        tx.counts["channel_quarantine"] += 1 - gone
