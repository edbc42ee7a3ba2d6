"""Agents that a test puts in."""

from wunder.model.ids import AgentId, TurnId
from wunder.model.turn import Reply
from wunder.ports import Agent


class FakeAgents:
    """Agents in a dict; the first one is the default. `expect` makes a turn wait for replies."""

    def __init__(self, **agents: Agent) -> None:
        self.agents = {AgentId(name): agent for name, agent in agents.items()}
        self.accepted: dict[TurnId, tuple[Reply, ...]] = {}
        self._waiting: dict[TurnId, str] = {}

    def expect(self, turn_id: str, token: str) -> None:
        self._waiting[TurnId(turn_id)] = token

    def get(self, agent_id: AgentId) -> Agent | None:
        return self.agents.get(agent_id)

    def default_id(self) -> AgentId | None:
        return next(iter(self.agents), None)

    def accept_replies(self, turn_id: TurnId, token: str, replies: tuple[Reply, ...]) -> bool:
        if self._waiting.get(turn_id) != token:
            return False
        del self._waiting[turn_id]
        self.accepted[turn_id] = replies
        return True
