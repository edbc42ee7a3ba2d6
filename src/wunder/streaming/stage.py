"""The stage on which running turns show their replies (port Stage)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from wunder.model.account import Account
from wunder.model.ids import At
from wunder.model.turn import ClaimedTurn, Shown
from wunder.observe.logs import get_logger
from wunder.ports import Accounts, ChannelProvider, Clock, Providers, SendSlots
from wunder.streaming.courtesy import CAPABILITY as COURTEOUS
from wunder.streaming.courtesy import Courtesy, Guest
from wunder.streaming.doors import Streams
from wunder.streaming.policy import StreamPolicy
from wunder.streaming.showing import Showing, Spotlight

if TYPE_CHECKING:
    from asyncio import TaskGroup

log = get_logger(__name__)
CAPABILITY = "edit"


class Stage:
    """Shows replies where the platform can edit and the account wants it, "typing" where it can.

    Frames are written by tasks of this room: a turn that is stopped does not cut one off.
    """

    def __init__(
        self,
        streams: Streams,
        accounts: Accounts,
        providers: Providers,
        slots: SendSlots,
        clock: Clock,
        policy: StreamPolicy,
    ) -> None:
        self._streams = streams
        self._accounts = accounts
        self._providers = providers
        self._slots = slots
        self._clock = clock
        self._policy = policy
        self._courtesy = Courtesy(slots, clock, policy)
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Let frames be written until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            await asyncio.Event().wait()

    def show(self, turn: ClaimedTurn, expires_at: At) -> AbstractAsyncContextManager[Shown]:
        """Show what is said while the block runs; nothing is under way any more at its end."""
        account = self._accounts.get(turn.message.conversation.account_uid)
        provider = self._providers.serving(turn.message.channel)
        if account is None or provider is None or turn.inline_until is not None:
            return nullcontext(Shown())
        guest, showing = None, None
        if provider.facts.capabilities.get(COURTEOUS):
            guest = Guest(turn.message, account, provider)
        if _can_show(turn, account, provider):
            light = Spotlight(account, provider, self._streams, self._slots)
            showing = Showing(turn, light, expires_at, self._clock, self._policy)
        return self._show(showing, guest) if showing or guest else nullcontext(Shown())

    @asynccontextmanager
    async def _show(self, showing: Showing | None, guest: Guest | None) -> AsyncIterator[Shown]:
        if self._tasks is None:
            yield Shown()
            return
        typing = None
        if guest is not None:
            self._tasks.create_task(self._courtesy.mark_read(guest), name="mark read")
            typing = self._tasks.create_task(self._courtesy.keep_typing(guest), name="typing")
        if showing is not None:
            self._tasks.create_task(showing.run(), name="reply on stage")
        try:
            yield showing.shown if showing is not None else Shown()
        finally:
            if typing is not None:
                typing.cancel()
            if showing is not None:
                await showing.end()


def _can_show(turn: ClaimedTurn, account: Account, provider: ChannelProvider) -> bool:
    """A channel that edits in some conversations only says so in the message's own meta."""
    return (
        turn.message.meta.get("streams") is not False
        and provider.facts.capabilities.get(CAPABILITY, False)
        and account.row.config.delivery.stream
    )
