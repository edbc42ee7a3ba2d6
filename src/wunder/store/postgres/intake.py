"""T1: keys, messages, receipts, trail and spool removal of one request, in one transaction."""

from typing import TYPE_CHECKING, Any

from wunder.model.conversation import LaneKind
from wunder.model.ids import At, MessageId, SessionId, TurnId, derived_id
from wunder.model.intake import (
    AccountIntake,
    IntakeUnit,
    NewMessage,
    NewQuarantine,
    SpooledRequest,
    SpoolVerdict,
    Taken,
    TakenIn,
)
from wunder.model.message import InboundMessage, MessageState
from wunder.store import attachments, pairing, spool
from wunder.store.arrival import (
    arrival_row,
    arrival_steps,
    born_claimed,
    collision,
    kept_of,
    message_as_bytes,
    set_aside_as,
)
from wunder.store.clean import clean_row
from wunder.store.place import Place
from wunder.store.policy import StorePolicy
from wunder.store.postgres import lanes, receipts, sessions, spooling
from wunder.store.postgres.faults import ROW_FAULTS
from wunder.store.postgres.inline import INLINE
from wunder.store.postgres.lane_book import LaneKey, lane_key
from wunder.store.postgres.message_rows import INSERT_INBOUND, inbound_in
from wunder.store.postgres.reader import Reader
from wunder.store.postgres.replies import queue_replies
from wunder.store.postgres.statements import Many, Statement
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer
from wunder.store.quarantine import set_aside

if TYPE_CHECKING:
    from wunder.model.turn import ClaimedTurn

_KEEP_KEY = Many(
    """
INSERT INTO channel_dedupe AS d (dedupe_key, digest, message_id, keep_until)
SELECT dedupe_key, digest, message_id, keep_until FROM {v}
ON CONFLICT (dedupe_key) DO NOTHING RETURNING d.dedupe_key
""",
    "dedupe_key bytea, digest bytea, message_id text, keep_until int8",
    by="dedupe_key",
)
_FIND_KEY = "SELECT digest, message_id FROM channel_dedupe WHERE dedupe_key = ?"


class PostgresIntake:
    """Room 1's door to the tables (port Intake)."""

    def __init__(self, writer: Writer, reader: Reader, policy: StorePolicy) -> None:
        self._writer = writer
        self._reader = reader
        self._policy = policy

    async def take_in(self, unit: IntakeUnit, claim_up_to: int = 0) -> TakenIn:
        """Commit one request; when a row is refused, that message alone goes to quarantine."""

        async def all_or_nothing(tx: Tx) -> TakenIn:
            return await _Intake(tx, unit, claim_up_to, self._policy).take_in(is_salvage=False)

        async def row_by_row(tx: Tx) -> TakenIn:
            return await _Intake(tx, unit, claim_up_to, self._policy).take_in(is_salvage=True)

        return await self._writer.commit(
            all_or_nothing, lanes=_lanes_of(unit), is_intake=True, salvage=row_by_row
        )

    async def spool(self, request: SpooledRequest) -> bool:
        """Keep a raw request; False when its account's spool is full."""
        return await self._writer.commit(
            lambda tx: spooling.keep(tx, request, self._policy), lanes=(), is_intake=True
        )

    async def due_spooled(self, now: At, limit: int) -> list[SpooledRequest]:
        """The due requests, oldest first, one an account: its oldest."""
        return await spool.due(self._reader, now, limit)

    async def settle_spooled(
        self, request: SpooledRequest, verdict: SpoolVerdict, at: At, reason: str
    ) -> None:
        """End or postpone a spooled request."""
        await self._writer.work(
            lambda tx: spool.settle(tx, request, verdict, at, reason, self._policy)
        )


def _lanes_of(unit: IntakeUnit) -> list[LaneKey] | None:
    """The lanes a request works on; None where it holds what belongs to conversations not named."""
    if any(part.receipts or part.quarantine for part in unit.parts):
        return None
    messages = [new for part in unit.parts for new in part.messages]
    turns = [lane_key(LaneKind.TURN, new.message.conversation) for new in messages]
    told = [new.message.conversation for new in messages if new.stranger is not None]
    return turns + [lane_key(LaneKind.DELIVERY, conversation) for conversation in told]


