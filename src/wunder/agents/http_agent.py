"""An agent that is a service of the operator's own, asked over HTTP."""

import asyncio
import contextlib
from collections.abc import Callable

from wunder.agents.http_wire import (
    SIGNATURE,
    TURN_TOKEN,
    EventStream,
    read_replies,
    request_body,
    signature,
    turn_token,
)
from wunder.agents.later import LaterReplies, Replies
from wunder.agents.settings import HttpSettings
from wunder.egress.answer import FetchFault, Response
from wunder.egress.client import GuardedClient
from wunder.errors import AgentFailed, StoreUnavailable
from wunder.model.turn import AgentTurn
from wunder.ports import Clock

#: Choice: 20 replies of 100,000 characters do not fit, and nobody's chat takes that.
MAX_ANSWER_BYTES = 1_048_576
_EVENTS = "text/event-stream"
_RETRYABLE = frozenset({408, 409, 425, 429})


class HttpAgent:
    """Asks by a signed POST; takes JSON, an event stream, or 202 and replies later (port Agent)."""

    def __init__(
        self, settings: HttpSettings, client: GuardedClient, clock: Clock, later: LaterReplies
    ) -> None:
        self.history_lines = settings.history_messages
        self._settings = settings
        self._client = client
        self._clock = clock
        self._later = later

    async def answer(self, turn: AgentTurn) -> Replies:
        """Return what the agent says.

        Raises:
            AgentFailed: Permanent where asking again cannot help.
        """
        token = turn_token(self._settings.signing_secret, turn.turn_id)
        with self._later.expect(turn.turn_id, token) as later:
            answer = _Answer(turn.say)
            body = request_body(turn, self._settings)
            came = await self._client.stream(
                "POST",
                self._settings.url,
                headers={
                    "Content-Type": "application/json",
                    "Accept": f"application/json, {_EVENTS}",
                    "Idempotency-Key": turn.turn_id,
                    SIGNATURE: signature(
                        self._settings.signing_secret, self._clock.now() // 1000, body
                    ),
                    TURN_TOKEN: token,
                },
                body=body,
                timeout_s=self._settings.timeout_s,
                sink=answer.take,
            )
            if later.done():
                # Replies overtook the answer, or stand in for one that was lost.
                return later.result()
            if isinstance(came, FetchFault):
                words = f"The agent cannot be reached: {came.kind}."
                raise AgentFailed(words, is_permanent=came.is_permanent)
            if came.status == 202:
                return await self._wait(later)
            return answer.replies(came)

    async def _wait(self, later: "asyncio.Future[Replies]") -> Replies:
        try:
            async with asyncio.timeout(self._settings.later_s):
                with contextlib.suppress(StoreUnavailable):  # looked at again on news
                    await self._later.look()  # what came to another node, or in an earlier life
                return await later
        except TimeoutError as error:
            words = f"The agent promised an answer and sent none in {self._settings.later_s:g} s."
            raise AgentFailed(words) from error


class _Answer:
    """The body of an answer as it comes in, in whichever form."""

    def __init__(self, say: Callable[[str], None] | None) -> None:
        self._say = say
        self._chunks: list[bytes] = []
        self._size_bytes = 0
        self._events = EventStream()

    def take(self, came: Response, chunk: bytes) -> bool:
        """Take a chunk; True when no more is needed or wanted."""
        self._size_bytes += len(chunk)
        if self._size_bytes > MAX_ANSWER_BYTES or not 200 <= came.status < 300:
            return True
        if came.content_type == _EVENTS:
            has_ended = self._events.feed(chunk)
            if self._say is not None and not has_ended:
                self._say(self._events.text)
            return has_ended
        self._chunks.append(chunk)
        return False

    def replies(self, came: Response) -> Replies:
        """Return what the whole answer says. Raises: AgentFailed."""
        if not 200 <= came.status < 300:
            is_permanent = came.status < 500 and came.status not in _RETRYABLE
            raise AgentFailed(f"The agent answered {came.status}.", is_permanent=is_permanent)
        if self._size_bytes > MAX_ANSWER_BYTES:
            words = f"The agent's answer has more than {MAX_ANSWER_BYTES} bytes."
            raise AgentFailed(words, is_permanent=True)
        if came.status == 204:
            return ()
        if came.content_type != _EVENTS:
            return read_replies(b"".join(self._chunks))
        if self._events.replies is None:
            raise AgentFailed("The agent's stream ended without a final event.")
        return self._events.replies
