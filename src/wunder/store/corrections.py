"""A delivery that did not arrive, sent anew with the text that a person corrected."""

from typing import Any

from wunder.model.conversation import Conversation
from wunder.model.ids import At, DeliveryId, derived_id
from wunder.model.trail import Step, StepName
from wunder.store.held import Lanes
from wunder.store.settled import next_ordinal
from wunder.store.standing import tell
from wunder.store.time_to_live import TTL_MS
from wunder.store.unit import Transaction
from wunder.upkeep.ledger import CORRECTABLE, Correction

_TO_CORRECT = f"""
SELECT successor_id, {TTL_MS},
  (SELECT status FROM channel_accounts a WHERE a.account_uid = channel_outbox.account_uid)
FROM channel_outbox WHERE delivery_id = ?
"""  # noqa: S608 - constant
#: What the new message has in common with the old one: everything but its id, its words and its time.
_SHARED = """account_uid, peer_kind, peer_id, thread_id, channel, account_id, peer_name, thread_topic, format,
  content, meta, reply_to, in_reply_to, turn_id, agent_id, binding_id, session_id"""
_WIDTH = _SHARED.count(",") + 1
_SAID = f"SELECT {_SHARED} FROM channel_messages WHERE message_id = ? AND direction = 'out'"  # noqa: S608 - constant
#: The next line of the session: whoever reads on there sees what was said in the end.
_GROW = """
UPDATE channel_sessions SET message_count = message_count + 1, last_message_at = ? WHERE session_id = ?
RETURNING message_count - 1
"""
_SAY = f"""
INSERT INTO channel_messages ({_SHARED}, message_id, direction, text, session_seq, created_at)
VALUES ({", ".join("?" * _WIDTH)}, ?, 'out', ?, ?, ?)
"""  # noqa: S608 - constant
_QUEUE = """
INSERT INTO channel_outbox (delivery_id, message_id, root_message_id, account_uid, peer_kind, peer_id,
  thread_id, channel, account_id, state, lane_id, lane_seq, reply_ordinal, expires_at, created_at,
  predecessor_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?)
"""
_NAME_SUCCESSOR = "UPDATE channel_outbox SET successor_id = ? WHERE delivery_id = ?"


class Correct:
    """Sends a delivery anew, corrected: a message of its own, at the tail of the same lane."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    async def __call__(
        self, tx: Transaction, correction: Correction, now: At, by: str
    ) -> DeliveryId | None:
        """Queue it; the new delivery's id. None: the old one is not over, arrived, or has a successor.

        Likewise where its account is deleted or its message was never finished.
        """
        old_id = correction.delivery_id
        # A turn of this batch may have made the session longer.
        await tx.settle_down()
        found = await self._lanes.look(tx, old_id)
        row = await tx.first(_TO_CORRECT, (old_id,))
        if found is None or row is None:
            return None
        successor_id, ttl_ms, account_status = row
        new_id = DeliveryId(derived_id(correction.message_id, "delivery"))
        if successor_id == new_id:
            # The unit ran before: its commit was not heard of.
            return new_id
        said = await tx.first(_SAID, (found.standing.message_id,))
        if (
            found.standing.state not in CORRECTABLE
            or successor_id
            or account_status == "deleted"
            or said is None
        ):
            return None
        await _say(tx, correction, said, now)
        lane_seq = await self._lanes.enter(tx, Conversation(*said[:4]), now)
        root = found.standing.root_message_id
        # Platforms that count replies to a message take the same number for the same reply.
        ordinal = await next_ordinal(tx, found.standing) if root is not None else 0
        place = found.standing.lane_id, lane_seq, ordinal
        row = (new_id, correction.message_id, root, *said[:6], *place, now + ttl_ms, now, old_id)
        await tx.run(_QUEUE, row)
        tx.moved("channel_outbox", None, "pending")
        await tx.run(_NAME_SUCCESSOR, (new_id, old_id))
        tell(tx, StepName.CORRECTED, old_id, found.standing, now, by=by, successor=new_id)
        tx.step(
            Step(
                message_id=root or correction.message_id,
                step=StepName.QUEUED,
                at=now,
                account_uid=found.standing.account_uid,
                account_id=found.standing.account_id,
                delivery_id=new_id,
                detail={"by": by, "predecessor": old_id},
            )
        )
        return new_id


async def _say(tx: Transaction, correction: Correction, said: tuple[Any, ...], now: At) -> None:
    session_id = said[-1]
    grown = await tx.first(_GROW, (now, session_id)) if session_id else None
    session_seq = grown[0] if grown else None
    await tx.run(_SAY, (*said, correction.message_id, correction.text, session_seq, now))
    tx.counts["channel_messages_out"] += 1
