"""From here the message is ours: keys, access, size, and T1.

A 2xx leaves only after `take_in` returned.
"""

import hashlib
import json

import msgspec

from wunder.inbound.access import admit
from wunder.model.account import Account
from wunder.model.command import ChatCommand, chat_command
from wunder.model.delivery import ReleaseRef
from wunder.model.ids import At, MessageId, RequestId, dedupe_key, derived_id
from wunder.model.intake import (
    MAX_QUARANTINE_BODY_BYTES,
    AccountIntake,
    IntakeUnit,
    NewMessage,
    NewQuarantine,
    Taken,
    TakenIn,
)
from wunder.model.message import Content, InboundMessage, MessageState
from wunder.model.provider import Parsed, ProviderFacts
from wunder.model.turn import ClaimedTurn
from wunder.observe.logs import get_logger
from wunder.observe.metrics import Metrics
from wunder.ports import Clock, Hands, Intake, Interrupter
from wunder.upkeep.pairing import PairingPolicy

log = get_logger(__name__)
DEDUPE_DAYS = 14
STOP = "command /stop"
_DAY_MS = 86_400_000
#: What goes to the agent, and what a stranger says: T1 knows whether they were let in.
_MAY_BE_ANSWERED = (MessageState.RECEIVED, MessageState.UNROUTED)
_ENCODER = msgspec.json.Encoder(order="deterministic")


class AccountParse(msgspec.Struct, frozen=True):
    """What one account's provider made of a request."""

    account: Account
    facts: ProviderFacts
    parsed: Parsed


class IntakeDesk:
    """Turns what providers parsed into one transaction, and hands claimed turns on."""

    def __init__(
        self,
        intake: Intake,
        hands: Hands[ClaimedTurn],
        interrupter: Interrupter,
        clock: Clock,
        metrics: Metrics,
        pairing: PairingPolicy = PairingPolicy(),  # noqa: B008 - frozen
    ) -> None:
        self._intake = intake
        self._hands = hands
        self._interrupter = interrupter
        self._clock = clock
        self._metrics = metrics
        self._pairing = pairing

    async def take_in(
        self,
        request_id: RequestId,
        received_at: At,
        parses: tuple[AccountParse, ...],
        spool_id: str | None = None,
    ) -> TakenIn:
        """Commit what a request held (T1).

        Raises:
            StoreUnavailable: nothing was accepted; the platform must be told to deliver again.
        """
        now = self._clock.now()
        parts = tuple(
            _part(derived_id(request_id, "account", position), parse, now, self._pairing)
            for position, parse in enumerate(parses)
        )
        waiting = sum(new.state in _MAY_BE_ANSWERED for part in parts for new in part.messages)
        unit = IntakeUnit(request_id, received_at, now, now, parts, spool_id)
        reserved = self._hands.reserve(waiting)
        claimed = 0
        try:
            taken = await self._intake.take_in(unit, reserved)
            claimed = len(taken.claimed)
        finally:
            self._hands.release(reserved - claimed)
        for turn in taken.claimed:
            self._hands.give(turn)
        if waiting > claimed:
            self._hands.wake()
        self._interrupt(unit, taken)
        self._report(taken)
        return taken

    def _interrupt(self, unit: IntakeUnit, taken: TakenIn) -> None:
        """Hand on each `/stop` that is new: it bypasses the lane it wants to stop."""
        for part in unit.parts:
            for new in part.messages:
                is_new = taken.results.get(new.message.message_id) is Taken.ACCEPTED
                if new.reason == STOP and is_new:
                    self._interrupter.interrupt(new.message.conversation)

    def _report(self, taken: TakenIn) -> None:
        for message_id, result in taken.results.items():
            self._metrics.intake_messages.inc(result)
            if result in (Taken.COLLISION, Taken.QUARANTINED):
                log.error("message_set_aside", message_id=message_id, result=result)


def is_anything(parses: tuple[AccountParse, ...]) -> bool:
    """True when a request holds something to commit."""
    return any(p.parsed.messages or p.parsed.receipts or p.parsed.refusals for p in parses)


def _part(parent: str, parse: AccountParse, now: At, pairing: PairingPolicy) -> AccountIntake:
    row = parse.account.row
    messages = [
        _new_message(derived_id(parent, "message", ordinal), message, parse, now, pairing)
        for ordinal, message in enumerate(parse.parsed.messages)
    ]
    quarantine = tuple(
        NewQuarantine(refusal.reason, refusal.excerpt[:MAX_QUARANTINE_BODY_BYTES])
        for refusal in parse.parsed.refusals
    )
    return AccountIntake(
        account_uid=row.account_uid,
        channel=row.channel,
        account_id=row.account_id,
        release=ReleaseRef(parse.facts.release.plugin_id, parse.facts.release.version),
        messages=tuple(messages),
        receipts=parse.parsed.receipts,
        quarantine=quarantine,
    )


def _new_message(
    message_id: str, message: InboundMessage, parse: AccountParse, now: At, pairing: PairingPolicy
) -> NewMessage:
    config = parse.account.row.config
    state, reason = admit(config.access, message)
    may_command = state is MessageState.RECEIVED and config.access.commands
    if may_command and chat_command(message.content) is ChatCommand.STOP:
        state, reason = MessageState.NO_ANSWER, STOP
    key = dedupe_key(
        message.conversation.key,
        "event" if message.is_event else "message",
        message.platform_message_id,
    )
    digest = hashlib.sha256(_canonical((message.sender.id, message.content))).digest()
    message = msgspec.structs.replace(message, message_id=MessageId(message_id))
    if state is MessageState.REFUSED:
        bare = Content(type=message.content.type)
        message = msgspec.structs.replace(message, content=bare, meta={})
    stranger = pairing.stranger(now) if state is MessageState.UNROUTED else None
    inline = parse.parsed.inline if state in _MAY_BE_ANSWERED else None
    until = inline.until if inline else None
    keep_until = At(now + max(DEDUPE_DAYS, parse.facts.redelivery_days) * _DAY_MS)
    return NewMessage(message, key, digest, keep_until, state, reason, until, stranger)


def _canonical(said: tuple[str, Content]) -> bytes:
    """Encode what a message says, the same bytes each time; a lone surrogate breaks no batch."""
    try:
        return _ENCODER.encode(said)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(said), sort_keys=True).encode("ascii")
