"""The settings of each kind of agent, read from its spec."""

from typing import TypeVar

import msgspec

from wunder.errors import AgentFailed
from wunder.model.binding import AgentSpec

S = TypeVar("S", bound="HistorySettings | EchoSettings")


class EchoSettings(msgspec.Struct, frozen=True):
    """What stands before a repeated text."""

    prefix: str = ""


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a session goes along, and how long an answer may take."""

    history_messages: int = 20
    history_chars: int = 16_000
    timeout_s: float = 60.0


class OpenAiSettings(HistorySettings, frozen=True, kw_only=True):
    """An endpoint that speaks OpenAI's chat completions."""

    base_url: str
    model: str
    api_key: str = ""
    system_prompt: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    vision: bool = False

    def __repr__(self) -> str:
        return f"OpenAiSettings({self.model})"


class HttpSettings(HistorySettings, frozen=True, kw_only=True):
    """A service that is asked over HTTP."""

    url: str
    signing_secret: str
    later_s: float = 300.0

    def __repr__(self) -> str:
        return "HttpSettings(***)"


def settings_of(spec: AgentSpec, kind: type[S]) -> S:
    """Return the settings of an agent, secrets merged in.

    Raises:
        AgentFailed: Permanent: what is stored does not fit this version's settings.
    """
    try:
        return msgspec.convert({**spec.config, **spec.secrets}, kind, strict=False)
    except msgspec.ValidationError as error:
        # The library's message names the field and its type, never the value.
        raise AgentFailed(f"The agent's settings are wrong: {error}", is_permanent=True) from error
