"""The webhook request a channel parses: raw bytes and header order as they arrived."""

from collections.abc import Iterator
from typing import Any

from wunder_sdk.errors import BadParams, MalformedEvent
from wunder_wire import codec
from wunder_wire.methods import HttpRequest


class Pairs:
    """Names and values in their order; a name may repeat."""

    __slots__ = ("_fold", "_pairs")

    def __init__(self, pairs: tuple[tuple[str, str], ...], *, fold_case: bool) -> None:
        self._pairs = pairs
        self._fold = fold_case

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of `name`, `default` if there is none."""
        for value in self._values(name):
            return value
        return default

    def get_all(self, name: str) -> list[str]:
        """Return every value of `name` in order."""
        return list(self._values(name))

    def __contains__(self, name: str) -> bool:
        return any(True for _ in self._values(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def _values(self, name: str) -> Iterator[str]:
        if not self._fold:
            return (value for key, value in self._pairs if key == name)
        wanted = name.lower()
        return (value for key, value in self._pairs if key.lower() == wanted)


class Request:
    """One webhook request, byte-exact.

    Attributes:
        body: The raw bytes; signatures are over these.
    """

    __slots__ = ("_wire", "body")

    def __init__(self, wire: HttpRequest) -> None:
        body: str | bytes = wire.body_b64  # the quicker decoder has made bytes of it
        try:
            self.body = body if isinstance(body, bytes) else codec.bytes_of(body)
        except codec.DecodeError as error:
            raise BadParams(f"/http/body_b64: {error.problem}") from None
        self._wire = wire

    @property
    def method(self) -> str:
        """The HTTP method: POST, GET, ..."""
        return self._wire.method

    @property
    def path(self) -> str:
        """Without the query."""
        return self._wire.path

    @property
    def query(self) -> Pairs:
        """Decoded query pairs; names are case-sensitive."""
        return Pairs(self._wire.query, fold_case=False)

    @property
    def headers(self) -> Pairs:
        """Header pairs; names are not case-sensitive."""
        return Pairs(self._wire.headers, fold_case=True)

    @property
    def remote_addr(self) -> str:
        """The caller's address as the gateway saw it."""
        return self._wire.remote_addr

    @property
    def received_ms(self) -> int:
        """Unix milliseconds at arrival: judge freshness by this and nothing else."""
        return self._wire.received_ms

    def json(self) -> Any:
        """Return the body as JSON.

        Half characters (lone surrogates, as platforms cut them) become U+FFFD.

        Raises:
            MalformedEvent: Not JSON, not UTF-8, NaN, or deeper than 64.
        """
        try:
            return codec.parse_json(self.body, replace_surrogates=True)
        except codec.DecodeError as error:
            raise MalformedEvent(f"the body is not JSON: {error}") from error
