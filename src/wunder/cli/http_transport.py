"""The way to a running gateway: HTTP over a socket, with the standard library alone."""

import http.client
import ssl
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from wunder.cli.client import Answer, Exchange
from wunder.cli.failure import CommandFailed, bad_usage

#: A live test of an account may ask its platform; longer means that nobody answers (choice).
ANSWER_S = 120.0
MAX_ANSWER_BYTES = 256 * 1_048_576


class HttpTransport:
    """One kept connection to a gateway's address."""

    def __init__(self, url: str, timeout_s: float = ANSWER_S) -> None:
        parts = _address(url)
        host, port = str(parts.hostname), parts.port
        self.place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._prefix = parts.path.rstrip("/")
        self._connection = (
            http.client.HTTPSConnection(
                host, port, timeout=timeout_s, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=timeout_s)
        )

    def exchange(self, request: Exchange) -> Answer:
        """Send a request and return the whole answer.

        Raises: CommandFailed, when the gateway cannot be reached or breaks off.
        """
        headers = {**request.headers, "content-length": str(request.size_bytes)}
        try:
            self._connection.request(
                request.method, self._prefix + request.target, request.body, headers
            )
            response = self._connection.getresponse()
            body = response.read(MAX_ANSWER_BYTES)
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, body)
        except TimeoutError as error:
            raise self._unreachable("the gateway took too long to answer") from error
        except (OSError, http.client.HTTPException) as error:
            early = self._early_answer()
            if early is not None:
                return early
            raise self._unreachable(_words(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _early_answer(self) -> Answer | None:
        """Return what a gateway said before it stopped reading a body it refuses."""
        if self._connection.sock is None:
            return None
        try:
            response = self._connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read(MAX_ANSWER_BYTES))
        except (OSError, http.client.HTTPException):
            return None

    def _unreachable(self, words: str) -> CommandFailed:
        self._connection.close()
        return CommandFailed(
            f"the gateway cannot be reached: {words}",
            where=self.place,
            advice=("is it running? start it with `wunder serve`, or name another with --url",),
            document={"code": "unreachable"},
        )


def _address(url: str) -> SplitResult:
    with suppress(ValueError):  # half a bracket, or a port that is none
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    raise bad_usage(f"{url!r} is no address of a gateway", "such as http://127.0.0.1:8080")


def _words(error: Exception) -> str:
    return (getattr(error, "strerror", "") or str(error) or type(error).__name__).lower()
