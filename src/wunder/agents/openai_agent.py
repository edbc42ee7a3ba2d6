"""An agent behind any endpoint that speaks OpenAI's chat completions."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from wunder.agents import lazy
from wunder.agents.history import described, recent
from wunder.agents.pictures import parts_of
from wunder.agents.settings import OpenAiSettings
from wunder.egress.client import GuardedClient
from wunder.errors import AgentFailed
from wunder.model.turn import AgentTurn, Reply
from wunder.ports import Media

if TYPE_CHECKING:
    from wunder.model.conversation import HistoryLine

Lines = list[dict[str, Any]]


class Endpoint(Protocol):
    """What completes a conversation."""

    async def complete(self, lines: Lines, turn_id: str) -> str:
        """Return the answer's text, "" for none. Raises: AgentFailed."""

    async def tell(self, lines: Lines, turn_id: str, say: Callable[[str], None]) -> str:
        """Return the answer's text, and say what there is of it while it comes. Raises: AgentFailed."""


class OpenAiAgent:
    """Sends the bounded history and the message; answers with what comes back (port Agent)."""

    def __init__(
        self,
        settings: OpenAiSettings,
        client: GuardedClient,
        media: Media,
        connect: Callable[[OpenAiSettings, GuardedClient], Endpoint] = lazy.openai_endpoint,
    ) -> None:
        self.history_lines = settings.history_messages
        self._settings = settings
        self._client = client
        self._media = media
        self._connect = connect
        self._endpoint: Endpoint | None = None

    async def answer(self, turn: AgentTurn) -> tuple[Reply, ...]:
        """Return one reply, none where the endpoint says nothing.

        Raises:
            AgentFailed: Permanent where only a change of settings can help.
        """
        if self._endpoint is None:
            # Importing takes half a second: in a thread, so that other conversations go on.
            self._endpoint = await asyncio.to_thread(self._connect, self._settings, self._client)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                lines = await self._prompt(turn)
                if turn.say is None:
                    text = await self._endpoint.complete(lines, turn.turn_id)
                else:
                    text = await self._endpoint.tell(lines, turn.turn_id, turn.say)
        except TimeoutError as error:
            limit_s = self._settings.timeout_s
            raise AgentFailed(f"The endpoint did not answer within {limit_s:g} s.") from error
        return (Reply(text, "markdown"),) if text.strip() else ()

    async def _prompt(self, turn: AgentTurn) -> Lines:
        """The messages of a completion; a model that sees gets the pictures of what is asked now."""
        lines = prompt(turn, self._settings)
        if not self._settings.vision:
            return lines
        pictures = await parts_of(turn.message.content.attachments, self._media)
        if pictures:
            asked = lines[-1]["content"]
            text = [{"type": "text", "text": asked}] if asked else []
            lines[-1] = {"role": "user", "content": [*text, *pictures]}
        return lines


def prompt(turn: AgentTurn, settings: OpenAiSettings) -> Lines:
    """Return the messages of a completion: system prompt, history, what is asked now.

    In a group each person's name stands before what they say, so that the model can tell them apart.
    """
    is_group = turn.message.conversation.peer_kind != "user"
    lines: Lines = []
    if settings.system_prompt:
        lines.append({"role": "system", "content": settings.system_prompt})
    history = recent(turn.history, settings.history_messages, settings.history_chars)
    lines += [_line(one, is_group=is_group) for one in history]
    text = described(turn.message.content)
    asked = _named(text, turn.message.sender.name, is_group=is_group)
    return [*lines, {"role": "user", "content": asked}]


def _line(one: "HistoryLine", *, is_group: bool) -> dict[str, Any]:
    is_named = is_group and one.role == "user"
    return {"role": one.role, "content": _named(one.text, one.sender_name, is_group=is_named)}


def _named(text: str, name: str, *, is_group: bool) -> str:
    return f"{name}: {text}" if is_group and name else text
