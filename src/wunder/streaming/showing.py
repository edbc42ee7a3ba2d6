"""One reply on its way to being seen: the first frame is a message, the others edit it.

Source: delivery semantics, "Streaming". The first frame's outcome is committed before the next
leaves; frames are not stored. What is said between two frames is shown by the later one.
"""

import asyncio

import msgspec
from msgspec.structs import replace

from wunder.errors import FenceLost, ProviderFault, StoreBroken, StoreUnavailable
from wunder.model.account import Account
from wunder.model.delivery import (
    SHOWN_AS,
    ClaimedDelivery,
    DeliveryState,
    SendGrant,
    Settlement,
)
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import At
from wunder.model.turn import ClaimedTurn, Shown
from wunder.observe.logs import get_logger
from wunder.ports import ChannelProvider, Clock, SendSlots
from wunder.streaming.doors import Streams
from wunder.streaming.policy import StreamPolicy

log = get_logger(__name__)
#: The mark in `meta` of a frame; the final edit of a reply has none.
STREAMING = "streaming"
_TOO_LATE = Fault(FaultKind.NOT_READY, "This node was away so long that others do its work.")


class Spotlight(msgspec.Struct, frozen=True):
    """Where the reply of one turn is shown, and through what."""

    account: Account
    provider: ChannelProvider
    streams: Streams
    slots: SendSlots


