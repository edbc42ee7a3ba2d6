"""The tables in which the three rooms meet: T1, T2, T3, T4."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from wunder.model.conversation import HistoryLine
from wunder.model.delivery import (
    ClaimedDelivery,
    Evidence,
    InlineStanding,
    SendGrant,
    Settlement,
)
from wunder.model.ids import AccountUid, At, DeliveryId, MessageId, SessionId
from wunder.model.intake import IntakeUnit, SpooledRequest, SpoolVerdict, TakenIn
from wunder.model.turn import ClaimedTurn, NewSend, TurnCommit, TurnCommitted


class Intake(Protocol):
    """T1, the spool and the quarantine."""

    async def take_in(self, unit: IntakeUnit, claim_up_to: int = 0) -> TakenIn:
        """Commit one request: keys, messages, receipts, trail, spool removal. All or nothing.

        Messages of lanes that are free are claimed at once, at most `claim_up_to`.
        Raises: StoreFull below the free-space limit or when the disk is full; StoreUnavailable.
        """

    async def spool(self, request: SpooledRequest) -> bool:
        """Keep a raw request; False when its account's spool is full (1,000 or 16 MiB)."""

    async def due_spooled(self, now: At, limit: int) -> list[SpooledRequest]:
        """The due requests, oldest first, at most one an account."""

    async def settle_spooled(
        self, request: SpooledRequest, verdict: SpoolVerdict, at: At, reason: str
    ) -> None:
        """End or postpone a spooled request that gave no messages; LATER: due again at `at`."""


class Turns(Protocol):
    """Claims on the turn lanes, and T2."""

    async def claim(self, limit: int, now: At) -> list[ClaimedTurn]:
        """Claim heads in `received`: fairly between accounts, longest ready first, never a suspect."""

    async def claim_suspect(self, now: At) -> ClaimedTurn | None:
        """Claim one message with 2 unfinished claims; the caller runs it alone on this node."""

    async def commit(self, turn: TurnCommit, grant: SendGrant | None = None) -> TurnCommitted:
        """Commit what a turn ended with (T2), and claim the next head for nobody.

        With `grant`, the first reply is born `sending` where its lane is empty.
        Raises: FenceLost.
        """

    async def give_back(self, turns: Sequence[ClaimedTurn]) -> None:
        """Return claims at a graceful stop: they do not count as unfinished."""

    async def history(self, session_id: SessionId, limit: int) -> list[HistoryLine]:
        """The last `limit` lines of a session before the running turn, oldest first."""

    async def reroute(self, message_ids: Sequence[MessageId], now: At) -> int:
        """Put `unrouted` and `failed` messages back at the tail of their lanes; how many moved."""


class ReadyAccounts(msgspec.Struct, frozen=True):
    """How many heads of which accounts are due, and when the next head of any other becomes due."""

    accounts: Mapping[AccountUid, int]  # longest due first; at most as many as one claim looks at
    next_at: At | None


class Outbox(Protocol):
    """Claims on the delivery lanes, T3, T4 and evidence."""

    async def ready(self, now: At) -> ReadyAccounts:
        """Which accounts have deliveries to claim now, and when to look again."""

    async def claim(self, grants: Sequence[SendGrant], now: At) -> list[ClaimedDelivery]:
        """Mark due heads `sending` with their attempt rows, at most `grant.limit` an account (T3).

        Heads past `expires_at` become `expired` on the way and release their lanes.
        """

    async def settle(self, settlements: Sequence[Settlement]) -> list[ClaimedDelivery]:
        """Record outcomes (T4); returns next parts and, where asked, next heads, marked.

        A settlement whose attempt lost its fence still counts as evidence when it is `sent`.
        """

    async def claim_inline(
        self, message_id: MessageId, grant: SendGrant, now: At
    ) -> ClaimedDelivery | InlineStanding:
        """Mark the reply to a message `sending` for the webhook that holds it, before its time.

        Of several webhooks that hold the same message one gets it.
        """

    async def confirm(self, evidence: Evidence) -> bool:
        """Settle to `sent` by a late success; False when the attempt is not known."""

    async def enqueue(self, send: NewSend) -> tuple[DeliveryId, bool]:
        """Queue a message sent first; (id, False) when the idempotency key was used before."""
