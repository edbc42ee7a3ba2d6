"""A channel that does what the test tells it to, run as a real plugin process."""

import asyncio
import os
import signal
import subprocess
import sys
import time

from wunder_sdk import Channel, ParseResult, ProviderRejected, RateLimited, SendResult

print("noise while importing")  # noqa: T201 - the noise is the test


class Pieces(asyncio.Protocol):
    """Keeps how much each read of a socket brought."""

    def __init__(self):
        self.sizes = []
        self.ended = asyncio.Event()

    def data_received(self, data):
        self.sizes.append(len(data))

    def connection_lost(self, error):
        self.ended.set()


class Lab(Channel[dict]):
    async def parse_inbound(self, account, http):
        order = http.json()
        return await getattr(self, "do_" + order["do"])(account, order)

    async def send_outbound(self, account, send):
        if send.text == "throttle":
            raise RateLimited("slow down", retry_after=3, scope="peer")
        if send.text == "refuse":
            raise ProviderRejected("no such room", provider_code=1104, http_status=400)
        if send.text == "bug":
            raise KeyError("oops")
        if send.text == "wait":
            await asyncio.Event().wait()
        return SendResult(provider_message_id=send.idempotency_key)

    async def do_nothing(self, account, order):
        return ParseResult(ignored="nothing")

    async def do_say(self, account, order):
        print("print noise")  # noqa: T201 - the noise is the test
        sys.stdout.write("half a line")
        os.write(1, b"raw noise\n")
        subprocess.run(["/bin/echo", "child noise"], check=True)
        return ParseResult(ignored="said")

    async def do_list_fds(self, account, order):
        code = "import os; print(sorted(int(f) for f in os.listdir('/proc/self/fd')))"
        run = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            capture_output=True,
            text=True,
            close_fds=False,
        )
        return ParseResult(ignored=run.stdout.strip())

    async def do_block(self, account, order):
        self.log.info("blocking")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        while True:
            time.sleep(60)  # noqa: ASYNC251 - hangs on purpose

    async def do_wait(self, account, order):
        await asyncio.Event().wait()

    async def do_ignore_cancel(self, account, order):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return ParseResult(ignored="finished anyway")

    async def do_import(self, account, order):
        try:
            __import__(order["name"])
        except ImportError as error:
            return ParseResult(ignored=f"refused: {error}")
        return ParseResult(ignored="found")

    async def do_count_state(self, account, order):
        count, rev = await account.state.get_with_rev("count")
        await account.state.put("count", (count or 0) + 1, rev=rev)
        return ParseResult(ignored=str(count))

    async def do_clock(self, account, order):
        return ParseResult(ignored=str(self.now_ms()))

    async def do_grow(self, account, order):
        return ParseResult(ignored="x" * order["size"])

    async def do_surrogate(self, account, order):
        return ParseResult(ignored="cut \ud83d here")

    async def do_https(self, account, order):
        import ssl  # noqa: PLC0415 - late on purpose: asyncio is running without it

        reader, writer = await asyncio.open_connection(
            "127.0.0.1", order["port"], ssl=ssl._create_unverified_context()
        )
        text = await reader.readline()
        writer.close()
        return ParseResult(ignored=text.decode().strip())

    async def do_largest_piece(self, account, order):
        pieces = Pieces()
        await asyncio.get_running_loop().create_connection(
            lambda: pieces, "127.0.0.1", order["port"]
        )
        await pieces.ended.wait()
        return ParseResult(ignored=str(max(pieces.sizes)))

    async def do_die(self, account, order):
        os.kill(os.getpid(), signal.SIGKILL)
