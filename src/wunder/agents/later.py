"""Turns whose agent answered 202 and will send its replies later, to this node or to another one."""

import asyncio
import contextlib
import hmac
from collections.abc import Collection, Iterator
from typing import Protocol

from wunder.model.ids import TurnId
from wunder.model.turn import Reply

Replies = tuple[Reply, ...]


class LaterTable(Protocol):
    """Where a node leaves what came for a turn that another node answers. May raise StoreUnavailable."""

    async def leave(self, turn_id: TurnId, replies: Replies) -> bool:
        """Leave replies; False where nobody answers this turn, or some lie there."""

    async def take(self, turn_ids: Collection[TurnId]) -> dict[TurnId, Replies]:
        """Take what was left for these turns; it is nobody else's then."""


class LaterReplies:
    """Who waits for which turn; only that turn's own token lets replies in, and only once."""

    def __init__(self, table: LaterTable) -> None:
        self._table = table
        self._waiting: dict[TurnId, tuple[str, asyncio.Future[Replies]]] = {}

    @contextlib.contextmanager
    def expect(self, turn_id: TurnId, token: str) -> Iterator[asyncio.Future[Replies]]:
        """Let replies in while the block runs; begun before the request, which they may overtake."""
        came: asyncio.Future[Replies] = asyncio.get_running_loop().create_future()
        self._waiting[turn_id] = (token, came)
        try:
            yield came
        finally:
            if self._waiting.get(turn_id, ("", None))[1] is came:
                del self._waiting[turn_id]
            came.cancel()

    async def accept(
        self, turn_id: TurnId, token: str, replies: Replies, *, is_genuine: bool
    ) -> bool:
        """Hand replies to the turn that waits; False where none does or the token is not its own.

        Args:
            turn_id: whose.
            token: what the sender showed.
            replies: what the agent says.
            is_genuine: the token is the turn's by an agent of ours, so another node may wait.
        """
        expected, came = self._waiting.get(turn_id, ("", None))
        if came is None:
            return is_genuine and await self._table.leave(turn_id, replies)
        given = token.encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(expected.encode(), given) or came.done():
            return False
        came.set_result(replies)
        return True

    async def look(self) -> None:
        """Take what other nodes left for turns that wait here."""
        waits = [turn_id for turn_id, (_, came) in self._waiting.items() if not came.done()]
        if not waits:
            return
        for turn_id, replies in (await self._table.take(waits)).items():
            _, came = self._waiting.get(turn_id, ("", None))
            if came is not None and not came.done():
                came.set_result(replies)
