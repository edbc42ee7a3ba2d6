"""What operators do to deliveries by hand: choose, replay, cancel, correct, let go after a restore."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from wunder.model.conversation import Conversation
from wunder.model.ids import At, DeliveryId, MessageId
from wunder.model.trail import StepName
from wunder.store.corrections import Correct
from wunder.store.filters import delivery_where
from wunder.store.held import Lanes
from wunder.store.new_life import RESTORED
from wunder.store.pairing import Reroute
from wunder.store.quarantine_table import put_back
from wunder.store.reads import Reads
from wunder.store.standing import tell
from wunder.store.states import (
    CANCELLABLE,
    REPLAYABLE,
    REPLAYABLE_BY_FORCE,
    TROUBLED_DELIVERIES,
    TROUBLED_MESSAGES,
)
from wunder.store.time_to_live import KEEP_TTL, TTL_MS
from wunder.store.unit import Transaction, Works
from wunder.upkeep.ledger import Correction, DeliveryFilter

_TO_REPLAY = """
SELECT o.account_uid, o.peer_kind, o.peer_id, o.thread_id, a.status, o.successor_id
FROM channel_outbox o LEFT JOIN channel_accounts a ON a.account_uid = o.account_uid
WHERE o.delivery_id = ?
"""
_REPLAY = f"""
UPDATE channel_outbox SET state = 'pending', lane_seq = ?, replays = replays + 1, retries_used = 0,
  collisions = 0, retry_at = NULL, not_before = NULL, settled_at = NULL,
  expires_at = ? + {TTL_MS}, {KEEP_TTL}
WHERE delivery_id = ? AND state IN ('failed', 'unknown', 'expired')
"""  # noqa: S608 - constants
#: What arrived is begun anew: the parts, what the platform said of them, and what shows it already.
_REPLAY_WHAT_ARRIVED = f"""
UPDATE channel_outbox SET state = 'pending', lane_seq = ?, replays = replays + 1, retries_used = 0,
  collisions = 0, retry_at = NULL, not_before = NULL, settled_at = NULL,
  expires_at = ? + {TTL_MS}, {KEEP_TTL},
  part = 0, part_state = NULL, had_unknown = 0, begun_plugin_id = NULL, begun_version = NULL,
  receipt = 'none', provider_message_id = '', error_kind = '', error = ''
WHERE delivery_id = ? AND state = 'sent'
"""  # noqa: S608 - constants
_CANCEL = """
UPDATE channel_outbox SET state = 'cancelled', settled_at = ?, retry_at = NULL
WHERE delivery_id = ? AND state IN ('pending', 'held')
"""
#: What a restore held is let go a few rows in each commit: there may be a day's worth of them.
_AT_ONCE = 200
_OF_CHANNEL = "(CAST(?1 AS TEXT) IS NULL OR channel = ?1) AND seq > ?2 ORDER BY seq LIMIT ?3"
_HELD = f"""
SELECT seq, delivery_id FROM channel_outbox
WHERE state = 'held' AND {TROUBLED_DELIVERIES} AND {_OF_CHANNEL}
"""  # noqa: S608 - constants
_STOOD_STILL = f"""
SELECT seq, message_id FROM channel_messages
WHERE state = 'failed' AND {TROUBLED_MESSAGES} AND reason = '{RESTORED}' AND {_OF_CHANNEL}
"""  # noqa: S608 - constants
_SET_ASIDE = f"""
SELECT seq, quarantine_id FROM channel_quarantine
WHERE reason = '{RESTORED}' AND is_sealed = 1 AND {_OF_CHANNEL}
"""  # noqa: S608 - constants
#: Its time begins anew; a clock that was set back takes none away.
_LET_GO = f"""
UPDATE channel_outbox SET state = 'pending', retry_at = NULL,
  expires_at = CASE WHEN ?1 + {TTL_MS} > expires_at THEN ?1 + {TTL_MS} ELSE expires_at END, {KEEP_TTL}
