"""Rows of `channel_sessions` when they are opened, and the lines of a session as agents read them."""

from typing import Any

from wunder.model.conversation import HistoryLine
from wunder.model.ids import AgentId, At, SessionId
from wunder.model.message import InboundMessage
from wunder.store.reads import Reads

_HISTORY = """
SELECT direction, text, sender_name, created_at FROM channel_messages
WHERE session_id = ? AND session_id IS NOT NULL ORDER BY session_seq DESC LIMIT ?
"""


def opened_row(
    session_id: SessionId, message: InboundMessage, agent_id: AgentId, lines: int, at: At
) -> tuple[Any, ...]:
    """The columns of a new session that begins with so many lines."""
    return (
        session_id,
        *message.conversation.key,
        message.channel,
        message.account_id,
        agent_id,
        message.peer_name,
        lines,
        at,
        at,
    )


async def history(reader: Reads, session_id: SessionId, limit: int) -> list[HistoryLine]:
    """The last lines of a session, oldest first."""
    newest_first = await reader.rows(_HISTORY, session_id, limit)
    return [
        HistoryLine("user" if direction == "in" else "assistant", text, name, At(at))
        for direction, text, name, at in reversed(newest_first)
    ]
