"""One try at a delivery: send once, classify, say what becomes of it."""

import random
from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from wunder.errors import ProviderFault
from wunder.model.account import Account
from wunder.model.delivery import SHOWN_AS, ClaimedDelivery, DeliveryState, Settlement
from wunder.model.fault import PERMANENT, Fault, FaultKind
from wunder.model.ids import At, DeliveryId
from wunder.model.provider import ProviderFacts, Sent
from wunder.observe.logs import get_logger
from wunder.outbound.retry import Circumstances, RetryPolicy, after_fault
from wunder.ports import Accounts, ChannelProvider, Clock, Providers

log = get_logger(__name__)
#: An edit shows the same however often it is made.
_ALWAYS_S = 10**9
_GONE = Fault(FaultKind.NOT_READY, "No provider serves this account now.")
_TOO_LATE = Fault(FaultKind.NOT_READY, "This node was away so long that others do its work.")


class Attempt:
    """Makes attempts: the only place where a send is called."""

    def __init__(
        self,
        accounts: Accounts,
        providers: Providers,
        clock: Clock,
        policy: RetryPolicy,
        dice: random.Random,
        holds: Callable[[int], bool],
    ) -> None:
        """Take what it needs; `holds` tells whether what was claimed in a life is still ours."""
        self._accounts = accounts
        self._providers = providers
        self._clock = clock
        self._policy = policy
        self._dice = dice
        self._holds = holds

    async def make(self, delivery: ClaimedDelivery) -> tuple[Settlement, Fault | None]:
        """Send `delivery` once; the settlement to commit, and the fault if there was one."""
        began = self._clock.monotonic()
        account = self._accounts.get(delivery.message.conversation.account_uid)
        provider = self._providers.serving(delivery.message.channel)
        if account is None or provider is None:
            return self._settle_fault(delivery, _GONE, account, None, 0), _GONE
        if not self._holds(delivery.epoch):
            return self._settle_fault(delivery, _TOO_LATE, account, None, 0), _TOO_LATE
        try:
            sent = await self._bring(provider, account, delivery)
        except ProviderFault as error:
            took_ms = self._since(began)
            fault = error.fault
            return self._settle_fault(delivery, fault, account, provider.facts, took_ms), fault
        except Exception as error:
            log.exception("attempt_failed_inside", delivery_id=delivery.delivery_id)
            fault = Fault(FaultKind.INTERNAL, type(error).__name__, outcome="unknown")
            took_ms = self._since(began)
            return self._settle_fault(delivery, fault, account, provider.facts, took_ms), fault
        return _settle_sent(delivery, sent, self._clock.now(), self._since(began)), None

    async def _bring(
        self, provider: ChannelProvider, account: Account, delivery: ClaimedDelivery
    ) -> Sent:
        """Send; what was shown while it was written gets its whole text by a last edit."""
        if delivery.shown_as:
            try:
                await provider.edit_outbound(account, delivery, self._clock.now(), is_final=True)
            except ProviderFault as error:
                if error.fault.outcome != "not_sent" or error.fault.kind not in PERMANENT:
                    raise
                # It cannot be shown there: it goes as a message of its own, under a key of its own.
                own = DeliveryId(f"{delivery.delivery_id}.final")
                return await _send(provider, account, replace(delivery, delivery_id=own))
            return Sent(delivery.shown_as)
        sent = await _send(provider, account, delivery)
        if delivery.shown_as is not None and delivery.had_unknown and sent.provider_message_id:
            # The platform may have taken this for a repeat of the beginning.
            shown = replace(delivery, part_state={SHOWN_AS: sent.provider_message_id})
            await provider.edit_outbound(account, shown, self._clock.now(), is_final=True)
        return sent

    def _settle_fault(
        self,
        delivery: ClaimedDelivery,
        fault: Fault,
        account: Account | None,
        facts: ProviderFacts | None,
        took_ms: int,
    ) -> Settlement:
        now = self._clock.now()
        given = Circumstances(
            now=now,
            jitter=self._dice.random(),
            idempotency_window_s=idempotency_window_s(delivery, facts),
            on_unknown=_on_unknown(account),
        )
        verdict = after_fault(fault, delivery, given, self._policy)
        return Settlement(
            delivery=delivery,
            state=verdict.state,
            at=now,
            outcome=verdict.outcome,
            error_kind=fault.kind,
            error=fault.message,
            provider_code=fault.provider_code,
            retry_at=verdict.retry_at,
            uses_retry=verdict.uses_retry,
            new_ordinal=verdict.new_ordinal,
            next_state=verdict.next_state,
            lane_until=verdict.lane_until,
            took_ms=took_ms,
        )

    def _since(self, began: float) -> int:
        return int((self._clock.monotonic() - began) * 1000)


async def _send(provider: ChannelProvider, account: Account, delivery: ClaimedDelivery) -> Sent:
    """Send; what the channel cannot show falls back to its plain text, once."""
    try:
        return await provider.send_outbound(account, delivery)
    except ProviderFault as error:
        message = delivery.message
        has_more_than_text = message.format != "plain" or message.attachments
        is_refused_feature = error.fault.kind is FaultKind.UNSUPPORTED_FEATURE
        if not (is_refused_feature and has_more_than_text and message.text):
            raise
    plain = replace(delivery.message, format="plain", attachments=())
    return await provider.send_outbound(account, replace(delivery, message=plain))


def _settle_sent(delivery: ClaimedDelivery, sent: Sent, now: At, took_ms: int) -> Settlement:
    has_more = sent.next_state is not None
    return Settlement(
        delivery=delivery,
        state=DeliveryState.SENDING if has_more else DeliveryState.SENT,
        at=now,
        outcome="sent",
        provider_message_id=sent.provider_message_id,
        raw_result=sent.raw_result,
        next_state=sent.next_state,
        took_ms=took_ms,
    )


def idempotency_window_s(delivery: ClaimedDelivery, facts: ProviderFacts | None) -> int | None:
    """How long the platform folds repeats of this delivery; None when it does not."""
    if delivery.shown_as:
        return _ALWAYS_S
    if facts is None or facts.idempotency_window_s is None:
        return None
    if facts.idempotency_applies_to == "replies" and delivery.message.reply_to is None:
        return None
    return facts.idempotency_window_s


def _on_unknown(account: Account | None) -> Literal["park", "retry_once"]:
    return account.row.config.delivery.on_unknown if account else "park"