WHERE delivery_id = ?2 AND state = 'held'
"""  # noqa: S608 - constants

_LetGo = Callable[[Transaction, str], Coroutine[Any, Any, bool]]


class SqlOutboxDesk:
    """Port OutboxDesk."""

    def __init__(self, writer: Works, reader: Reads, lanes: Lanes, reroute: Reroute) -> None:
        self._writer = writer
        self._reader = reader
        self._lanes = lanes
        self._reroute = reroute

    async def replay(
        self, delivery_ids: Sequence[DeliveryId], now: At, by: str, *, is_forced: bool = False
    ) -> list[DeliveryId]:
        """Append finished deliveries at the tail of their lanes; the ids that were replayed."""
        replay = Replay(self._lanes, is_forced=is_forced)

        async def unit(tx: Transaction) -> list[DeliveryId]:
            return [one for one in delivery_ids if await replay(tx, one, now, by)]

        return await self._writer.work(unit)

    async def cancel(
        self, delivery_ids: Sequence[DeliveryId], now: At, by: str
    ) -> list[DeliveryId]:
        """End deliveries that wait or are held; the ids of those that will not go out."""

        async def unit(tx: Transaction) -> list[DeliveryId]:
            return [one for one in delivery_ids if await _cancel(self._lanes, tx, one, now, by)]

        return await self._writer.work(unit)

    async def correct(self, correction: Correction, now: At, by: str) -> DeliveryId | None:
        """Send a delivery anew with another text; the new one's id, None where that may not be."""
        correct = Correct(self._lanes)
        return await self._writer.work(lambda tx: correct(tx, correction, now, by))

    async def select(self, where: DeliveryFilter, limit: int) -> list[DeliveryId]:
        """Ids of deliveries that match, oldest first."""
        condition, values = delivery_where(where)
        sql = f"SELECT delivery_id FROM channel_outbox WHERE {condition} ORDER BY seq LIMIT ?"  # noqa: S608 - made of constants
        return [DeliveryId(row[0]) for row in await self._reader.rows(sql, *values, limit)]

    async def release_held(self, channel: str | None, now: At, by: str) -> int:
        """Let go what a restore held: deliveries, messages it had not answered, requests; how many.

        Where the store fails on the way, some have gone and the others wait to be let go again.
        """
        lanes, reroute = self._lanes, self._reroute
        gone = await self._each(
            _HELD, channel, lambda tx, one: _let_go(lanes, tx, DeliveryId(one), now, by)
        )
        gone += await self._each(
            _STOOD_STILL, channel, lambda tx, one: reroute(tx, MessageId(one), now)
        )
        return gone + await self._each(_SET_ASIDE, channel, put_back)

    async def _each(self, sql: str, channel: str | None, let_go: _LetGo) -> int:
        """Let go what a query finds, a few in each commit; how many went."""
        gone, cursor = 0, 0
        while True:
            step = partial(_some, sql=sql, after=(channel, cursor, _AT_ONCE), let_go=let_go)
            went, last = await self._writer.work(step)
            gone += went
            if last is None:
                return gone
            cursor = last


async def _some(
    tx: Transaction, sql: str, after: tuple[str | None, int, int], let_go: _LetGo
) -> tuple[int, int | None]:
    """Let some go; how many went, and the number of the last: None at the end."""
    rows = await tx.run(sql, after)
    went = sum([await let_go(tx, one) for _seq, one in rows])
    return went, rows[-1][0] if rows else None


class Replay:
    """Appends finished deliveries at the tail of their lanes; forced, also those that arrived."""

    def __init__(self, lanes: Lanes, *, is_forced: bool = False) -> None:
        self._lanes = lanes
        self._states = REPLAYABLE_BY_FORCE if is_forced else REPLAYABLE

    async def __call__(self, tx: Transaction, delivery_id: DeliveryId, now: At, by: str) -> bool:
        """Append one; False where it may not go out again."""
        found = await self._lanes.look(tx, delivery_id)
        row = await tx.first(_TO_REPLAY, (delivery_id,))
        if row is None or found is None or found.standing.state not in self._states:
            return False
        *peer, account_status, successor_id = row
        if account_status == "deleted" or successor_id:
            return False
        arrived = found.standing.state not in REPLAYABLE
        lane_seq = await self._lanes.enter(tx, Conversation(*peer), now)
        sql = _REPLAY_WHAT_ARRIVED if arrived else _REPLAY
        await tx.run(sql, (lane_seq, now, delivery_id))
        tx.moved("channel_outbox", found.standing.state, "pending")
        said = {"forced": True} if arrived else {}
        tell(tx, StepName.REPLAYED, delivery_id, found.standing, now, by=by, **said)
        return True


async def _cancel(lanes: Lanes, tx: Transaction, delivery_id: DeliveryId, now: At, by: str) -> bool:
    found = await lanes.look(tx, delivery_id)
    if found is None or found.standing.state not in CANCELLABLE:
        return False
    await tx.run(_CANCEL, (now, delivery_id))
    tx.moved("channel_outbox", found.standing.state, "cancelled")
    await found.lane.leave(now, delivery_id)
    tell(tx, StepName.CANCELLED, delivery_id, found.standing, now, by=by)
    return True


async def _let_go(lanes: Lanes, tx: Transaction, delivery_id: DeliveryId, now: At, by: str) -> bool:
    found = await lanes.look(tx, delivery_id)
    if found is None or not (await tx.run(_LET_GO, (now, delivery_id))).rowcount:
        return False
    tx.moved("channel_outbox", "held", "pending")
    await found.lane.refresh(now)
    tell(tx, StepName.REPLAYED, delivery_id, found.standing, now, by=by, held=True)
    return True
