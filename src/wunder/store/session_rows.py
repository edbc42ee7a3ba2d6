"""Rows of `channel_sessions` when they are opened, and the lines of a session as agents read them."""

from collections.abc import Sequence
from typing import Any

from wunder.model.conversation import HistoryLine
from wunder.model.ids import AgentId, At, SessionId
from wunder.model.message import InboundMessage


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


def history_lines(newest_first: Sequence[tuple[Any, ...]]) -> list[HistoryLine]:
    """Lines, oldest first, of rows of direction, text, sender's name and time."""
    return [
        HistoryLine("user" if direction == "in" else "assistant", text, name, At(at))
        for direction, text, name, at in reversed(newest_first)
    ]
