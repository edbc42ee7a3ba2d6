"""The agents by id, built when first used and rebuilt when their row changes."""

from collections.abc import Callable
from typing import assert_never

from wunder.agents.echo import EchoAgent
from wunder.agents.http_agent import HttpAgent
from wunder.agents.later import LaterReplies
from wunder.agents.openai_agent import OpenAiAgent
from wunder.agents.settings import EchoSettings, HttpSettings, OpenAiSettings, settings_of
from wunder.egress.client import GuardedClient
from wunder.errors import AgentFailed
from wunder.model.binding import AgentSpec
from wunder.model.ids import AgentId, TurnId
from wunder.model.turn import Reply
from wunder.observe.logs import get_logger
from wunder.ports import Agent, Clock, Media

log = get_logger(__name__)


class AgentCatalog:
    """What answers (port Agents).

    Args:
        spec_of: the agent's current row with opened secrets; asked at every use, so it is memory.
        default_id: the agent for what names none.
        client: reaches endpoints and services.
        media: pictures for models that see.
    """

    def __init__(
        self,
        spec_of: Callable[[AgentId], AgentSpec | None],
        default_id: Callable[[], AgentId | None],
        client: GuardedClient,
        clock: Clock,
        media: Media,
    ) -> None:
        self._spec_of = spec_of
        self._default_id = default_id
        self._client = client
        self._clock = clock
        self._media = media
        self._later = LaterReplies()
        self._built: dict[AgentId, tuple[AgentSpec, Agent | None]] = {}

    def get(self, agent_id: AgentId) -> Agent | None:
        """Return an agent; None where there is none, or its stored settings cannot be used."""
        spec = self._spec_of(agent_id)
        if spec is None:
            self._built.pop(agent_id, None)
            return None
        kept = self._built.get(agent_id)
        if kept is None or (kept[0] is not spec and kept[0] != spec):
            kept = (spec, self._build(spec))
            self._built[agent_id] = kept
        return kept[1]

    def default_id(self) -> AgentId | None:
        """Return the agent for what names none."""
        return self._default_id()

    def accept_replies(self, turn_id: TurnId, token: str, replies: tuple[Reply, ...]) -> bool:
        """Hand over the later answer of a 202; False when no such turn waits or the token is wrong."""
        return self._later.accept(turn_id, token, replies)

    def _build(self, spec: AgentSpec) -> Agent | None:
        try:
            match spec.kind:
                case "echo":
                    return EchoAgent(settings_of(spec, EchoSettings))
                case "openai":
                    return OpenAiAgent(settings_of(spec, OpenAiSettings), self._client, self._media)
                case "http":
                    settings = settings_of(spec, HttpSettings)
                    return HttpAgent(settings, self._client, self._clock, self._later)
                case _:
                    assert_never(spec.kind)
        except AgentFailed as error:
            log.exception("agent_not_usable", agent_id=spec.agent_id, reason=error.detail)
            return None
