"""The chat page's files: read once from the package, named by their content, kept by browsers."""

import asyncio
import gzip
import hashlib
import re
from importlib.resources import files

from wunder.api.asgi import Header, Scope, Send, answer

_ASSET = re.compile(r"/wunder/chat/assets/(?P<digest>[0-9a-f]{12})/(?P<name>[a-z]+\.(?:js|css))\Z")
_EMBED = "/wunder/chat/embed.js"
_TYPES = {"js": b"text/javascript; charset=utf-8", "css": b"text/css; charset=utf-8"}
_FOREVER = b"public, max-age=31536000, immutable"
_A_WHILE = b"public, max-age=300"
_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
#: A company's page loads this one from another origin.
_CROSS: Header = (b"cross-origin-resource-policy", b"cross-origin")
_MENTION = re.compile(rb"\{\{([a-z]+\.(?:js|css))\}\}")


class ChatFiles:
    """Page, script, style and the embedding script."""

    def __init__(self) -> None:
        self._by_path: dict[str, bytes] = {}  # packed once: browsers all take gzip
        self._page = b""
        self._reading = asyncio.Lock()

    async def page(self) -> bytes:
        """Return the page, its files named by their content."""
        await self._read()
        return self._page

    async def serve(self, scope: Scope, send: Send) -> bool:
        """Answer a request for one of the files; False when it is for something else."""
        path = scope["path"]
        is_embed = path == _EMBED
        if not (is_embed or _ASSET.match(path)) or scope["method"] not in {"GET", "HEAD"}:
            return False
        await self._read()
        body = self._by_path.get(path)
        if body is None:
            return False
        headers = [
            *_HEADERS,
            (b"content-type", _TYPES[path.rpartition(".")[2]]),
            (b"cache-control", _A_WHILE if is_embed else _FOREVER),
            (b"vary", b"accept-encoding"),
            *([_CROSS] if is_embed else []),
        ]
        if _takes_gzip(scope):
            headers.append((b"content-encoding", b"gzip"))
        else:
            body = gzip.decompress(body)
        await answer(send, 200, headers, b"" if scope["method"] == "HEAD" else body)
        return True

    async def _read(self) -> None:
        async with self._reading:
            if not self._page:
                self._by_path, self._page = await asyncio.to_thread(_load)


def _takes_gzip(scope: Scope) -> bool:
    wanted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
    return any(one.strip().split(b";")[0] == b"gzip" for one in wanted.lower().split(b","))


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _load() -> tuple[dict[str, bytes], bytes]:
    folder = files("wunder.chat") / "page"
    by_path, places = {}, {}
    for name in ("page.js", "words.js", "markdown.js", "page.css"):
        body = (folder / name).read_bytes()
        path = f"/wunder/chat/assets/{hashlib.sha256(body).hexdigest()[:12]}/{name}"
        by_path[path], places[name.encode()] = _packed(body), path.encode()
    by_path[_EMBED] = _packed((folder / "embed.js").read_bytes())
    page = (folder / "page.html").read_bytes()
    return by_path, _MENTION.sub(lambda match: places[match[1]], page)
