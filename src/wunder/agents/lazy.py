"""The OpenAI SDK, loaded when the first agent of that kind answers: 38 MB and half a second."""

from typing import TYPE_CHECKING

from wunder.agents.settings import OpenAiSettings
from wunder.egress.client import GuardedClient

if TYPE_CHECKING:
    from wunder.agents.openai_endpoint import OpenAiEndpoint


def openai_endpoint(settings: OpenAiSettings, client: GuardedClient) -> "OpenAiEndpoint":
    """Return the endpoint that an agent's settings name."""
    from wunder.agents.openai_endpoint import OpenAiEndpoint  # noqa: PLC0415 - see line 1

    return OpenAiEndpoint(settings, client)
