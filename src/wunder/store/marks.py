"""Deliveries and their attempts as they are written: queued, marked, begun, answered."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from wunder.model.delivery import ClaimedDelivery, SendGrant, Settlement
from wunder.model.ids import At, DeliveryId
from wunder.model.message import OutboundMessage
from wunder.store.delivery_rows import (
    Head,
    NewDelivery,
    SendFacts,
    attempt_row,
    born_as,
    claimed,
    facts_of,
    head_and_message,
    head_born,
    mark_row,
    outbox_row,
    queued_step,
    sending_step,
)
from wunder.store.outgoing import Outgoing, reply_delivery
from wunder.store.place import Place
from wunder.store.policy import StorePolicy
from wunder.store.standing import raw_result_json
from wunder.store.unit import Transaction


class Marks(NamedTuple):
    """The statements of an engine, and what is written with them, or read to write it."""

    insert_delivery: Any
    mark_delivery: Any
    insert_attempt: Any
    settle_attempt: Any
    find_delivery: Any

    def insert(
        self, tx: Transaction, new: NewDelivery, facts: SendFacts | None, fence: int
    ) -> ClaimedDelivery | None:
        """Queue a delivery; with `facts` it is born `sending` under `fence`, with its attempt row."""
        tx.put(self.insert_delivery, outbox_row(new, facts, fence, tx.epoch))
        tx.moved("channel_outbox", None, born_as(facts))
        tx.step(queued_step(new))
        if facts is None:
            return None
        return self.begin(tx, (head_born(new), new.message), facts, new.at, fence)

    def mark(
        self,
        tx: Transaction,
        found: tuple[Head, OutboundMessage],
        facts: SendFacts,
        now: At,
        fence: int,
    ) -> ClaimedDelivery:
        """Move a pending head to `sending` under `fence` with its attempt row (T3)."""
        tx.put(self.mark_delivery, mark_row(found[0], facts, fence, tx.epoch, now))
        tx.moved("channel_outbox", "pending", "sending")
        return self.begin(tx, found, facts, now, fence)

    async def find(
        self, tx: Transaction, delivery_id: DeliveryId
    ) -> tuple[Head, OutboundMessage] | None:
        """A delivery, wherever it stands, and its message."""
        return head_and_message(await tx.first(self.find_delivery, (delivery_id,)))

    def begin(
        self,
        tx: Transaction,
        found: tuple[Head, OutboundMessage],
        facts: SendFacts,
        now: At,
        fence: int,
    ) -> ClaimedDelivery:
        """Write the attempt row of a delivery that is `sending`; `head` is as before this attempt."""
        head, message = found
        tx.put(self.insert_attempt, attempt_row(head, message, facts.release, now, fence))
        tx.step(sending_step(head, message, facts.release, now))
        return claimed(head, message, facts.release, now, fence, tx.epoch)

    def settle(self, tx: Transaction, done: Settlement, policy: StorePolicy) -> None:
        """Write an outcome on the row of its attempt."""
        tx.put(self.settle_attempt, attempt_end_row(done, policy))

    def queue(
        self,
        tx: Transaction,
        going: Outgoing,
        numbered: Sequence[tuple[int, OutboundMessage]],
        grant: SendGrant | None,
        place: Place,
    ) -> list[ClaimedDelivery]:
        """Queue replies, each with its number in the turn, at a place; those born `sending`."""
        born: list[ClaimedDelivery] = []
        for position, (ordinal, message) in enumerate(numbered):
            at = (place.lane_id, place.first_seq)
            new = reply_delivery(going, message, position, ordinal, at)
            is_born = grant is not None and place.is_free and position == 0
            facts = facts_of(grant) if grant is not None and is_born else None
            delivery = self.insert(tx, new, facts, place.fence)
            if delivery is not None:
                born.append(delivery)
        return born


def attempt_end_row(done: Settlement, policy: StorePolicy) -> tuple[Any, ...]:
    """An outcome on the row of its attempt."""
    return (
        done.at,
        done.outcome,
        done.error_kind,
        done.error,
        done.provider_code,
        done.provider_message_id,
        raw_result_json(done.raw_result, policy),
        done.took_ms,
        done.delivery.delivery_id,
        done.delivery.attempt_no,
    )
