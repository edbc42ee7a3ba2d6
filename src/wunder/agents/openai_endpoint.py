"""The OpenAI SDK over the guarded client, its errors translated once."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import httpx2
import openai

from wunder.agents.openai_stream import Heard
from wunder.agents.settings import OpenAiSettings
from wunder.egress.answer import FetchFault, FetchKind, Response
from wunder.egress.client import GuardedClient, Sink
from wunder.errors import AgentFailed

#: Bytes an answer may have: 100,000 tokens are well below (choice).
MAX_ANSWER_BYTES = 4 * 1_048_576
Lines = list[dict[str, Any]]
#: Stays ours: encoding and length belong to the connection, not to the request.
_OWN_HEADERS = frozenset({"host", "accept-encoding", "content-length", "connection"})
#: A later try may meet another state of the endpoint.
_RETRYABLE = frozenset({408, 409, 425, 429})


#: Who hears the body of the request that this task makes, while it comes in.
_listening: ContextVar[Callable[[str, bytes], None] | None] = ContextVar("listening", default=None)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Carries the SDK's requests through the guarded client (security rule 10).

    A body that somebody listens to is heard as it comes and not given to the SDK again.
    """

    def __init__(self, client: GuardedClient, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the whole answer. Raises: httpx2.TransportError named after the fault's class."""
        headers = {
            name: value for name, value in request.headers.items() if name not in _OWN_HEADERS
        }
        chunks: list[bytes] = []
        came = await self._client.stream(
            request.method,
            str(request.url),
            headers=headers,
            body=await request.aread(),
            timeout_s=self._timeout_s,
            sink=_sink(chunks, _listening.get()),
        )
        if isinstance(came, FetchFault):
            is_late = came.kind is FetchKind.TIMEOUT
            kind = httpx2.ReadTimeout if is_late else httpx2.ConnectError
            raise kind(came.kind.value, request=request)
        return httpx2.Response(
            came.status, headers=list(came.headers), content=b"".join(chunks), request=request
        )


def _sink(chunks: list[bytes], listener: Callable[[str, bytes], None] | None) -> Sink:
    """Keep a body within its limit, or hand a success to who listens."""
    left = MAX_ANSWER_BYTES

    def take(came: Response, chunk: bytes) -> bool:
        nonlocal left
        left -= len(chunk)
        if left < 0:
            raise AgentFailed("The endpoint's answer is too large.", is_permanent=True)
        if listener is not None and came.status < 300:
            listener(came.content_type, chunk)
        else:
            chunks.append(chunk)
        return False

    return take


class OpenAiEndpoint:
    """One endpoint with one model; the SDK tries once, the turn decides about more."""

    def __init__(self, settings: OpenAiSettings, client: GuardedClient) -> None:
        self._settings = settings
        transport = GuardedTransport(client, settings.timeout_s)
        self._sdk = openai.AsyncOpenAI(
            # An endpoint without keys still gets a header: the SDK insists on one.
            api_key=settings.api_key or "none",
            base_url=settings.base_url,
            timeout=settings.timeout_s,
            max_retries=0,
            http_client=httpx2.AsyncClient(transport=transport, trust_env=False),
        )
        # The SDK reads these from the environment, whatever endpoint it speaks to.
        self._sdk.organization = None
        self._sdk.project = None

    async def complete(self, lines: Lines, turn_id: str) -> str:
        """Return the first choice's text. Raises: AgentFailed."""
        return _text(await self._ask(lines, turn_id, {}))

    async def tell(self, lines: Lines, turn_id: str, say: Callable[[str], None]) -> str:
        """Return the first choice's text, and say it while it comes. Raises: AgentFailed."""
        heard = Heard()

        def hear(content_type: str, chunk: bytes) -> None:
            heard.take(content_type, chunk)
            say(heard.text)

        token = _listening.set(hear)
        try:
            stream = await self._ask(lines, turn_id, {"stream": True})
            await stream.close()
        finally:
            _listening.reset(token)
        return heard.whole()

    async def _ask(self, lines: Lines, turn_id: str, options: dict[str, Any]) -> Any:
        if self._settings.temperature is not None:
            options["temperature"] = self._settings.temperature
        if self._settings.max_tokens is not None:
            options["max_tokens"] = self._settings.max_tokens
        messages: Any = lines
        try:
            return await self._sdk.chat.completions.create(
                model=self._settings.model,
                messages=messages,
                extra_headers={"Idempotency-Key": turn_id},
                **options,
            )
        except openai.APIStatusError as error:
            raise _refusal(error) from error
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, AgentFailed):
                raise error.__cause__ from error
            raise _unreached(error) from error
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            raise AgentFailed("The endpoint's answer cannot be read.") from error


def _text(completion: Any) -> str:
    """Read the answer without trust: compatible endpoints leave out what OpenAI never does."""
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        raise AgentFailed("The endpoint's answer holds no choice.", is_permanent=True)
    content = getattr(getattr(choices[0], "message", None), "content", None)
    return content if isinstance(content, str) else ""


def _refusal(error: openai.APIStatusError) -> AgentFailed:
    status = error.status_code
    is_spent = error.code == "insufficient_quota"
    is_permanent = is_spent or (status < 500 and status not in _RETRYABLE)
    words = (
        "The endpoint says the quota is used up."
        if is_spent
        else f"The endpoint answered {status}."
    )
    return AgentFailed(words, is_permanent=is_permanent)


def _unreached(error: openai.APIConnectionError) -> AgentFailed:
    try:
        fault = FetchFault(FetchKind(str(error.__cause__)))
    except ValueError:
        fault = FetchFault(FetchKind.PROTOCOL)
    return AgentFailed(
        f"The endpoint cannot be reached: {fault.kind}.", is_permanent=fault.is_permanent
    )
