"""Inline replies: a webhook is held until the reply to what it brought can travel in its response.

Source: delivery semantics, "Inline replies". Of several webhooks that hold the same message, the first
delivery or a platform's repeat, one gets the reply; afterwards the dispatcher sends normally.
"""

import msgspec

from wunder.errors import ProviderFault, StoreUnavailable
from wunder.inbound.intake import AccountParse
from wunder.model.delivery import (
    ClaimedDelivery,
    DeliveryState,
    InlineStanding,
    Settlement,
)
from wunder.model.ids import At, MessageId
from wunder.model.provider import InlineWindow, RawRequest, WebhookAnswer
from wunder.observe.logs import get_logger
from wunder.ports import ChannelProvider, Clock, Outbox, WakeUp

log = get_logger(__name__)


class InlinePolicy(msgspec.Struct, frozen=True):
    """`margin_s` before the platform gives up the answer must be on its way; `poll_s` without wake-up."""

    margin_s: float = 0.5
    poll_s: float = 0.25


class Held(msgspec.Struct, frozen=True):
    """A webhook that waits: for the reply to which message, of whom, and until when."""

    message_id: MessageId
    parse: AccountParse
    provider: ChannelProvider
    request: RawRequest
    window: InlineWindow


class InlineDesk:
    """Lets webhooks wait for replies (port Waiters)."""

    def __init__(self, outbox: Outbox, clock: Clock, policy: InlinePolicy) -> None:
        self._outbox = outbox
        self._clock = clock
        self._policy = policy
        self._waiting: dict[MessageId, WakeUp] = {}
        self._carried: dict[str, ClaimedDelivery] = {}

    def ended(self, message_id: MessageId) -> None:
        """Wake the webhook that holds a message whose turn was committed."""
        wake = self._waiting.get(message_id)
        if wake is not None:
            wake.set()

    async def answer(self, held: Held) -> WebhookAnswer | InlineStanding:
        """Wait for the reply and word it; OVER where there is none, WAITING where time is up."""
        wake = self._waiting.setdefault(held.message_id, WakeUp())
        try:
            while True:
                claimed = await self._claim(held)
                if isinstance(claimed, ClaimedDelivery):
                    return await self._word(held, claimed)
                if claimed is InlineStanding.OVER or self._left_s(held) <= 0:
                    return claimed
                await wake.pause(min(self._policy.poll_s, self._left_s(held)))
        finally:
            self._waiting.pop(held.message_id, None)

    async def handed_over(self, ticket: str, *, is_written: bool) -> None:
        """Settle a reply whose response was written, or may have been in part."""
        delivery = self._carried.pop(ticket, None)
        if delivery is None:
            return
        state = DeliveryState.SENT if is_written else DeliveryState.UNKNOWN
        outcome = "sent" if is_written else "unknown"
        await self._settle(delivery, state, outcome)

    async def _claim(self, held: Held) -> ClaimedDelivery | InlineStanding:
        grant = held.parse.facts.grant(held.parse.account.uid)
        try:
            return await self._outbox.claim_inline(held.message_id, grant, self._clock.now())
        except StoreUnavailable:
            return InlineStanding.WAITING

    async def _word(self, held: Held, delivery: ClaimedDelivery) -> WebhookAnswer | InlineStanding:
        """Have the channel word the reply; what cannot go this way goes the normal one."""
        account = held.parse.account
        try:
            answer = await held.provider.render_inline_reply(
                account, held.request, delivery.message
            )
        except ProviderFault as error:
            log.warning("inline_reply_not_worded", kind=error.fault.kind)
            await self._settle(delivery, DeliveryState.PENDING, "not_sent")
            return InlineStanding.OVER
        if self._left_s(held) <= 0:
            await self._settle(delivery, DeliveryState.PENDING, "not_sent")
            return InlineStanding.WAITING
        self._carried[delivery.attempt_id] = delivery
        return msgspec.structs.replace(answer, ticket=delivery.attempt_id)

    async def _settle(self, delivery: ClaimedDelivery, state: DeliveryState, outcome: str) -> None:
        now = self._clock.now()
        settlement = Settlement(
            delivery=delivery,
            state=state,
            at=now,
            outcome=outcome,  # type: ignore[arg-type]  # one of the three, by this file
            retry_at=now if state is DeliveryState.PENDING else None,
        )
        try:
            await self._outbox.settle([settlement])
        except StoreUnavailable as error:
            # The attempt row stays open: recovery judges it by the rule of unknown outcomes.
            log.warning("inline_outcome_not_stored", reason=error.code)

    def _left_s(self, held: Held) -> float:
        ends_at = At(held.window.answer_by - int(self._policy.margin_s * 1000))
        return (ends_at - self._clock.now()) / 1000
