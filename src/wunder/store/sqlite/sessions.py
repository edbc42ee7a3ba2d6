"""Sessions: the running thread of talk of a conversation, and its lines."""

from wunder.model.conversation import Conversation
from wunder.model.ids import AgentId, At, SessionId
from wunder.model.message import InboundMessage
from wunder.store.session_rows import opened_row
from wunder.store.sqlite.transaction import Tx

_CURRENT = """
SELECT session_id, message_count FROM channel_sessions
WHERE account_uid = ? AND peer_kind = ? AND peer_id = ? AND thread_id = ? AND is_current = 1
"""
_GROW = """
UPDATE channel_sessions SET message_count = message_count + ?1, last_message_at = ?2, agent_id = ?3,
  peer_name = CASE WHEN ?4 = '' THEN peer_name ELSE ?4 END
WHERE session_id = ?5
"""
_CLOSE = """
UPDATE channel_sessions SET is_current = 0
WHERE account_uid = ? AND peer_kind = ? AND peer_id = ? AND thread_id = ? AND is_current = 1
"""
_OPEN = """
INSERT INTO channel_sessions (session_id, account_uid, peer_kind, peer_id, thread_id, channel,
  account_id, agent_id, peer_name, message_count, created_at, last_message_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def current_session(tx: Tx, conversation: Conversation) -> tuple[SessionId | None, int]:
    """The current session of a conversation, and how many lines it has."""
    session_id, said = tx.one(_CURRENT, conversation.key) or (None, 0)
    return session_id, said


def grow(
    tx: Tx, session_id: SessionId, message: InboundMessage, agent_id: AgentId, lines: int, at: At
) -> None:
    """Add lines to a session, opening it with this id where it is new."""
    if tx.execute(_GROW, (lines, at, agent_id, message.peer_name, session_id)).rowcount:
        return
    tx.execute(_CLOSE, message.conversation.key)
    row = opened_row(session_id, message, agent_id, lines, at)
    tx.execute(_OPEN, row)
    tx.counts["channel_sessions"] += 1
