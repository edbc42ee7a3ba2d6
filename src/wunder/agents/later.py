"""Turns whose agent answered 202 and will send its replies later."""

import asyncio
import contextlib
import hmac
from collections.abc import Iterator

from wunder.model.ids import TurnId
from wunder.model.turn import Reply

Replies = tuple[Reply, ...]


class LaterReplies:
    """Who waits for which turn; only that turn's own token lets replies in, and only once."""

    def __init__(self) -> None:
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

    def accept(self, turn_id: TurnId, token: str, replies: Replies) -> bool:
        """Hand replies to the turn that waits; False where none does or the token is not its own."""
        expected, came = self._waiting.get(turn_id, ("", None))
        given = token.encode("utf-8", "surrogatepass")
        if came is None or not hmac.compare_digest(expected.encode(), given) or came.done():
            return False
        came.set_result(replies)
        return True
