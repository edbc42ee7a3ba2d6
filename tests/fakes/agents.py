"""Agents that a test puts in."""

from collections.abc import Collection

from wunder.model.binding import AgentSpec
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

    async def accept_replies(self, turn_id: TurnId, token: str, replies: tuple[Reply, ...]) -> bool:
        if self._waiting.get(turn_id) != token:
            return False
        del self._waiting[turn_id]
        self.accepted[turn_id] = replies
        return True


class FakeAgentBook:
    """The agents' rows, in memory."""

    def __init__(self, *specs: AgentSpec) -> None:
        self.specs = {spec.agent_id: spec for spec in specs}

    def spec(self, agent_id: str) -> AgentSpec | None:
        return self.specs.get(AgentId(agent_id))

    def default_id(self) -> AgentId | None:
        return next(iter(self.specs), None)

    def ids(self) -> Collection[AgentId]:
        return self.specs.keys()


class FakeLaterTable:
    """What nodes share; `answering` are the turns that some node answers."""

    def __init__(self) -> None:
        self.answering: set[TurnId] = set()
        self.left: dict[TurnId, tuple[Reply, ...]] = {}

    async def leave(self, turn_id: TurnId, replies: tuple[Reply, ...]) -> bool:
        if turn_id not in self.answering or turn_id in self.left:
            return False
        self.left[turn_id] = replies
        return True

    async def take(self, turn_ids: Collection[TurnId]) -> dict[TurnId, tuple[Reply, ...]]:
        return {one: self.left.pop(one) for one in list(self.left) if one in turn_ids}
