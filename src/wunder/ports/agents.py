"""Agents: what answers."""

from typing import Protocol

from wunder.model.ids import AgentId, TurnId
from wunder.model.turn import AgentTurn, Reply


class Agent(Protocol):
    """What answers. Called at least once a turn, always with the same turn_id."""

    @property
    def history_lines(self) -> int:
        """How many earlier lines of a session it reads at most; 0: none need be fetched."""

    async def answer(self, turn: AgentTurn) -> tuple[Reply, ...]:
        """Raises: AgentFailed."""


class Agents(Protocol):
    """The agents by id, built when first used and rebuilt when their row changes."""

    def get(self, agent_id: AgentId) -> Agent | None:
        """The agent; None when there is none of this id."""

    def default_id(self) -> AgentId | None:
        """The agent of conversations that no binding names."""

    async def accept_replies(self, turn_id: TurnId, token: str, replies: tuple[Reply, ...]) -> bool:
        """Hand over the later answer of a 202; False when no such turn waits or the token is wrong.

        Raises: Invalid, for more than an answer at once may say.
        """
