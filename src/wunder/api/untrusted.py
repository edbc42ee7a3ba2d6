"""Bytes of strangers on our origin: behind a signed link, sandboxed, a download unless an image."""

import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from wunder.api.asgi import Header, Receive, Scope, Send, refuse
from wunder.api.problems import outage, problem
from wunder.errors import NotFound, WunderError

if TYPE_CHECKING:
    from wunder.attachments.desk import AttachmentDesk, Served

PREFIX = "/wunder/untrusted/"
_PATH = re.compile(r"/wunder/untrusted/attachments/([0-9a-f]{32})")
#: Security rule 3.
_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"cache-control", b"private, no-store"),
)


class UntrustedRoute:
    """`GET /wunder/untrusted/attachments/{blob_id}?t=..`; whatever is wrong with a link is a 404."""

    def __init__(self, desk: "AttachmentDesk") -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        trace_id = uuid.uuid4().hex
        if scope["method"] not in {"GET", "HEAD"}:
            wrong = problem(405, "method_not_allowed", trace_id=trace_id)
            await refuse(send, wrong, [(b"allow", b"GET, HEAD")], unread=receive)
            return
        match = _PATH.fullmatch(scope["path"])
        try:
            if match is None:
                raise NotFound
            served = await self._desk.open(match[1], _token(scope["query_string"]))
            first = await self._desk.piece(served, 0)
        except NotFound as error:
            await refuse(send, problem(404, "not_found", error.detail, trace_id=trace_id))
            return
        except WunderError as error:
            await refuse(send, outage(error, trace_id))
            return
        await self._serve(served, first, send, is_head=scope["method"] == "HEAD")

    async def _serve(self, served: "Served", piece: bytes, send: Send, *, is_head: bool) -> None:
        row = served.row
        headers = [
            *_HEADERS,
            (b"content-type", (row.mime if served.is_showable else "application/octet-stream").encode()),
            (b"content-disposition", _disposition(row.name, is_showable=served.is_showable)),
            (b"content-length", b"%d" % row.size_bytes),
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if is_head:
            piece = b""
        offset = 0
        while piece:
            offset += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await self._desk.piece(served, offset)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _token(query_string: bytes) -> str:
    try:
        found = parse_qs(query_string.decode("latin-1"), max_num_fields=8).get("t", [])
    except ValueError:
        return ""
    return found[0] if len(found) == 1 else ""


def _disposition(name: str, *, is_showable: bool) -> bytes:
    """Return the header; the name is percent-encoded whole, so that it cannot leave its field."""
    kind = "inline" if is_showable else "attachment"
    if not name:
        return kind.encode()
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}".encode()
