"""The only place of this room that imports late: what `serve` need not pay for before it is used."""

import asyncio
from collections.abc import Callable

from wunder.api.asgi import App, Receive, Scope, Send
from wunder.api.parts import ApiParts


class LateApp:
    """An app built in a thread by whoever asks first; the others wait for it."""

    def __init__(self, build: Callable[[], App]) -> None:
        self._build = build
        self._app: App | None = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, after building where needed."""
        app = self._app or await self._built()
        await app(scope, receive, send)

    async def _built(self) -> App:
        async with self._building:
            if self._app is None:
                # Importing Litestar takes a fifth of a second: webhooks go on meanwhile.
                self._app = await asyncio.to_thread(self._build)
            return self._app


def admin_app(parts: ApiParts) -> App:
    """Import Litestar and build the administrators' API."""
    from wunder.api.admin import build_admin

    return build_admin(parts)
