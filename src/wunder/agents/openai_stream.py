"""A completion as it comes in: an event stream of deltas, or one document."""

from typing import Any

import msgspec

from wunder.errors import AgentFailed

#: Source: platform.openai.com/docs/api-reference/chat-streaming (read 2026-11).
_DONE = b"[DONE]"


class _Delta(msgspec.Struct):
    content: Any = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    error: Any = None


class Heard:
    """What an endpoint said so far, whichever way it says it."""

    def __init__(self) -> None:
        self.text = ""
        self._rest = b""
        self._body: list[bytes] = []
        self._is_stream = False
        self._has_ended = False

    def take(self, content_type: str, chunk: bytes) -> None:
        """Take a chunk of the body. Raises: AgentFailed."""
        self._is_stream = content_type == "text/event-stream"
        if not self._is_stream:
            self._body.append(chunk)
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            field, _, value = line.partition(b":")
            if field == b"data":
                self._event(value.strip())

    def whole(self) -> str:
        """Return the whole answer. Raises: AgentFailed when it broke off, or is none."""
        if self._is_stream:
            if not self._has_ended:
                raise AgentFailed("The endpoint's answer broke off.")
            return self.text
        chunk = _read(b"".join(self._body))
        if not chunk.choices:
            raise AgentFailed("The endpoint's answer holds no choice.", is_permanent=True)
        return _text(chunk.choices[0].message)

    def _event(self, value: bytes) -> None:
        if value == _DONE:
            self._has_ended = True
        elif value:
            chunk = _read(value)
            if chunk.error is not None:
                raise AgentFailed("The endpoint broke off with an error.")
            for choice in (chunk.choices or [])[:1]:
                self.text += _text(choice.delta)
                self._has_ended = self._has_ended or bool(choice.finish_reason)


def _read(document: bytes) -> _Chunk:
    try:
        return msgspec.json.decode(document, type=_Chunk)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AgentFailed("The endpoint's answer cannot be read.") from error


def _text(said: _Delta | None) -> str:
    content = said.content if said is not None else None
    return content if isinstance(content, str) else ""
