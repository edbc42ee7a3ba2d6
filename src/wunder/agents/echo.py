"""An agent that repeats what it is told: the way through without a model."""

from wunder.agents.history import described
from wunder.agents.settings import EchoSettings
from wunder.model.turn import AgentTurn, Reply


class EchoAgent:
    """Repeats the text, and names attachments (port Agent)."""

    def __init__(self, settings: EchoSettings) -> None:
        self._settings = settings

    history_lines = 0

    async def answer(self, turn: AgentTurn) -> tuple[Reply, ...]:
        """Return one reply, none where there is nothing to repeat."""
        text = described(turn.message.content)
        return (Reply(self._settings.prefix + text),) if text else ()
