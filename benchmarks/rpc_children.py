"""The programs on the other side of the wire in benchmarks/rpc_roundtrip.py."""

import sys
from pathlib import Path

#: The floor: as many bytes there and back as a call has, and nothing else.
PING_PONG = """
import os, sys
back = b"x" * int(sys.argv[1])
while os.read(0, 65536):
    os.write(1, back)
"""
#: The way the asyncio documentation shows: a stream reader, a task a message, stdlib json.
NAIVE = """
import asyncio, json, sys
async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    tasks = set()
    async def answer(line):
        frame = json.loads(line)
        result = {"ignored": "nothing"}
        writer.write(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": result}).encode() + b"\\n")
        await writer.drain()
    while line := await reader.readline():
        task = asyncio.create_task(answer(line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
asyncio.run(main())
"""
#: A plugin of 15 lines in any language: read a line, write a line.
_LINE = """#!{python} {flags}
import os, sys
{codec}
read, write = sys.stdin.buffer.readline, sys.stdout.buffer
for line in iter(read, b""):
    frame = loads(line)
    result = {{"ignored": "nothing"}}
    if frame["method"] == "plugin.handshake":
        result = {{"protocol": 1, "cookie": os.environ["WUNDER_COOKIE"], "plugin": frame["params"]["plugin"]}}
    elif frame["method"] == "plugin.health":
        result = {{}}
    elif "id" not in frame:
        continue
    write.write(dumps({{"jsonrpc": "2.0", "id": frame["id"], "result": result}}) + b"\\n")
    write.flush()
    if frame["method"] == "plugin.shutdown":
        sys.exit(0)
"""
_CODECS = {
    "line": ("-B", "import msgspec; loads, dumps = msgspec.json.decode, msgspec.json.encode"),
    "plain": ("-SB", "import json; loads = json.loads; dumps = lambda v: json.dumps(v).encode()"),
}
#: A channel as its author writes it; `body` looks at the request's body, as one that verifies does.
_SDK = """
from wunder_sdk import Channel, ParseResult
class Bench(Channel):
    async def parse_inbound(self, account, http):
        {work}
        return ParseResult(ignored="nothing")
"""
SDK_WORK = {"sdk": "", "body": "assert len(http.body) > 1000"}


def write_packages(root: Path) -> None:
    """Put every plugin into a folder of its own below `root`."""
    for name, (flags, codec) in _CODECS.items():
        folder = root / name
        folder.mkdir()
        entry = folder / "app"
        entry.write_text(_LINE.format(python=sys.executable, flags=flags, codec=codec))
        entry.chmod(0o755)
    for name, work in SDK_WORK.items():
        app = root / name / "app"
        app.mkdir(parents=True)
        (app / "plugin.py").write_text(_SDK.format(work=work))
        (root / name / "plugin.json").write_text('{"plugin_id": "bench", "version": "1.0.0"}')
