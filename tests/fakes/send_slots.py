"""Send slots that only count, and keep the deliveries they were given."""

from wunder.model.delivery import ClaimedDelivery, ReleaseRef, SendGrant
from wunder.model.ids import AccountUid


class FakeSendSlots:
    """`free` slots for every account together."""

    def __init__(self, free: int = 0, release: ReleaseRef | None = None) -> None:
        self.free = free
        self.release_ref = release or ReleaseRef("chat", "builtin@test")
        self.given: list[ClaimedDelivery] = []
        self.wakes = 0

    def reserve(self, account_uid: AccountUid) -> SendGrant | None:
        if self.free == 0:
            return None
        self.free -= 1
        return SendGrant(account_uid, self.release_ref)

    def release(self, grant: SendGrant) -> None:
        self.free += grant.limit

    def give(self, delivery: ClaimedDelivery) -> None:
        self.given.append(delivery)

    def wake(self, account_uid: AccountUid | None = None) -> None:
        self.wakes += 1
