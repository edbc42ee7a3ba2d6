"""`agent_replies`: later answers of agents, left by any node for the one whose turn waits."""

from collections.abc import Collection

import msgspec

from wunder.model.ids import TurnId
from wunder.model.turn import Reply
from wunder.store.reads import Reads
from wunder.store.unit import Transaction, Works

#: Nobody waits so long for an answer (`later_s`): its turn was answered otherwise, or failed.
FORGOTTEN_AFTER_MS = 3_600_000
#: What is asked for at once.
_AT_ONCE = 64
_IS_WAITED_FOR = "SELECT 1 FROM channel_messages WHERE state = 'answering' AND turn_id = ?"
_FORGET = "DELETE FROM agent_replies WHERE stored_at < ?"
_LEAVE = """
INSERT INTO agent_replies (turn_id, replies, stored_at) VALUES (?, ?, ?) ON CONFLICT (turn_id) DO NOTHING
"""
_MARKS = ", ".join("?" * _AT_ONCE)
_FIND = f"SELECT turn_id FROM agent_replies WHERE turn_id IN ({_MARKS})"  # noqa: S608 - constant
_TAKE = "DELETE FROM agent_replies WHERE turn_id = ? RETURNING replies"
#: What other nodes hear.
TOPIC = "replies"
_decode = msgspec.json.Decoder(tuple[Reply, ...]).decode


class SqlLaterTable:
    """Port LaterTable, on either engine."""

    def __init__(self, writer: Works, reader: Reads) -> None:
        self._writer = writer
        self._reader = reader

    async def leave(self, turn_id: TurnId, replies: tuple[Reply, ...]) -> bool:
        """Leave replies for whoever answers this turn; False where nobody does, or some lie there."""
        written = msgspec.json.encode(replies).decode()

        async def unit(tx: Transaction) -> bool:
            if await tx.first(_IS_WAITED_FOR, (turn_id,)) is None:
                return False
            await tx.run(_FORGET, (tx.now - FORGOTTEN_AFTER_MS,))
            left = await tx.run(_LEAVE, (turn_id, written, tx.now))
            tx.tell(TOPIC)
            return left.rowcount == 1

        return await self._writer.work(unit)

    async def take(self, turn_ids: Collection[TurnId]) -> dict[TurnId, tuple[Reply, ...]]:
        """Take what was left for these turns; it is nobody else's then."""
        asked = list(turn_ids)
        found: list[str] = []
        for at in range(0, len(asked), _AT_ONCE):
            some = asked[at : at + _AT_ONCE]
            marks = (*some, *[""] * (_AT_ONCE - len(some)))
            found += [row[0] for row in await self._reader.rows(_FIND, *marks)]
        taken: dict[TurnId, tuple[Reply, ...]] = {}

        async def unit(tx: Transaction) -> None:
            taken.clear()
            for turn_id in sorted(found):
                for (replies,) in await tx.run(_TAKE, (turn_id,)):
                    taken[TurnId(turn_id)] = _decode(replies)

        if found:
            await self._writer.work(unit)
        return taken