class Showing:
    """Writes frames until its turn ends."""

    def __init__(
        self,
        turn: ClaimedTurn,
        light: Spotlight,
        expires_at: At,
        clock: Clock,
        policy: StreamPolicy,
    ) -> None:
        self._turn = turn
        self._light = light
        self._expires_at = expires_at
        self._clock = clock
        self._policy = policy
        self._text = ""
        self._news = asyncio.Event()
        self._is_ending = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._delivery: ClaimedDelivery | None = None
        self._failures = 0
        self._next_at = 0.0
        self.shown = Shown(self._say)

    def _say(self, text: str) -> None:
        if text.strip():
            self._text = text
            self._news.set()

    async def end(self) -> None:
        """Write no further frame; returns when the last one is through."""
        self._is_ending.set()
        self._news.set()
        await self._has_ended.wait()

    async def run(self) -> None:
        """Write frames, each when there is more to show and the platform's time has come."""
        try:
            await self._news.wait()
            self._next_at = self._clock.monotonic() + self._policy.first_after_s
            while await self._its_time():
                if not await self._frame(self._text):
                    return
        except (FenceLost, StoreBroken) as error:
            log.warning("reply_not_shown", turn_id=self._turn.turn_id, reason=error.code)
        except Exception:
            # One reply of one turn: it comes as a whole, later.
            log.exception("showing_failed_inside", turn_id=self._turn.turn_id)
        finally:
            self._has_ended.set()

    async def _its_time(self) -> bool:
        """Wait for news and for the end of the pause; False when the turn has ended."""
        while not self._is_ending.is_set():
            await self._news.wait()
            left_s = self._next_at - self._clock.monotonic()
            if left_s <= 0 and not self._is_ending.is_set():
                self._news.clear()
                return True
            await self._rest(min(self._policy.poll_s, max(left_s, 0.0)))
        return False

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._is_ending.wait()
        except TimeoutError:
            return

    async def _frame(self, text: str) -> bool:
        """Show `text`; False when nothing more is to be shown before the end."""
        light = self._light
        self._next_at = self._clock.monotonic() + light.provider.facts.edit_interval_ms / 1000
        grant = light.slots.reserve(light.account.uid)
        if grant is None:
            # Parked, paused or busy: perhaps at the next frame.
            self._news.set()
            return True
        try:
            if self._delivery is None:
                return await self._first(text, grant)
            return await self._edit(self._delivery, text)
        finally:
            light.slots.release(grant)

    # --- the first frame -------------------------------------------------------------------------

    async def _first(self, text: str, grant: SendGrant) -> bool:
        light = self._light
        try:
            begun = await light.streams.begin(
                self._turn, grant, self._clock.now(), self._expires_at
            )
        except StoreUnavailable as error:
            log.warning("reply_not_shown_yet", turn_id=self._turn.turn_id, reason=error.code)
            self._news.set()
            return True
        if begun is None:
            return False
        if begun.shown_as:
            # This turn ran before: the platform's message is there already.
            self._delivery = begun
            return await self._edit(begun, text)
        if not light.streams.is_ours(begun):
            await self._settle(self._after(begun, _TOO_LATE, self._clock.monotonic()))
            return False
        return await self._send(_with_text(begun, text))

    async def _send(self, delivery: ClaimedDelivery) -> bool:
        began = self._clock.monotonic()
        try:
            sent = await self._light.provider.send_outbound(self._light.account, delivery)
        except ProviderFault as error:
            await self._settle(self._after(delivery, error.fault, began))
            return False
        except Exception as error:
            log.exception("frame_failed_inside", delivery_id=delivery.delivery_id)
            fault = Fault(FaultKind.INTERNAL, type(error).__name__, outcome="unknown")
            await self._settle(self._after(delivery, fault, began))
            return False
        await self._settle(
            Settlement(
                delivery=delivery,
                state=DeliveryState.SENT,
                at=self._clock.now(),
                outcome="sent",
                provider_message_id=sent.provider_message_id,
                raw_result=sent.raw_result,
                took_ms=self._since(began),
            )
        )
        self.shown.text = delivery.message.text
        if not sent.provider_message_id:
            return False
        self._delivery = replace(delivery, part_state={SHOWN_AS: sent.provider_message_id})
        return True

    def _after(self, delivery: ClaimedDelivery, fault: Fault, began: float) -> Settlement:
        """The rule of the unknown outcome; what certainly is not there is simply sent at the end."""
        now = self._clock.now()
        is_unknown = fault.outcome == "unknown"
        is_parked = is_unknown and not self._may_repeat(delivery, now)
        rests = is_parked and fault.kind is FaultKind.TIMEOUT
        return Settlement(
            delivery=delivery,
            state=DeliveryState.UNKNOWN if is_parked else DeliveryState.STREAMING,
            at=now,
            outcome="unknown" if is_unknown else "not_sent",
            error_kind=fault.kind,
            error=fault.message,
            provider_code=fault.provider_code,
            took_ms=self._since(began),
            lane_until=At(now + int(self._policy.tombstone_s * 1000)) if rests else None,
        )

    def _may_repeat(self, delivery: ClaimedDelivery, now: At) -> bool:
        """A reply is covered by any idempotency; its window must still be open."""
        window_s = self._light.provider.facts.idempotency_window_s
        if window_s is not None and now < delivery.first_sending_at + window_s * 1000:
            return True
        on_unknown = self._light.account.row.config.delivery.on_unknown
        return on_unknown == "retry_once" and not delivery.had_unknown

    async def _settle(self, settlement: Settlement) -> None:
        """Commit the outcome, however long the store takes: the turn's end builds on it."""
        while True:
            try:
                await self._light.streams.settle(settlement)
            except StoreUnavailable as error:
                log.warning("frame_not_stored_yet", reason=error.code)
                await self._clock.sleep(self._policy.store_retry_s)
                continue
            return

    # --- the others ------------------------------------------------------------------------------

    async def _edit(self, delivery: ClaimedDelivery, text: str) -> bool:
        light = self._light
        if not light.streams.is_ours(delivery):
            # Who runs this turn now shows more than this.
            return False
        try:
            await light.provider.edit_outbound(
                light.account, _with_text(delivery, text), self._clock.now(), is_final=False
            )
        except ProviderFault as error:
            return self._may_go_on(error.fault)
        self._failures = 0
        self.shown.text = text
        return True

    def _may_go_on(self, fault: Fault) -> bool:
        """A frame that is lost is shown by the next one; a platform's wish to wait is heard."""
        self._failures += 1
        log.info("frame_not_shown", turn_id=self._turn.turn_id, kind=fault.kind)
        if fault.retry_after_s is not None:
            self._next_at = max(self._next_at, self._clock.monotonic() + fault.retry_after_s)
        self._news.set()
        return self._failures < self._policy.tries

    def _since(self, began: float) -> int:
        return int((self._clock.monotonic() - began) * 1000)


def _with_text(delivery: ClaimedDelivery, text: str) -> ClaimedDelivery:
    """A frame says that it is one: some platforms open a growing message another way than a whole one."""
    message = delivery.message
    meta = {**message.meta, STREAMING: True}
    return replace(delivery, message=replace(message, text=text, format="markdown", meta=meta))