class _Intake:
    """One run of one unit."""

    def __init__(self, tx: Tx, unit: IntakeUnit, claim_up_to: int, policy: StorePolicy) -> None:
        self._tx = tx
        self._unit = unit
        self._may_claim = claim_up_to
        self._policy = policy
        self._results: dict[MessageId, Taken] = {}
        self._claimed: list[ClaimedTurn] = []
        self._originals: dict[MessageId, MessageId] = {}

    async def take_in(self, is_salvage: bool) -> TakenIn:
        unit = self._unit
        if unit.spool_id is not None:
            await spool.remove(self._tx, unit.spool_id)
        else:
            for part in unit.parts:
                if await spooling.is_ahead(self._tx, part.account_uid):
                    return TakenIn({}, is_behind_spool=True)
        for position, part in enumerate(unit.parts):
            for new in part.messages:
                take = self._salvage if is_salvage else self._take
                self._results[new.message.message_id] = await take(part, new)
            for receipt in part.receipts:
                await receipts.take_in(self._tx, part, receipt, unit.at, self._policy)
            for ordinal, item in enumerate(part.quarantine):
                quarantine_id = derived_id(unit.request_id, f"quarantine{position}", ordinal)
                await self._set_aside(part, item, quarantine_id)
        return TakenIn(self._results, tuple(self._claimed), self._originals)

    async def _take(self, part: AccountIntake, new: NewMessage) -> Taken:
        tx, message = self._tx, new.message
        key = (new.dedupe_key, new.digest, message.message_id, new.keep_key_until)
        may_wait = new.state is MessageState.RECEIVED or new.stranger is not None
        asked: list[tuple[Statement, tuple[Any, ...]]] = [(_KEEP_KEY, key)]
        if may_wait and self._may_claim > 0:
            # Before the session is asked for: who holds the lane may be opening it (on another node).
            await tx.lanes.of(LaneKind.TURN, message.conversation)
            asked.append((sessions.CURRENT, message.conversation.key))
        is_new, *current = await tx.together(*asked)
        if not is_new:
            return await self._known(part, new)
        tx.counts["channel_dedupe"] += 1
        if new.stranger is not None:
            new = await pairing.judge(tx, part, new, self._unit.at)
        turn_id = TurnId(derived_id(message.message_id, "turn"))
        place: Place | None = None
        state = new.state
        if state is MessageState.RECEIVED:
            has_hands = self._may_claim > 0
            place = await lanes.enter(
                tx, LaneKind.TURN, message.conversation, 1, self._unit.at, is_claimed=has_hands
            )
            if place.is_free and has_hands:
                state = MessageState.ANSWERING
        clean = self._insert(part, new, state, place, turn_id)
        if place is not None and clean.content.attachments:
            await attachments.expect(tx, clean, self._unit.at)
        tx.step(*arrival_steps(self._unit, part, new, state))
        if pairing.is_told(new):
            await tx.settle_down()
            await tx.execute(pairing.TOLD, (message.message_id,))
            await queue_replies(tx, pairing.telling(part, new, clean, self._unit.at), None)
        tx.moved("channel_messages", None, state.value)
        if state is MessageState.ANSWERING and place is not None:
            self._may_claim -= 1
            session = SessionId(current[0][0][0]) if current and current[0] else None
            until = new.inline_until
            self._claimed.append(born_claimed(turn_id, clean, place, (session, 0), until))
        return Taken.ACCEPTED

    def _insert(
        self,
        part: AccountIntake,
        new: NewMessage,
        state: MessageState,
        place: Place | None,
        turn_id: TurnId,
    ) -> InboundMessage:
        """Insert the row; returns the message as the table holds it."""
        tx = self._tx
        row = arrival_row(self._unit, part, new, state, place, (turn_id, tx.epoch))
        clean = clean_row(row)
        tx.put(INSERT_INBOUND, clean)
        return kept_of(new, state) if clean is row else inbound_in(clean)

    async def _known(self, part: AccountIntake, new: NewMessage) -> Taken:
        """Judge a message whose key is there: our own re-run, a repeat, or a collision."""
        message_id = new.message.message_id
        await self._tx.settle_down()
        found = await self._tx.one(_FIND_KEY, (new.dedupe_key,))
        if found is None or found[0] == new.digest:
            is_rerun = found is not None and found[1] == message_id
            if found is not None and not is_rerun:
                self._originals[message_id] = MessageId(found[1])
                if new.inline_until is not None:
                    original = MessageId(found[1])
                    await INLINE.extend_window(self._tx, original, new.inline_until)
            return Taken.ACCEPTED if is_rerun else Taken.DUPLICATE
        content = NewQuarantine("dedupe_collision", message_as_bytes(new), f"same id as {found[1]}")
        await self._set_aside(
            part, content, derived_id(message_id, "quarantine"), new, str(found[1])
        )
        self._tx.event(collision(self._unit, part, new, str(found[1])))
        return Taken.COLLISION

    async def _salvage(self, part: AccountIntake, new: NewMessage) -> Taken:
        """Take one message in a savepoint of its own; what the store refuses goes to quarantine."""
        tx = self._tx
        await tx.settle_down()
        mark, claimed = tx.mark(), len(self._claimed)
        await tx.execute("SAVEPOINT message")
        try:
            taken = await self._take(part, new)
            await tx.settle_down()
        except ROW_FAULTS as error:
            await tx.execute("ROLLBACK TO message")
            await tx.execute("RELEASE message")
            tx.forget_later()
            tx.back_to(mark)
            del self._claimed[claimed:]
            item = NewQuarantine("store_refused", message_as_bytes(new), type(error).__name__)
            await self._set_aside(part, item, derived_id(new.message.message_id, "quarantine"), new)
            return Taken.QUARANTINED
        await tx.execute("RELEASE message")
        return taken

    async def _set_aside(
        self,
        part: AccountIntake,
        item: NewQuarantine,
        quarantine_id: str,
        new: NewMessage | None = None,
        message_id: str = "",
    ) -> None:
        kept = set_aside_as(self._unit, new, message_id)
        await set_aside(self._tx, part, item, quarantine_id, kept, self._policy)
