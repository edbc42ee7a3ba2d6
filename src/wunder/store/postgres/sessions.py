"""Sessions: the running thread of talk of a conversation, and its lines."""

from wunder.model.ids import AgentId, SessionId
from wunder.model.turn import TurnCommit
from wunder.store.postgres.statements import Many, inserting
from wunder.store.postgres.transaction import Tx
from wunder.store.session_rows import opened_row

_PEER = "account_uid text, peer_kind text, peer_id text, thread_id text"
_OF = """s.account_uid = v.account_uid AND s.peer_kind = v.peer_kind AND s.peer_id = v.peer_id
  AND s.thread_id = v.thread_id AND s.is_current = 1"""
#: A sub-select for each row: as a join the planner would read all current sessions.
_FOUND = f"SELECT v.n, (SELECT s.session_id FROM channel_sessions s WHERE {_OF}) AS id FROM {{v}} OFFSET 0"  # noqa: S608
CURRENT = Many(f"SELECT n, id FROM ({_FOUND}) found WHERE id IS NOT NULL", _PEER)  # noqa: S608
_GROW = Many(
    """
UPDATE channel_sessions s SET message_count = message_count + v.lines, last_message_at = v.at,
  agent_id = v.agent, peer_name = CASE WHEN v.peer = '' THEN peer_name ELSE v.peer END
FROM {v} WHERE s.session_id = v.session
""",
    "lines int8, at int8, agent text, peer text, session text",
)
_CLOSE = Many(
    f"UPDATE channel_sessions s SET is_current = 0 FROM ({_FOUND}) found WHERE s.session_id = id",  # noqa: S608
    _PEER,
)
_OPEN = inserting(
    "channel_sessions",
    "session_id text, account_uid text, peer_kind text, peer_id text, thread_id text, channel text,"
    " account_id text, agent_id text, peer_name text, message_count int8, created_at int8,"
    " last_message_at int8",
)


async def grow(tx: Tx, turn: TurnCommit, session_id: SessionId, lines_before: int) -> None:
    """Add a turn's lines to a session, opening it with this id where it has none yet.

    Whoever holds the claim is the only one who can change the conversation's current session.
    """
    message, at = turn.turn.message, turn.at
    lines, agent_id = 1 + len(turn.replies), turn.agent_id or AgentId("")
    if lines_before:
        tx.put(_GROW, (lines, at, agent_id, message.peer_name, session_id))
        return
    if turn.turn.session_id is not None:
        await tx.execute(_CLOSE, message.conversation.key)
    row = opened_row(session_id, message, agent_id, lines, at)
    tx.put(_OPEN, row)
    tx.counts["channel_sessions"] += 1
