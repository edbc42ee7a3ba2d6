"""Pairing: a stranger is given a code, an administrator lets the person behind it in."""

import secrets
from typing import Literal, Protocol

import msgspec

from wunder.errors import Conflict, Invalid, NotFound
from wunder.model.ids import AccountId, AccountUid, At, ChannelId, MessageId
from wunder.model.intake import Stranger
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import Page
from wunder.upkeep.doors import Doors

log = get_logger(__name__)

#: Nothing that is read as something else: no 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B, U and V.
ALPHABET = "ACDEFGHJKMNPQRTWXY34679"
CODE_LENGTH = 8
PairingState = Literal["pending", "approved", "rejected"]
Decision = Literal["approved", "rejected"]


class PairingPolicy(msgspec.Struct, frozen=True):
    """Codes of strangers, for accounts whose `direct` is `pairing`.

    A code is good for `valid_s`; a peer is answered once in `answer_every_s` and has at most
    `open_per_peer` codes open, an account at most `open_per_account`. `text` may name `{code}` and
    `{minutes}`.
    """

    valid_s: int = 3_600
    answer_every_s: int = 3_600
    open_per_peer: int = 3
    open_per_account: int = 100
    text: str = (
        "你好！我只与获准的人对话。请把配对码 {code} 告诉管理员，{minutes} 分钟内有效；"
        "获准后会回答你刚才的话。\n"
        "Hello! I talk to people an administrator let in. Tell them the code {code}, good for"
        " {minutes} minutes; what you just said is answered then."
    )

    def stranger(self, now: At) -> Stranger:
        """What T1 needs to answer somebody nobody named; the code is fixed before the first try."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        words = self.text.replace("{code}", code).replace("{minutes}", str(self.valid_s // 60))
        return Stranger(
            code=code,
            text=words,
            good_until=At(now + self.valid_s * 1000),
            pause_ms=self.answer_every_s * 1000,
            open_per_peer=self.open_per_peer,
            open_per_account=self.open_per_account,
        )


class Pairing(msgspec.Struct, frozen=True):
    """One row of `channel_pairings`."""

    pairing_id: str
    account_uid: AccountUid
    channel: ChannelId
    account_id: AccountId
    peer_id: str
    peer_name: str
    code: str
    state: PairingState
    message_id: MessageId
    created_at: At
    expires_at: At
    decided_at: At | None
    decided_by: str


class PairingFilter(msgspec.Struct, frozen=True):
    """Which pairings; empty fields match everything. `open_at`: pending and good at that time."""

    state: str = ""
    channel: str = ""
    account_id: str = ""
    open_at: At | None = None


class Decided(msgspec.Struct, frozen=True):
    """What a decision did; `answered` messages that were kept go to the agent now."""

    pairing: Pairing
    answered: int


class PairingTable(Protocol):
    """`channel_pairings`, beside what T1 writes there. May raise StoreUnavailable."""

    async def pairings(self, where: PairingFilter, limit: int, cursor: str) -> Page[Pairing]:
        """Pairings that match, newest first."""

    async def named(self, name: str) -> list[Pairing]:
        """By id or by code."""

    async def decide(self, pairing_id: str, state: Decision, at: At, by: str) -> Decided:
        """Decide on a peer; other requests of the same peer are over. Approved: answer what was kept.

        Raises: NotFound; Conflict `expired` for a pending one that is over.
        """

    async def forget(self, pairing_id: str) -> bool:
        """Remove a pairing: the peer is a stranger again. False where there is none."""


class PairingDesk:
    """Shows who asks to be let in, and takes down what was decided."""

    def __init__(self, table: PairingTable, doors: Doors) -> None:
        self._table = table
        self._doors = doors

    async def list(self, where: PairingFilter, limit: int, cursor: str) -> Page[Pairing]:
        """Pairings, newest first; those that are `pending` are good now."""
        if where.state == "pending":
            where = msgspec.structs.replace(where, open_at=self._doors.clock.now())
        return await self._table.pairings(where, limit, cursor)

    async def decide(self, name: str, state: Decision, by: str) -> Decided:
        """Approve or reject, by id or code. Raises: NotFound; Conflict; Invalid."""
        pairing = await self._named(name)
        decided = await self._table.decide(pairing.pairing_id, state, self._doors.clock.now(), by)
        self._record(f"pairing_{state}", decided.pairing, by)
        if decided.answered:
            self._doors.wake()
        return decided

    async def forget(self, name: str, by: str) -> None:
        """Make the peer a stranger again. Raises: NotFound."""
        pairing = await self._named(name)
        if not await self._table.forget(pairing.pairing_id):
            raise NotFound
        self._record("pairing_forgotten", pairing, by)

    async def _named(self, name: str) -> Pairing:
        if not name.isascii() or not name.isalnum() or len(name) > 64:
            raise Invalid("A pairing is named by its code or its id.")
        found = await self._table.named(name)
        if not found:
            raise NotFound("No such pairing; a code that is over is forgotten after a while.")
        if len(found) > 1:
            ids = [one.pairing_id for one in found]
            words = "Two pairings have this code: name one by its id."
            raise Conflict(words, reason="ambiguous", state={"pairing_ids": ids})
        return found[0]

    def _record(self, name: str, pairing: Pairing, by: str) -> None:
        self._doors.events.record(
            Event(
                name=name,
                at=self._doors.clock.now(),
                plugin_id=pairing.channel,
                account_uid=pairing.account_uid,
                account_id=pairing.account_id,
                message_id=pairing.message_id,
                fields={"pairing_id": pairing.pairing_id, "peer_id": pairing.peer_id, "by": by},
            )
        )
        log.info(name, pairing_id=pairing.pairing_id, channel=pairing.channel, by=by)
