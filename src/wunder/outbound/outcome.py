"""Tells everybody what an attempt ended with: the account's standing, the figures, the event feed."""

from wunder.model.delivery import DeliveryState, Settlement
from wunder.model.fault import Fault
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.observe.metrics import Metrics
from wunder.outbound.retry import RetryPolicy
from wunder.outbound.slots import Slots, is_account_wide
from wunder.ports import Accounts, EventLog

log = get_logger(__name__)


class OutcomeReporter:
    """Learns from outcomes; it decides nothing about the delivery itself."""

    def __init__(
        self,
        accounts: Accounts,
        slots: Slots,
        events: EventLog,
        metrics: Metrics,
        retry: RetryPolicy,
    ) -> None:
        self._accounts = accounts
        self._slots = slots
        self._events = events
        self._metrics = metrics
        self._retry = retry

    def report(self, settlement: Settlement, fault: Fault | None) -> None:
        """Note one outcome."""
        self._metrics.attempts.inc(settlement.outcome, settlement.error_kind or "none")
        self._learn(settlement, fault)
        delivery = settlement.delivery
        log.debug(
            "attempt_ended",
            delivery_id=delivery.delivery_id,
            attempt_no=delivery.attempt_no,
            state=settlement.state,
            kind=settlement.error_kind,
            took_ms=settlement.took_ms,
        )
        if settlement.state is DeliveryState.SENT:
            self._metrics.delivery_seconds.observe((settlement.at - delivery.queued_at) / 1000)
        if settlement.state is not DeliveryState.SENDING:
            self._metrics.deliveries.inc(settlement.state)
        if settlement.state in (DeliveryState.FAILED, DeliveryState.UNKNOWN):
            self._record(f"delivery_{settlement.state}", settlement)

    def _learn(self, settlement: Settlement, fault: Fault | None) -> None:
        account = self._accounts.get(settlement.delivery.message.conversation.account_uid)
        if account is None:
            return
        if self._slots.note(account, fault):
            self._record("account_parked", settlement)
        if fault is not None and is_account_wide(fault):
            self._slots.pause(account.uid, fault, self._retry)

    def _record(self, name: str, settlement: Settlement) -> None:
        delivery = settlement.delivery
        uid, account_id = delivery.message.conversation.account_uid, delivery.message.account_id
        self._events.record(
            Event(
                name,
                settlement.at,
                "error",
                *(*delivery.release.parts, uid, account_id),
                message_id=delivery.root_message_id or delivery.message.message_id,
                delivery_id=delivery.delivery_id,
                fields={"kind": settlement.error_kind, "provider_code": settlement.provider_code},
            )
        )
