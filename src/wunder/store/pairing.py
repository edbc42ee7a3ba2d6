"""`channel_pairings`: what T1 asks and writes of strangers, and what administrators decide."""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from wunder.errors import Conflict, NotFound
from wunder.model.ids import At, MessageId, TurnId, derived_id
from wunder.model.intake import AccountIntake, NewMessage, Stranger
from wunder.model.message import InboundMessage, MessageState
from wunder.model.trail import Event
from wunder.model.turn import Reply
from wunder.ports import Page
from wunder.store import attachments
from wunder.store.clean import clean_text
from wunder.store.message_rows import INBOUND_COLUMNS, inbound_of
from wunder.store.outgoing import Outgoing
from wunder.store.reads import Reads
from wunder.store.unit import Rows, Transaction, Works
from wunder.upkeep.pairing import Decided, Decision, Pairing, PairingFilter

_COLUMNS = """pairing_id, account_uid, channel, account_id, peer_id, peer_name, code, state, message_id,
  created_at, expires_at, decided_at, decided_by"""
#: Of one peer: at most a few that are open, and the decision.
_OF_PEER = "SELECT state, created_at, expires_at FROM channel_pairings WHERE account_uid = ? AND peer_id = ?"
#: Bounded by the limit that it is compared with.
_OPEN_OF_ACCOUNT = """
SELECT count(*) FROM (SELECT 1 FROM channel_pairings
  WHERE account_uid = ? AND state = 'pending' AND expires_at > ? LIMIT ?) AS open_ones
"""
_INSERT = """
INSERT INTO channel_pairings (pairing_id, account_uid, channel, account_id, peer_id, peer_name, code,
  state, message_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)
ON CONFLICT (pairing_id) DO NOTHING
"""
_ALL = f"SELECT {_COLUMNS} FROM channel_pairings"  # noqa: S608 - constant
_NAMED = f"{_ALL} WHERE pairing_id = ? OR code = ?"
_ONE = f"{_ALL} WHERE pairing_id = ?"
_OTHERS = """
SELECT pairing_id, message_id, created_at, expires_at FROM channel_pairings
WHERE account_uid = ? AND peer_id = ? AND pairing_id <> ?
"""
_DECIDE = (
    "UPDATE channel_pairings SET state = ?, decided_at = ?, decided_by = ? WHERE pairing_id = ?"
)
_FORGET = "DELETE FROM channel_pairings WHERE pairing_id = ? RETURNING state"
_KEPT = f"SELECT {INBOUND_COLUMNS} FROM channel_messages WHERE message_id = ?"  # noqa: S608 - constant
#: The code is the first thing said to this message; the answer is the next.
TOLD = "UPDATE channel_messages SET reply_ordinals = 1 WHERE message_id = ?"

#: Puts a message back into its lane: each engine's own.
Reroute = Callable[[Any, MessageId, At], Coroutine[Any, Any, bool]]


async def judge(tx: Transaction, part: AccountIntake, new: NewMessage, at: At) -> NewMessage:
    """Decide on a stranger's message, and note the request it makes; `unrouted`: a code is due."""
    stranger = new.stranger
    if stranger is None:
        return new
    peer = (part.account_uid, clean_text(new.message.conversation.peer_id))
    decided = _known(await tx.run(_OF_PEER, peer))
    if decided is None:
        # Two nodes may hear of one stranger at once, in two threads; who was let in waits for nobody.
        await tx.alone("|".join(peer))
        rows = await tx.run(_OF_PEER, peer)
        decided = _known(rows) or (MessageState.REFUSED, new.reason)
        is_due = decided[0] is MessageState.REFUSED and _may_be_told(rows, stranger, at)
        if is_due and await _note(tx, part, new, stranger, at):
            decided = MessageState.UNROUTED, new.reason
    return msgspec.structs.replace(new, state=decided[0], reason=decided[1])


def is_told(new: NewMessage) -> bool:
    """True for a judged message that is answered by a code."""
    return new.stranger is not None and new.state is MessageState.UNROUTED


def telling(part: AccountIntake, new: NewMessage, message: InboundMessage, at: At) -> Outgoing:
    """The code, said as the first reply to the message: in its lane, its window, its trail.

    `message` is as the table holds it, with TOLD run on its row.
    """
    stranger, until = new.stranger, new.inline_until
    return Outgoing(
        inbound=message,
        turn_id=TurnId(derived_id(message.message_id, "pairing")),
        replies=(Reply(stranger.text if stranger else ""),),
        at=at,
        expires_at=stranger.good_until if stranger else at,
        release=part.release,
        not_before=until if until is not None and until > at else None,
    )


