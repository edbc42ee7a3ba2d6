"""Room 2's door to the tables, but for what an engine does in its own way to be fast: claim and commit."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from wunder.model.ids import AccountUid, At, MessageId
from wunder.model.turn import ClaimedTurn
from wunder.store.again import giving_back
from wunder.store.lookout import Lookout
from wunder.store.unit import Works
from wunder.store.upkeep import Moves


class Commits(Works, Protocol):
    """The writer of an engine, with units of its own kind."""

    async def commit(self, unit: Callable[[Any], Any]) -> Any:
        """Run a unit in the next group commit; its result is durable when this returns."""


class TurnClaims:
    """Claims on the turn lanes, and messages that wait once more."""

    def __init__(
        self,
        writer: Commits,
        moves: Moves,
        claim: Callable[[Any, AccountUid | None, At, int], Any],
        waiting: Callable[[], int],
    ) -> None:
        """Take an engine's unit that claims heads, of a suspect where no account is named before it."""
        self._writes = writer
        self._moves = moves
        self._claim = claim
        self._served = AccountUid("")  # whose turn it was last: the rotation goes on after it
        self._lookout = Lookout(waiting)

    async def claim(self, limit: int, now: At) -> list[ClaimedTurn]:
        """Claim heads in `received`, fairly between accounts, longest ready first, never a suspect."""
        if self._lookout.is_quiet(now):
            return []
        claimed: list[ClaimedTurn] = await self._writes.commit(
            lambda tx: self._claim(tx, self._served, now, limit)
        )
        if claimed:
            self._served = claimed[-1].message.conversation.account_uid
        return claimed

    async def claim_suspect(self, now: At) -> ClaimedTurn | None:
        """Claim one suspect; the caller runs it alone."""
        claimed = await self._writes.commit(lambda tx: self._claim(tx, None, now, 1))
        return claimed[0] if claimed else None

    async def give_back(self, turns: Sequence[ClaimedTurn]) -> None:
        """Return claims that do not count as unfinished."""
        await self._writes.work(giving_back(self._moves.lanes, turns))

    async def reroute(self, message_ids: Sequence[MessageId], now: At) -> int:
        """Put `unrouted` and `failed` messages back at the tail of their lanes; how many moved."""
        return await self._writes.work(self._moves.reroute.each(message_ids, now))
