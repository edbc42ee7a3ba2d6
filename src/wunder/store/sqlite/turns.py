"""Claims on the turn lanes, and T2: a turn's result committed exactly once."""

from typing import NamedTuple

from wunder.errors import FenceLost
from wunder.model.conversation import HistoryLine
from wunder.model.delivery import SendGrant
from wunder.model.ids import AccountUid, AgentId, At, SessionId, TurnId
from wunder.model.message import MESSAGE_MOVES, MessageState
from wunder.model.turn import ClaimedTurn, TurnCommit, TurnCommitted
from wunder.store.message_rows import INBOUND_COLUMNS, INBOUND_WIDTH, inbound_of
from wunder.store.outgoing import going_of, turn_end_row
from wunder.store.policy import StorePolicy
from wunder.store.session_rows import history
from wunder.store.sqlite import lanes, sessions
from wunder.store.sqlite.fair_turns import due_turns
from wunder.store.sqlite.moves import MOVES
from wunder.store.sqlite.reader import Reader
from wunder.store.sqlite.replies import queue_replies
from wunder.store.sqlite.transaction import Tx
from wunder.store.sqlite.writer import Writer
from wunder.store.states import LIVE_TURNS
from wunder.store.turns import TurnClaims

_HEAD = f"""
SELECT {INBOUND_COLUMNS}, turn_id, claims, inline_until, reply_ordinals FROM channel_messages
WHERE lane_id = ? AND {LIVE_TURNS} ORDER BY lane_seq LIMIT 1
"""  # noqa: S608 - constants of this package
_CLAIM = """
UPDATE channel_messages SET state = 'answering', fence = ?, claims = claims + 1, is_alone = ?, epoch = ?,
  claimed_at = ?
WHERE message_id = ? AND state = 'received'
"""
#: Only as it was seen: the claim knows what nearly always still holds, and nothing is read (5 us).
_FINISH = """
UPDATE channel_messages SET state = ?1, reason = ?2, session_id = ?3, agent_id = ?4, binding_id = ?5,
  finished_at = ?6, reply_ordinals = reply_ordinals + ?7,
  session_seq = CASE WHEN ?3 IS NULL THEN NULL ELSE ?12 END
WHERE message_id = ?8 AND state = 'answering' AND fence = ?9
  AND reply_ordinals = ?10 AND inline_until IS ?11
  AND coalesce((SELECT message_count FROM channel_sessions WHERE session_id = ?3), 0) = ?12
"""
_STANDING = """
SELECT state, fence, lane_id, reply_ordinals, inline_until,
  coalesce((SELECT message_count FROM channel_sessions WHERE session_id = ?), 0)
FROM channel_messages WHERE message_id = ?
"""


class _Seen(NamedTuple):
    """What the end of a turn builds on."""

    lane_id: int
    reply_ordinals: int
    inline_until: At | None
    said: int  # lines of its session so far


class SqliteTurns(TurnClaims):
    """Room 2's door to the tables (port Turns)."""

    def __init__(self, writer: Writer, reader: Reader, policy: StorePolicy) -> None:
        super().__init__(
            writer, MOVES, _claim, lambda: writer.counters.value("channel_messages_received")
        )
        self._writer = writer
        self._reader = reader
        self._policy = policy

    async def commit(self, turn: TurnCommit, grant: SendGrant | None = None) -> TurnCommitted:
        """Commit what a turn ended with. Raises: FenceLost."""
        return await self._writer.commit(lambda tx: commit_turn(tx, turn, grant, self._policy))

    async def history(self, session_id: SessionId, limit: int) -> list[HistoryLine]:
        """The last lines of a session, oldest first."""
        return await history(self._reader, session_id, limit)


def _claim(tx: Tx, served: AccountUid | None, now: At, limit: int) -> list[ClaimedTurn]:
    """Claim heads; `served` None: a suspect."""
    claimed, is_suspect = [], served is None
    due = (
        lanes.due_turns(tx, True, now, limit)
        if served is None
        else due_turns(tx, served, now, limit)
    )
    for lane_id in due:
        row = tx.one(_HEAD, (lane_id,))
        if row is None:
            lanes.refresh_turns(tx, lane_id, now)
            continue
        fence = lanes.claim(tx, lane_id)
        message = inbound_of(row[:INBOUND_WIDTH])
        turn_id, claims, inline_until, ordinals = row[INBOUND_WIDTH:]
        tx.execute(_CLAIM, (fence, int(is_suspect), tx.epoch, now, message.message_id))
        tx.moved("channel_messages", "received", "answering")
        session_id, said = sessions.current_session(tx, message.conversation)
        turn = ClaimedTurn(
            turn_id=TurnId(turn_id),
            message=message,
            fence=fence,
            claims=claims + 1,
            is_alone=is_suspect,
            session_id=session_id,
            inline_until=inline_until,
            lane_id=lane_id,
            ordinals=ordinals,
            said=said,
        )
        claimed.append(turn)
    return claimed


def commit_turn(
    tx: Tx, turn: TurnCommit, grant: SendGrant | None, policy: StorePolicy
) -> TurnCommitted:
    """Commit a turn (T2) in the caller's transaction. Raises: FenceLost."""
    message = turn.turn.message
    if turn.state not in MESSAGE_MOVES[MessageState.ANSWERING]:
        raise FenceLost(f"A turn cannot end as {turn.state}.")
    lines = 1 + len(turn.replies)
    before = _finish(tx, turn)
    if before is None:
        # The same commit ran before and its outcome was not heard of.
        return TurnCommitted((), len(turn.replies))
    until = before.inline_until
    is_held = until is not None and until > turn.at
    if turn.session_id is not None:
        agent_id = turn.agent_id or AgentId("")
        sessions.grow(tx, turn.session_id, message, agent_id, lines, turn.at)
    ordinals, session_seq = before.reply_ordinals, before.said + 1
    going = going_of(turn, policy, ordinals, session_seq, until if is_held else None)
    tx.step(*turn.steps)
    committed = queue_replies(tx, going, None if is_held else grant)
    lanes.leave_turns(tx, before.lane_id, turn.at)
    tx.moved("channel_messages", "answering", turn.state)
    return committed


def _finish(tx: Tx, turn: TurnCommit) -> _Seen | None:
    """End the message under its fence: how it stood before; None when this very commit ran before."""
    claimed = turn.turn
    is_same = turn.session_id is not None and turn.session_id == claimed.session_id
    said = claimed.said if is_same else 0
    seen = _Seen(claimed.lane_id, claimed.ordinals, claimed.inline_until, said)
    if _ended(tx, turn, seen):
        return seen
    # A reply was begun on stage, the webhook came again, a person wrote, or the claim is an old one.
    found = tx.one(_STANDING, (turn.session_id, claimed.message.message_id))
    if found is None:
        raise FenceLost
    if found[:2] == (turn.state, claimed.fence):
        return None
    seen = _Seen(*found[2:])
    if not _ended(tx, turn, seen):
        raise FenceLost
    return seen


def _ended(tx: Tx, turn: TurnCommit, seen: _Seen) -> bool:
    return tx.execute(_FINISH, (*turn_end_row(turn), *seen[1:])).rowcount > 0
