"""The agents by id, built when first used and rebuilt when their row changes."""

import contextlib
import hmac
from collections.abc import Collection, Iterator
from typing import Protocol, assert_never

from wunder.agents.echo import EchoAgent
from wunder.agents.http_agent import HttpAgent
from wunder.agents.http_wire import checked, turn_token
from wunder.agents.later import LaterReplies
from wunder.agents.openai_agent import OpenAiAgent
from wunder.agents.settings import EchoSettings, HttpSettings, OpenAiSettings, settings_of
from wunder.egress.client import GuardedClient
from wunder.errors import AgentFailed, FieldFault, Invalid
from wunder.model.binding import AgentSpec
from wunder.model.ids import AgentId, TurnId
from wunder.model.turn import Reply
from wunder.observe.logs import get_logger
from wunder.ports import Agent, Clock, Media

log = get_logger(__name__)


class AgentBook(Protocol):
    """The agents as administrators set them up; asked at every use, so it is memory."""

    def spec(self, agent_id: str) -> AgentSpec | None:
        """The agent's current row with opened secrets."""

    def default_id(self) -> AgentId | None:
        """The agent for what names none."""

    def ids(self) -> Collection[AgentId]:
        """All of them."""


class AgentCatalog:
    """What answers (port Agents).

    Args:
        book: the agents' rows.
        client: reaches endpoints and services.
        media: pictures for models that see.
        later: who waits for an answer that comes later.
    """

    def __init__(
        self,
        book: AgentBook,
        client: GuardedClient,
        clock: Clock,
        media: Media,
        later: LaterReplies,
    ) -> None:
        self._book = book
        self._client = client
        self._clock = clock
        self._media = media
        self._later = later
        self._built: dict[AgentId, tuple[AgentSpec, Agent | None]] = {}

    def get(self, agent_id: AgentId) -> Agent | None:
        """Return an agent; None where there is none, or its stored settings cannot be used."""
        spec = self._book.spec(agent_id)
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
        return self._book.default_id()

    async def accept_replies(self, turn_id: TurnId, token: str, replies: tuple[Reply, ...]) -> bool:
        """Hand over the later answer of a 202; False when no such turn waits or the token is wrong.

        Raises: Invalid, for more than an answer at once may say.
        """
        try:
            said = checked(replies)
        except AgentFailed as too_much:
            fault = FieldFault("/replies", "too_large", too_much.detail)
            raise Invalid(too_much.detail, [fault]) from None
        is_genuine = self._is_genuine(turn_id, token)
        return await self._later.accept(turn_id, token, said, is_genuine=is_genuine)

    async def look_for_replies(self) -> None:
        """Take what agents sent to other nodes for turns that wait here."""
        await self._later.look()

    def _is_genuine(self, turn_id: TurnId, token: str) -> bool:
        """Whether an agent of ours was given this token with this turn, on whichever node."""
        given = token.encode("utf-8", "surrogatepass")
        return any(
            hmac.compare_digest(turn_token(secret, turn_id).encode(), given)
            for secret in self._signing_secrets()
        )

    def _signing_secrets(self) -> Iterator[str]:
        for agent_id in self._book.ids():
            spec = self._book.spec(agent_id)
            if spec is not None and spec.kind == "http":
                with contextlib.suppress(AgentFailed):
                    yield settings_of(spec, HttpSettings).signing_secret

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
