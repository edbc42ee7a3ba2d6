"""What a called channel looks like, wherever it runs."""

from typing import Any, Protocol

from wunder_wire.errors import ErrorObject
from wunder_wire.shapes import to_json


class CallFailed(Exception):
    """The channel answered a call with an error."""

    def __init__(self, error: ErrorObject) -> None:
        super().__init__(error.message)
        self.error = error

    def as_json(self) -> Any:
        """Return the error member of the answer."""
        return to_json(self.error)


class TargetDied(CallFailed):
    """The channel's process ended during a call: there will be no further answers."""


class Target(Protocol):
    """A channel that takes calls one after the other."""

    @property
    def channel(self) -> str:
        """The provider id."""
        ...

    @property
    def account_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of its accounts, None where it has none."""
        ...

    async def call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a call as JSON. Raises: CallFailed, TargetDied."""
        ...
