"""The table behind this room: nobody else asks it, so it is not on the page of doors."""

from typing import Protocol

from wunder.model.delivery import ClaimedDelivery, SendGrant, Settlement
from wunder.model.ids import At
from wunder.model.turn import ClaimedTurn


class Streams(Protocol):
    """Deliveries in `streaming`: begun before their message exists; T2 ends them."""

    async def begin(
        self, turn: ClaimedTurn, grant: SendGrant, now: At, expires_at: At
    ) -> ClaimedDelivery | None:
        """Make the delivery of a turn's first reply with an attempt, or find that of an earlier run.

        `shown_as` of what is found is the platform's id, where that is known. None: another delivery
        is before it in its lane, or it was parked. Raises: FenceLost.
        """

    def is_ours(self, delivery: ClaimedDelivery) -> bool:
        """False once another node may go on with what was begun: then no frame may be written."""

    async def settle(self, done: Settlement) -> None:
        """Record what became of the first frame, before another is sent.

        SENT: shown, its id is known. STREAMING: it is not there, or its key may be used again.
        UNKNOWN: it may be there and must not be repeated: parked.
        """
