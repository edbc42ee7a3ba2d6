"""The built console at /console/: hashed files for ever, the page never kept, nothing from elsewhere."""

import asyncio
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from wunder.api.asgi import Header, Receive, Scope, Send, answer

PREFIX = "/console/"
#: What leads to the console.
DOORS = frozenset({"/", "/console"})
_INDEX = "index.html"
_ASSETS = "assets/"

#: Components set their styles at run time, which asks for 'unsafe-inline' (research: Ant Design 6).
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS: tuple[Header, ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"vary", b"accept-encoding"),
)
_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
_NEVER_KEPT = (b"cache-control", b"no-store")

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".map": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_PACKED_ALREADY = frozenset({".png", ".webp", ".woff2", ".ico"})
#: Below it, packing gains less than a packet.
_WORTH_PACKING_BYTES = 1_024

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Wunder Channels</title>
<style>body{font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;
max-width:38rem;margin:4rem auto;padding:0 1rem;color:#1c2430;background:#f5f6f8}
a{color:inherit}
code{font-family:ui-monospace,monospace;background:#e6e8ec;padding:.1em .3em;border-radius:3px;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{color:#dfe3ea;background:#0f1216}code{background:#262c35}}
</style></head><body>
<h1>Wunder Channels</h1>
<p>The gateway is running, but its web console is not built: that needs Node.js 20.19 or newer, once.</p>
<ol><li>Get Node.js: from <code>nodejs.org</code>, or with <code>brew install node</code>, or in the folder of the
sources with <code>.venv/bin/pip install --target console/.node -r tools/console-node.txt</code></li>
<li>In the same folder: <code>sh tools/console.sh</code></li>
<li>Load this page again; nothing has to be restarted.</li></ol>
<p>A released wheel has the console inside. Without it there are <code>wunder --help</code> and the
<a href="/wunder/openapi.json">HTTP API</a>.</p>
<div lang="zh-CN"><p>网关正在运行，但网页控制台尚未构建：构建一次需要 Node.js 20.19 或更新版本。</p>
<ol><li>获取 Node.js：从 <code>nodejs.org</code> 下载，或 <code>brew install node</code>，或在源码目录中执行
<code>.venv/bin/pip install --target console/.node -r tools/console-node.txt</code></li>
<li>在同一目录执行 <code>sh tools/console.sh</code></li>
<li>重新加载本页，无需重启。</li></ol>
<p>发布的 wheel 已内置控制台。没有控制台时可使用 <code>wunder --help</code> 和
<a href="/wunder/openapi.json">HTTP 接口</a>。</p></div>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    plain: bytes
    packed: bytes | None


class ConsolePages:
    """Serves a folder from memory: what is not in it when it is read can never be asked for."""

    def __init__(self, root: Path | None = None) -> None:
        """Take the folder of the built console; None: the one that came with this program."""
        self._root = root or Path(str(files("wunder") / "console_build"))
        self._files: Mapping[str, _File] = {}
        self._built_at = -1
        self._reading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below /console/."""
        if scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, [*_HEADERS, (b"allow", b"GET, HEAD")])
            return
        if scope["path"] in DOORS:
            await answer(send, 302, [*_HEADERS, _NEVER_KEPT, (b"location", PREFIX.encode())])
            return
        name = scope["path"].removeprefix(PREFIX)
        is_page = name not in self._files or name == _INDEX
        if is_page or not self._files:
            await self._read_again()
        file = self._files.get(name)
        if file is None and _is_page(name):
            file = self._files.get(_INDEX)
        await self._answer(scope, send, name, file)

    async def _answer(self, scope: Scope, send: Send, name: str, file: _File | None) -> None:
        status, cached = 200, _FOR_EVER if name.startswith(_ASSETS) else _NEVER_KEPT
        if file is None:
            is_built = bool(self._files)
            status, cached = (404 if is_built or not _is_page(name) else 503), _NEVER_KEPT
            words = b"" if status == 404 else NOT_BUILT.encode()
            file = _File(_KINDS[".html"], words, None)
        headers = [*_HEADERS, cached, (b"content-type", file.kind.encode())]
        content = file.plain
        if file.packed is not None and _takes_gzip(scope):
            headers.append((b"content-encoding", b"gzip"))
            content = file.packed
        if scope["method"] == "HEAD":
            headers.append((b"content-length", b"%d" % len(content)))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await answer(send, status, headers, content)

    async def _read_again(self) -> None:
        """Read the folder where its page is another than the one that is known."""
        async with self._reading:
            built_at = await asyncio.to_thread(_built_at, self._root)
            if built_at != self._built_at:
                self._files = await asyncio.to_thread(_read, self._root)
                self._built_at = built_at


def _is_page(name: str) -> bool:
    """Tell a deep link into the console from a file: its last part has no dot."""
    return not name.startswith(_ASSETS) and "." not in name.rpartition("/")[2]


def _takes_gzip(scope: Scope) -> bool:
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
    return any(part.strip().lower() == b"gzip" for part in accepted.replace(b";", b",").split(b","))


def _built_at(root: Path) -> int:
    try:
        return (root / _INDEX).stat().st_mtime_ns
    except OSError:
        return 0


def _read(root: Path) -> dict[str, _File]:
    """Read every file of a kind that a console has; links are not followed out of the folder."""
    inside = root.resolve()
    found = {}
    for path in sorted(root.rglob("*")):
        kind = _KINDS.get(path.suffix)
        if kind is None or not path.is_file() or not path.resolve().is_relative_to(inside):
            continue
        found[path.relative_to(root).as_posix()] = _file(path, kind)
    return found if _INDEX in found else {}


def _file(path: Path, kind: str) -> _File:
    plain = path.read_bytes()
    packed = None
    if path.suffix not in _PACKED_ALREADY and len(plain) >= _WORTH_PACKING_BYTES:
        packed = gzip.compress(plain, 9, mtime=0)
    return _File(kind, plain, packed)
