"""A wire to the server that can be cut: at once, after so many bytes, or before the answer to COMMIT."""

import asyncio
from pathlib import Path


class Proxy:
    """Listens on a socket of its own and carries bytes to the real one."""

    def __init__(self, folder: Path, server_socket: Path) -> None:
        self._socket = folder / server_socket.name
        self.folder = folder
        self._target = server_socket
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_down = False
        self.refuses = 0  # so many of the next connections
        self.cut_after: int | None = None  # bytes of a COMMIT and its answer that still pass
        self.goes_down_with_the_cut = False
        self.cuts = 0
        self.delay_s = 0.0  # what every message to the server takes longer
        self.asked = 0  # how often somebody here said something and waited for the answer
        self.falls_silent_at_commit = False
        self.has_commit = asyncio.Event()  # it holds one back
        self._flows = asyncio.Event()
        self._flows.set()

    def fall_silent(self) -> None:
        """Carry nothing and say nothing, as a network does that has lost its way; nothing is lost yet."""
        self._flows.clear()

    def speak_again(self) -> None:
        """Carry on with whatever waits on either side."""
        self._flows.set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._accept, self._socket)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.speak_again()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """End every connection now."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down or self.refuses:
            self.refuses = max(0, self.refuses - 1)
            writer.transport.abort()
            return
        await self._flows.wait()
        try:
            there, back = await asyncio.open_unix_connection(self._target)
        except OSError:  # the server is away
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        link = _Link()
        for source, target, is_up in ((reader, back, True), (there, writer, False)):
            task = asyncio.create_task(self._carry(source, target, link, is_up))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, link: "_Link", is_up: bool
    ) -> None:
        try:
            while chunk := await source.read(65_536):
                self.asked += is_up
                await self._flows.wait()
                if is_up and self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if is_up and b"COMMIT\x00" in chunk and self.falls_silent_at_commit:
                    self.falls_silent_at_commit = False
                    self.has_commit.set()
                    self.fall_silent()
                    await self._flows.wait()
                if is_up and b"COMMIT\x00" in chunk and self.cut_after is not None:
                    link.left, self.cut_after = self.cut_after, None
                if link.left is not None:
                    passing, link.left = chunk[: link.left], link.left - len(chunk)
                    target.write(passing)
                    if link.left <= 0:
                        await target.drain()
                        self.cuts += 1
                        self.is_down = self.goes_down_with_the_cut
                        self.cut()
                        return
                else:
                    target.write(chunk)
                await target.drain()
        except OSError:
            return
        finally:
            target.close()


class _Link:
    """One connection: how many bytes may still pass either way; None: any number."""

    def __init__(self) -> None:
        self.left: int | None = None
