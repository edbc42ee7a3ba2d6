"""After the wall clock was set back: what waits for a time of before must not wait for hours."""

from wunder.model.ids import At
from wunder.store.policy import StorePolicy
from wunder.store.states import LIVE_DELIVERIES
from wunder.store.unit import Transaction, Unit

#: A lane that rests does so for a call that may still be running: that bound stays its own.
_RESTS = "UPDATE channel_lanes SET rests_until = ?1 WHERE rests_until > ?1"
_TURNS = "UPDATE channel_lanes SET ready_at = ?1 WHERE ready_at > ?1 AND kind = 'turn'"
_LANES = """
UPDATE channel_lanes SET ready_at = CASE WHEN rests_until > ?1 THEN rests_until ELSE ?1 END
WHERE ready_at > ?1 AND kind = 'delivery'
"""
_RETRIES = f"""
UPDATE channel_outbox SET retry_at = ?1 WHERE state = 'pending' AND {LIVE_DELIVERIES} AND retry_at > ?1
"""  # noqa: S608 - constant
_ATTACHMENTS = "UPDATE attachments SET retry_at = ?1 WHERE state = 'waiting' AND retry_at > ?1"
_SPOOL = "UPDATE channel_spool SET retry_at = ?1 WHERE retry_at > ?1"


def nothing_waits_for_long(policy: StorePolicy) -> Unit[None]:
    """Cap every time that something waits for at now plus the longest backoff."""

    async def unit(tx: Transaction) -> None:
        latest = At(tx.now + int(policy.max_backoff_s * 1000))
        await tx.run(_RESTS, (At(tx.now + int(policy.tombstone_s * 1000)),))
        await tx.run(_TURNS, (tx.now,))
        await tx.run(_LANES, (latest,))
        await tx.run(_RETRIES, (latest,))
        await tx.run(_SPOOL, (latest,))
        await tx.run(_ATTACHMENTS, (latest,))

    return unit
