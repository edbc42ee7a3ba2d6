"""The other side of NoneBot2's OneBot v11 adapter: events as it reads them, and a reverse WebSocket.

Source: OneBot 11, "Reverse WebSocket": the implementation dials the bot, one connection for events
and API calls; a call has an `echo`, which its answer repeats.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import aiohttp

SELF_ID = "1"


def event(text: str, number: int) -> dict[str, Any]:
    """Write one private message of person `number`."""
    return {
        "time": 1_700_000_000,
        "self_id": int(SELF_ID),
        "post_type": "message",
        "message_type": "private",
        "sub_type": "friend",
        "message_id": 1,
        "user_id": 1000 + number,
        "message": text,
        "raw_message": text,
        "font": 0,
        "sender": {"user_id": 1000 + number, "nickname": "x"},
    }


class ReverseSocket:
    """One connection to a bot: `post` sends an event, `arrive` is told the text of each reply."""

    def __init__(self, arrive: Callable[[str], None]) -> None:
        self._arrive = arrive
        self._session: aiohttp.ClientSession | None = None
        self._socket: Any = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self, port: int, path: str) -> None:
        """Dial the bot."""
        self._session = aiohttp.ClientSession()
        headers = {"X-Self-ID": SELF_ID, "X-Client-Role": "Universal"}
        url = f"http://127.0.0.1:{port}{path}"
        self._socket = await self._session.ws_connect(url, headers=headers, max_msg_size=0)
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        if self._session is not None:
            await self._socket.close()
            await self._session.close()

    async def post(self, _path: str, body: bytes) -> int:
        """Send one event; nothing acknowledges it, so it counts as taken."""
        await self._socket.send_str(body.decode())
        return 200

    async def _read(self) -> None:
        async for frame in self._socket:
            call = json.loads(frame.data)
            answer = {"status": "ok", "retcode": 0, "data": {"message_id": 1}}
            if call["action"].startswith("send"):
                self._arrive(call["params"]["message"][0]["data"]["text"])
            await self._socket.send_str(json.dumps({**answer, "echo": call.get("echo")}))
