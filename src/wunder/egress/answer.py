"""What came of a request: a whole answer, or the class of what went wrong."""

from enum import StrEnum

import msgspec


class FetchKind(StrEnum):
    """Why there is no answer. A class and no words: those could tell what an address holds."""

    BAD_URL = "bad_url"
    REFUSED_ADDRESS = "refused_address"
    NO_SUCH_NAME = "no_such_name"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    PROTOCOL = "protocol"


class FetchFault(msgspec.Struct, frozen=True):
    """No whole answer. `may_have_arrived`: the other side may have acted on the request."""

    kind: FetchKind
    may_have_arrived: bool = False

    @property
    def is_permanent(self) -> bool:
        """Say whether only a change of configuration can help."""
        return self.kind in (FetchKind.BAD_URL, FetchKind.REFUSED_ADDRESS, FetchKind.REDIRECT)


class Response(msgspec.Struct, frozen=True):
    """An answer of any status, not decompressed; the body is empty for a stream."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first value of a header, "" where there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.header("Content-Type").partition(";")[0].strip().lower()
