"""Claims on the turn lanes, and T2: a turn's result committed exactly once."""

from wunder.errors import FenceLost
from wunder.model.conversation import HistoryLine, LaneKind
from wunder.model.delivery import SendGrant
from wunder.model.ids import AccountUid, At, SessionId, TurnId
from wunder.model.message import MESSAGE_MOVES, MessageState
from wunder.model.turn import ClaimedTurn, TurnCommit, TurnCommitted
from wunder.store.message_rows import INBOUND_COLUMNS, INBOUND_WIDTH, inbound_of
from wunder.store.outgoing import going_of, turn_end_row
from wunder.store.policy import StorePolicy
from wunder.store.postgres import lanes, sessions
from wunder.store.postgres.fair_turns import due_turns
from wunder.store.postgres.lane_book import lane_key
from wunder.store.postgres.moves import MOVES
from wunder.store.postgres.reader import Reader
from wunder.store.postgres.replies import queue_replies
from wunder.store.postgres.statements import Many
from wunder.store.postgres.transaction import Tx
from wunder.store.postgres.writer import Writer
from wunder.store.session_rows import history
from wunder.store.states import LIVE_TURNS
from wunder.store.turns import TurnClaims

_HEADS = Many(
    f"""
SELECT v.n, h.*, (SELECT s.session_id FROM channel_sessions s WHERE s.account_uid = h.account_uid
    AND s.peer_kind = h.peer_kind AND s.peer_id = h.peer_id AND s.thread_id = h.thread_id
    AND s.is_current = 1)
FROM {{v}} CROSS JOIN LATERAL (
  SELECT {INBOUND_COLUMNS}, turn_id, claims, inline_until FROM channel_messages m
  WHERE m.lane_id = v.lane_id AND {LIVE_TURNS} ORDER BY lane_seq LIMIT 1) h
""",  # noqa: S608 - constants of this package
    "lane_id int8",
)
_CLAIM = Many(
    """
UPDATE channel_messages m SET state = 'answering', fence = v.fence, claims = claims + 1,
  is_alone = v.alone, epoch = v.epoch, claimed_at = v.at
FROM {v} WHERE m.message_id = v.id AND m.state || '' = 'received'
""",
    "fence int8, alone int8, epoch int8, at int8, id text",
)
_FINISH = Many(
    """
UPDATE channel_messages m SET state = v.state, reason = v.reason, session_id = v.session,
  session_seq = CASE WHEN v.session IS NULL THEN NULL ELSE coalesce(
    (SELECT s.message_count FROM channel_sessions s WHERE s.session_id = v.session), 0) END,
  agent_id = v.agent, binding_id = v.binding, finished_at = v.at,
  reply_ordinals = m.reply_ordinals + v.replies
FROM {v} WHERE m.message_id = v.id AND m.state || '' = 'answering' AND m.fence = v.fence
RETURNING v.n, m.lane_id, m.reply_ordinals, m.inline_until, coalesce(m.session_seq, 0)
""",
    "state text, reason text, session text, agent text, binding text, at int8, replies int8, id text,"
    " fence int8",
)
_STANDING = "SELECT state, fence FROM channel_messages WHERE message_id = ?"


class PostgresTurns(TurnClaims):
    """Room 2's door to the tables (port Turns)."""

    def __init__(self, writer: Writer, reader: Reader, policy: StorePolicy) -> None:
        super().__init__(writer, MOVES, _claim, lambda: writer.waiting("channel_messages_received"))
        self._writer = writer
        self._reader = reader
        self._policy = policy

    async def commit(self, turn: TurnCommit, grant: SendGrant | None = None) -> TurnCommitted:
        """Commit what a turn ended with. Raises: FenceLost."""
        conversation = turn.turn.message.conversation
        both = [lane_key(kind, conversation) for kind in LaneKind]
        return await self._writer.commit(
            lambda tx: commit_turn(tx, turn, grant, self._policy), lanes=both
        )

    async def history(self, session_id: SessionId, limit: int) -> list[HistoryLine]:
        """The last lines of a session, oldest first."""
        return await history(self._reader, session_id, limit)


async def _claim(tx: Tx, served: AccountUid | None, now: At, limit: int) -> list[ClaimedTurn]:
    """Claim heads; `served` None: a suspect."""
    claimed, is_suspect = [], served is None
    if served is None:
        due = await lanes.due_turns(tx, True, now, limit)
    else:
        due = await due_turns(tx, served, now, limit)
    heads = await tx.each(_HEADS, [(lane.lane_id,) for lane in due])
    for lane, rows in zip(due, heads, strict=True):
        if not rows:
            await lanes.refresh_turns(tx, lane, now)
            continue
        fence = lanes.claim(lane)
        message = inbound_of(rows[0][:INBOUND_WIDTH])
        turn_id, claims, inline_until, session_id = rows[0][INBOUND_WIDTH:]
        tx.put(_CLAIM, (fence, int(is_suspect), tx.epoch, now, message.message_id))
        tx.moved("channel_messages", "received", "answering")
        turn = ClaimedTurn(
            TurnId(turn_id), message, fence, claims + 1, is_suspect, session_id, inline_until
        )
        claimed.append(turn)
    return claimed


async def commit_turn(
    tx: Tx, turn: TurnCommit, grant: SendGrant | None, policy: StorePolicy
) -> TurnCommitted:
    """Commit a turn (T2) in the caller's transaction. Raises: FenceLost."""
    message = turn.turn.message
    if turn.state not in MESSAGE_MOVES[MessageState.ANSWERING]:
        raise FenceLost(f"A turn cannot end as {turn.state}.")
    finished = await _finish(tx, turn)
    if finished is None:
        # The same commit ran before and its outcome was not heard of.
        return TurnCommitted((), len(turn.replies))
    lane_id, ordinals, inline_until, session_seq = finished
    is_held = inline_until is not None and inline_until > turn.at
    if turn.session_id is not None:
        await sessions.grow(tx, turn, turn.session_id, session_seq)
    answered = ordinals - len(turn.replies)
    going = going_of(turn, policy, answered, session_seq + 1, inline_until if is_held else None)
    tx.step(*turn.steps)
    committed = await queue_replies(tx, going, None if is_held else grant)
    lane = await tx.lanes.by_id(lane_id)
    await lanes.leave_turns(tx, lane, turn.at, message.message_id)
    tx.moved("channel_messages", "answering", turn.state.value)
    return committed


async def _finish(tx: Tx, turn: TurnCommit) -> tuple[int, int, At | None, int] | None:
    """End the message under its fence: its lane, ordinals, inline window and place in the session.

    None when this very commit ran before.
    """
    claimed = turn.turn
    found = await tx.one(_FINISH, turn_end_row(turn))
    if found is not None:
        return int(found[0]), int(found[1]), found[2], int(found[3])
    standing = await tx.one(_STANDING, (claimed.message.message_id,))
    if standing == (turn.state.value, claimed.fence):
        return None
    raise FenceLost
