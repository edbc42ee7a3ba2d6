"""Read marks and "typing" while a turn runs: best effort, and never at a message's expense."""

from collections import Counter

import msgspec

from wunder.errors import ProviderFault
from wunder.model.account import Account
from wunder.model.fault import FaultKind
from wunder.model.ids import AccountUid
from wunder.model.message import InboundMessage
from wunder.model.provider import Activity
from wunder.observe.logs import get_logger
from wunder.ports import ChannelProvider, Clock, SendSlots
from wunder.streaming.policy import StreamPolicy

log = get_logger(__name__)
CAPABILITY = "activity"
_NOT_THERE = frozenset({FaultKind.UNSUPPORTED_FEATURE, FaultKind.METHOD_NOT_FOUND})


class Guest(msgspec.Struct, frozen=True):
    """To whom to be courteous: who wrote a message, on which account, through what."""

    message: InboundMessage
    account: Account
    provider: ChannelProvider

    @property
    def uid(self) -> AccountUid:
        """The account's id."""
        return self.account.uid


class Courtesy:
    """Calls `send_activity` for turns; what fails is left out, and nobody waits for it."""

    def __init__(self, slots: SendSlots, clock: Clock, policy: StreamPolicy) -> None:
        self._slots = slots
        self._clock = clock
        self._policy = policy
        self._under_way: Counter[AccountUid] = Counter()
        self._quiet_until: dict[AccountUid, float] = {}
        self._unknown: set[tuple[str, str, Activity]] = set()

    async def mark_read(self, guest: Guest) -> None:
        """Mark the message as read; it goes on when the turn has ended."""
        await self._show(guest, "read")

    async def keep_typing(self, guest: Guest) -> None:
        """Show "typing" until cancelled at the turn's end."""
        await self._clock.sleep(self._policy.typing_after_s)
        while True:
            await self._show(guest, "typing")
            await self._clock.sleep(self._policy.typing_every_s)

    async def _show(self, guest: Guest, kind: Activity) -> None:
        if not self._may(guest, kind):
            return
        self._under_way[guest.uid] += 1
        try:
            await guest.provider.send_activity(guest.account, guest.message, kind)
        except ProviderFault as error:
            fault, release = error.fault, guest.provider.facts.release
            if fault.kind in _NOT_THERE:
                self._unknown.add((*release.parts, kind))
                return
            pause_s = max(self._policy.activity_pause_s, fault.retry_after_s or 0.0)
            self._quiet_until[guest.uid] = self._clock.monotonic() + pause_s
            log.info("activity_not_shown", kind=fault.kind, account_uid=guest.uid)
        except Exception:
            # One courtesy of one turn: the answer comes all the same.
            log.exception("activity_failed_inside", account_uid=guest.uid)
        finally:
            self._under_way[guest.uid] -= 1

    def _may(self, guest: Guest, kind: Activity) -> bool:
        """Say whether this account could send right now, and is not courteous too often."""
        is_known = (*guest.provider.facts.release.parts, kind) not in self._unknown
        is_quiet = self._clock.monotonic() < self._quiet_until.get(guest.uid, 0.0)
        room = self._policy.activities_per_account - self._under_way[guest.uid]
        if is_quiet or room <= 0 or not is_known:
            return False
        grant = self._slots.reserve(guest.uid)
        if grant is None:
            return False
        self._slots.release(grant)
        return True
