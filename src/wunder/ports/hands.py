"""Hand-over between rooms: a committed row plus a wake-up, and free hands that save a commit."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol, TypeVar

from wunder.model.conversation import Conversation
from wunder.model.delivery import ClaimedDelivery, SendGrant
from wunder.model.ids import AccountUid, At, MessageId
from wunder.model.turn import ClaimedTurn, Shown

Work = TypeVar("Work", contravariant=True)


class WakeUp(asyncio.Event):
    """What a worker sleeps on; `set` by whoever committed a row for it."""

    async def pause(self, at_most_s: float) -> None:
        """Sleep until it is set, at most so long; then it has to be set anew."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self.wait()
        self.clear()


class Hands(Protocol[Work]):
    """Free hands of the next room: lets a row be born already claimed, saving a commit.

    `reserve` grants up to `wanted` slots; what is not given back by `release` or used by `give` is
    lost. `wake` says that rows wait. All are synchronous and never block.
    """

    def reserve(self, wanted: int) -> int:
        """Grant up to `wanted` slots."""

    def release(self, count: int) -> None:
        """Take slots back unused."""

    def give(self, work: Work) -> None:
        """Take over work that was claimed under a reserved slot."""

    def wake(self) -> None:
        """Learn that rows wait."""


class Waiters(Protocol):
    """Room 1's webhooks that wait for the reply to what they brought."""

    def ended(self, message_id: MessageId) -> None:
        """Learn that the turn of a message was committed."""


class Interrupter(Protocol):
    """Room 2's ear for `/stop`: it does not wait in the conversation's lane."""

    def interrupt(self, conversation: Conversation) -> bool:
        """End the running turn of a conversation; False when none runs on this node."""


class Stage(Protocol):
    """Where the reply to a running turn is shown while it is written, if its platform can."""

    def show(self, turn: ClaimedTurn, expires_at: At) -> AbstractAsyncContextManager[Shown]:
        """Show what is said while the block runs; nothing is under way any more at its end."""


class SendSlots(Protocol):
    """Room 3's free hands: a slot names the release that will write the frame."""

    def reserve(self, account_uid: AccountUid) -> SendGrant | None:
        """One slot, or None when this account cannot send right now."""

    def release(self, grant: SendGrant) -> None:
        """Take a reserved slot back unused."""

    def give(self, delivery: ClaimedDelivery) -> None:
        """Take over a delivery that was marked under a reserved slot."""

    def wake(self, account_uid: AccountUid | None = None) -> None:
        """Learn that deliveries wait."""
