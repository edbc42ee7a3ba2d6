"""What a chat user may say to the gateway itself: /new, /help, /stop (pure)."""

from enum import StrEnum

from wunder.model.message import Content


class ChatCommand(StrEnum):
    """A command is the whole text of a message, in any case."""

    NEW = "/new"  # a fresh session, in the order of the conversation
    HELP = "/help"
    STOP = "/stop"  # ends the running turn; does not wait in its lane


_KNOWN = {command.value: command for command in ChatCommand}


def chat_command(content: Content) -> ChatCommand | None:
    """Return the command a message is, None for anything else."""
    if content.type != "text" or not content.text.startswith("/") or len(content.text) > 16:
        return None
    return _KNOWN.get(content.text.strip().lower())
