"""The shape of ASGI, and the few ways in which bare routes answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

from wunder.api.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

#: What every answer of ours carries; pages of the console add their own policy.
SECURITY_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)

# A refusal before the body was read: how much of it, for how long, is read and thrown away, so that
# the sender sees the answer instead of a reset connection. Choice: nginx lingers 5 s, 30 s in all.
LINGER_S = 2.0
LINGER_BYTES = 1_048_576

_encode = msgspec.json.Encoder().encode


async def answer(
    send: Send, status: int, headers: Iterable[Header], body: bytes = b"", *, is_last: bool = True
) -> None:
    """Write a whole answer; with `is_last` False the connection stays open for `linger`."""
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body, "more_body": not is_last})


async def refuse(
    send: Send, problem: Problem, headers: Iterable[Header] = (), unread: Receive | None = None
) -> None:
    """Answer with a problem document.

    Args:
        send: the connection.
        problem: what is wrong; its `retry_after_s` becomes the header.
        headers: further headers.
        unread: given when the body was not read to its end: the connection is closed politely.
    """
    lines: list[Header] = [
        (b"content-type", b"application/problem+json"),
        *SECURITY_HEADERS,
        *headers,
    ]
    if problem.retry_after_s is not None:
        lines.append((b"retry-after", b"%d" % problem.retry_after_s))
    if unread is None:
        await answer(send, problem.status, lines, _encode(problem))
        return
    await answer(
        send, problem.status, [*lines, (b"connection", b"close")], _encode(problem), is_last=False
    )
    await linger(unread)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def linger(receive: Receive) -> None:
    """Read what the sender still has on the way and throw it away, within bounds."""
    seen = 0
    try:
        async with asyncio.timeout(LINGER_S):
            while seen <= LINGER_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                seen += len(message.get("body", b""))
    except TimeoutError:
        return
