"""The HTTP API as commands use it: one client, over a socket or straight into an app."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode

from wunder.cli.failure import CommandFailed

#: A page of a list; commands ask for more until they have what was wanted.
PAGE = 100
Query = Mapping[str, object]


class Answer(NamedTuple):
    """An HTTP answer, whole. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Exchange(NamedTuple):
    """An HTTP request. `size_bytes` is the length of `body`, which may come in pieces."""

    method: str
    target: str
    headers: dict[str, str]
    body: Iterable[bytes]
    size_bytes: int


class Transport(Protocol):
    """The way to a gateway."""

    @property
    def place(self) -> str:
        """Where it leads, for people: an address, or the data directory."""
        ...

    def exchange(self, request: Exchange) -> Answer:
        """Send a request and return the whole answer. Raises: CommandFailed."""
        ...

    def close(self) -> None:
        """Let go of the gateway."""
        ...


class Upload(NamedTuple):
    """A file to send as multipart form: `content` yields its bytes."""

    file_name: str
    content: Iterable[bytes]
    size_bytes: int


class Client:
    """Speaks the HTTP API. Answers that are no success become CommandFailed."""

    def __init__(self, transport: Transport, token: str, lang: str = "") -> None:
        self._transport = transport
        self._headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if lang:
            self._headers["accept-language"] = lang

    @property
    def place(self) -> str:
        """Where the gateway is, for people."""
        return self._transport.place

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.close()

    def get(self, path: str, query: Query | None = None) -> Any:
        """Return the JSON of a GET."""
        return self._json("GET", path, query)

    def post(
        self, path: str, body: Any = None, query: Query | None = None, headers: Query | None = None
    ) -> Any:
        """Return the JSON of a POST; `body` is sent as JSON."""
        return self._json("POST", path, query, body, headers)

    def put(self, path: str, body: Any, rev: int | None = None) -> Any:
        """Return the JSON of a PUT; `rev` says which revision it replaces."""
        return self._json("PUT", path, None, body, _if_match(rev))

    def patch(self, path: str, body: Any, rev: int | None = None) -> Any:
        """Return the JSON of a PATCH; `rev` says which revision it changes."""
        return self._json("PATCH", path, None, body, _if_match(rev))

    def delete(self, path: str, rev: int | None = None) -> Any:
        """Return the JSON of a DELETE, None where there is none."""
        return self._json("DELETE", path, None, None, _if_match(rev))

    def whole(self, path: str, query: Query | None = None) -> list[Any]:
        """Return the items of a list that has one page."""
        found: list[Any] = self.get(path, query)["items"]
        return found

    def items(self, path: str, query: Query | None = None, at_most: int = 1_000) -> Iterator[Any]:
        """Yield the items of a list, page after page, at most `at_most` of them."""
        asked = dict(query or {})
        while at_most > 0:
            page = self.get(path, {**asked, "limit": min(PAGE, at_most)})
            found = page["items"]
            yield from found[:at_most]
            at_most -= len(found)
            asked["cursor"] = page.get("next_cursor")
            if not asked["cursor"]:  # a page may be empty while there is more to look through
                return

    def upload(
        self, path: str, upload: Upload, fields: Mapping[str, str], query: Query | None = None
    ) -> Any:
        """Send a file and form fields; return the JSON of the answer."""
        boundary = secrets.token_hex(16)
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        # Quoted by us: a file name with quotes or line breaks must not write headers of its own.
        file_name = quote(upload.file_name)
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"'
            "\r\nContent-Type: application/zip\r\n\r\n"
        )
        tail = f"\r\n--{boundary}--\r\n".encode()

        def body() -> Iterator[bytes]:
            yield head.encode()
            yield from upload.content
            yield tail

        request = Exchange(
            "POST",
            _target(path, query),
            {**self._headers, "content-type": f"multipart/form-data; boundary={boundary}"},
            body(),
            len(head.encode()) + upload.size_bytes + len(tail),
        )
        return self._answered(request)

    def _json(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Any = None,
        more: Query | None = None,
    ) -> Any:
        headers = {**self._headers, **{key: str(value) for key, value in (more or {}).items()}}
        content = b""
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            headers["content-type"] = "application/json"
        return self._answered(
            Exchange(method, _target(path, query), headers, (content,), len(content))
        )

    def _answered(self, request: Exchange) -> Any:
        answer = self._transport.exchange(request)
        if 200 <= answer.status < 300:
            return _parsed(answer) if answer.body else None
        raise refusal_of(answer, self.place, f"{request.method} {request.target.partition('?')[0]}")


def path_of(*parts: str) -> str:
    """Return a path of the API made of parts, each escaped: an id cannot leave its place."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def refusal_of(answer: Answer, place: str, asked: str) -> CommandFailed:
    """Return what a gateway's refusal means, from its problem document."""
    try:
        problem = json.loads(answer.body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return CommandFailed(
            f"the gateway answered {answer.status} without saying why",
            where=f"{asked} at {place}",
            advice=("is this address a Wunder gateway? look at its log",),
            document={"status": answer.status},
        )
    what = str(problem.get("detail") or problem.get("title") or f"status {answer.status}")
    return CommandFailed(
        what, where=f"{asked} at {place}", advice=tuple(_advice(problem)), document=problem
    )


def _advice(problem: Mapping[str, Any]) -> Iterator[str]:
    for fault in problem.get("errors") or ():
        yield f"{fault.get('pointer') or '/'}: {fault.get('message')} ({fault.get('code')})"
    code, status = problem.get("code"), problem.get("status")
    if status == 401:
        yield "the token is missing, expired or revoked: make one with `wunder token create`"
    elif status == 403:
        yield "this token lacks a scope: make one with `wunder token create --scope ...`"
    elif code == "host_not_allowed":
        yield "use an address that the gateway's `api.allowed_hosts` lists"
    if wait_s := problem.get("retry_after_s"):
        yield f"try again in {wait_s} s"
    if trace_id := problem.get("trace_id"):
        yield f"in the gateway's log: trace_id {trace_id}"


def _if_match(rev: int | None) -> Query | None:
    return None if rev is None else {"if-match": str(rev)}


def _target(path: str, query: Query | None) -> str:
    given = {
        key: _in_query(value) for key, value in (query or {}).items() if value not in (None, "")
    }
    return f"{path}?{urlencode(given)}" if given else path


def _in_query(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(answer: Answer) -> Any:
    if "json" not in answer.headers.get("content-type", ""):
        return answer.body.decode("utf-8", "replace")
    return json.loads(answer.body)