class SqlPairingTable:
    """Port PairingTable."""

    def __init__(self, writer: Works, reader: Reads, reroute: Reroute) -> None:
        self._writer = writer
        self._reader = reader
        self._reroute = reroute

    async def pairings(self, where: PairingFilter, limit: int, cursor: str) -> Page[Pairing]:
        """Pairings that match, newest first."""
        sql, values = _listing(where, limit, cursor)
        rows = await self._reader.rows(sql, *values)
        items = tuple(Pairing(*row) for row in rows[:limit])
        return Page(items, items[-1].pairing_id if len(rows) > limit else "")

    async def named(self, name: str) -> list[Pairing]:
        """By id or by code."""
        return [Pairing(*row) for row in await self._reader.rows(_NAMED, name, name.upper())]

    async def decide(self, pairing_id: str, state: Decision, at: At, by: str) -> Decided:
        """Decide on a peer, and answer what was kept of an approved one."""

        async def unit(tx: Transaction) -> Decided:
            asked = await _locked(tx, pairing_id)
            _refuse_over(asked, at)
            await tx.run(_DECIDE, (state, at, by, pairing_id))
            tx.moved("channel_pairings", asked.state, state)
            kept = [(asked.created_at, asked.message_id)]
            peer = (asked.account_uid, asked.peer_id, pairing_id)
            for other_id, message_id, created_at, expires_at in await tx.run(_OTHERS, peer):
                await _forget(tx, other_id)
                if expires_at > at:
                    kept.append((created_at, message_id))
            answered = 0
            if state == "approved":
                for _created_at, message_id in sorted(kept):
                    answered += await self._answer(tx, MessageId(message_id), at)
            done = msgspec.structs.replace(asked, state=state, decided_at=at, decided_by=by)
            return Decided(done, answered)

        return await self._writer.work(unit)

    async def forget(self, pairing_id: str) -> bool:
        """Remove a pairing."""
        return await self._writer.work(lambda tx: _forget(tx, pairing_id))

    async def _answer(self, tx: Transaction, message_id: MessageId, at: At) -> bool:
        """Put a kept message into its lane; what it brought is fetched now, not before."""
        if not await self._reroute(tx, message_id, at):
            return False
        row = await tx.first(_KEPT, (message_id,))
        if row is not None:
            await attachments.expect(tx, inbound_of(row), at)
        return True


async def _locked(tx: Transaction, pairing_id: str) -> Pairing:
    """Read a pairing; whoever takes in a message of its peer at this moment waits."""
    row = await tx.first(_ONE, (pairing_id,))
    if row is not None:
        await tx.alone(f"{row[1]}|{row[4]}")
        row = await tx.first(_ONE, (pairing_id,))
    if row is None:
        raise NotFound
    return Pairing(*row)


async def _note(
    tx: Transaction, part: AccountIntake, new: NewMessage, stranger: Stranger, at: At
) -> bool:
    """Write down a request; False where the account has too many, or another writer was first."""
    limit = stranger.open_per_account
    found = await tx.first(_OPEN_OF_ACCOUNT, (part.account_uid, at, limit))
    pairing_id = _pairing_id(new, stranger, at)
    message = new.message
    row = (
        pairing_id,
        part.account_uid,
        part.channel,
        part.account_id,
        message.conversation.peer_id,
        message.sender.name or message.peer_name,
        stranger.code,
        message.message_id,
        at,
        stranger.good_until,
    )
    if (found is not None and found[0] >= limit) or not (await tx.run(_INSERT, row)).rowcount:
        return False
    tx.moved("channel_pairings", None, "pending")
    tx.event(
        Event(
            name="pairing_requested",
            at=at,
            level="warning",
            plugin_id=part.release.plugin_id,
            version=part.release.version,
            account_uid=part.account_uid,
            account_id=part.account_id,
            message_id=message.message_id,
            fields={"pairing_id": pairing_id, "peer_id": message.conversation.peer_id},
        )
    )
    return True


def _pairing_id(new: NewMessage, stranger: Stranger, at: At) -> str:
    """One id for a peer and a stretch of time: of two writers one is first."""
    span = max(1, stranger.pause_ms)
    conversation = new.message.conversation
    peer = f"{conversation.account_uid}|{clean_text(conversation.peer_id)}"
    digest = hashlib.blake2b(peer.encode(), digest_size=10).hexdigest()
    return f"{at // span * span & 0xFFFF_FFFF_FFFF:012x}{digest}"


def _known(rows: Rows) -> tuple[MessageState, str] | None:
    """What follows from an earlier decision; None where there is none."""
    states = {row[0] for row in rows}
    if "approved" in states:
        return MessageState.RECEIVED, ""
    return (MessageState.REFUSED, "pairing_rejected") if "rejected" in states else None


def _may_be_told(rows: Sequence[tuple[Any, ...]], stranger: Stranger, at: At) -> bool:
    """Whether a peer that nobody decided on is given a code now."""
    told_at = max((row[1] for row in rows), default=None)
    if told_at is not None and told_at > at - stranger.pause_ms:
        return False
    return bool(sum(row[2] > at for row in rows) < stranger.open_per_peer)


def _refuse_over(pairing: Pairing, at: At) -> None:
    if pairing.state == "pending" and pairing.expires_at <= at:
        words = "This code is over: have the person write again, and use the new one."
        raise Conflict(words, reason="expired", state={"expires_at": pairing.expires_at})


async def _forget(tx: Transaction, pairing_id: str) -> bool:
    gone = await tx.first(_FORGET, (pairing_id,))
    if gone is not None:
        tx.moved("channel_pairings", gone[0], None)
    return gone is not None


def _listing(where: PairingFilter, limit: int, cursor: str) -> tuple[str, tuple[Any, ...]]:
    """The query of one page, read one row too long; ids are in the order of time."""
    parts, values = ["pairing_id < ?"], [cursor or "g"]  # behind every hex digit
    given: list[Any] = [*values]
    equals = {"state": where.state, "channel": where.channel, "account_id": where.account_id}
    for column, value in equals.items():
        if value:
            parts.append(f"{column} = ?")
            given.append(value)
    if where.open_at is not None:
        parts.append("expires_at > ?")
        given.append(where.open_at)
    condition = " AND ".join(parts)
    sql = f"{_ALL} WHERE {condition} ORDER BY pairing_id DESC LIMIT ?"
    return sql, (*given, limit + 1)
