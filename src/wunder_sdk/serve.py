"""Run a channel as a plugin process: `serve(MyChannel)`."""

import asyncio
import functools
import logging
import os
import sys
from typing import Any, NoReturn

from wunder_sdk import lazy, stdio
from wunder_sdk.channel import Channel
from wunder_sdk.handshake import PluginFacts
from wunder_sdk.lifeline import DRAIN_S, Lifeline
from wunder_sdk.process_host import HostLogHandler
from wunder_sdk.session import Session
from wunder_sdk.wire_loop import WireLoop, WireSelector, read_sockets_in_pieces

#: EX_USAGE: started by a person, not by the gateway.
EXIT_BY_HAND = 64

#: Seconds that atexit hooks and threads of the author may take (choice; host waits 5 s).
EXIT_WITHIN_S = 1.0

BY_HAND = """\
This is a Wunder Channels plugin. The gateway starts it and speaks JSON-RPC with it, one object
a line. To talk to it by hand, set WUNDER_COOKIE and begin with a handshake:

  echo '{"jsonrpc":"2.0","id":1,"method":"plugin.handshake","params":{"protocols":[1],
  "cookie":"hand","host":{"name":"hand","version":"0","instance_id":"0"},
  "plugin":{"plugin_id":"mine","version":"0.0.0"},"timeouts_ms":{},
  "limits":{"max_frame_bytes":1048576,"max_message_bytes":524288}}}' \\
  | tr -d '\\n' | WUNDER_COOKIE=hand <this command>

Or use `wunder plugin call`. See docs/write-a-channel/debugging.md.
"""


def serve(channel: type[Channel[Any]], plugin_id: str = "", version: str = "") -> NoReturn:
    """Serve `channel` on stdin and stdout until the host ends it, then exit the process.

    Args:
        channel: The class; it is made without arguments, after the wire is safe.
        plugin_id: What the handshake answers; what the host says if "".
        version: Likewise.
    """
    lifeline = hold_on()
    fds = stdio.take()
    facts = PluginFacts(os.environ["WUNDER_COOKIE"], plugin_id, version)
    read_sockets_in_pieces()
    loop = WireLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_run(channel, facts, fds, loop.wire))
        lifeline.let_go(EXIT_WITHIN_S, 0)
    sys.stderr.flush()
    sys.exit(0)


@functools.cache
def hold_on() -> Lifeline:
    """Begin to watch for the host's end; the second call returns the same watch.

    Exits with 64 and a helpful text where no host started us.
    """
    if not os.environ.get("WUNDER_COOKIE"):
        sys.stderr.write(BY_HAND)
        sys.exit(EXIT_BY_HAND)
    lifeline = Lifeline(stdio.take().read_fd)
    lifeline.start()
    lazy.die_with_parent()
    return lifeline


async def _run(
    channel: type[Channel[Any]], facts: PluginFacts, fds: stdio.WireFds, selector: WireSelector
) -> None:
    session = Session(channel(), facts, fds, selector)
    logging.basicConfig(
        level=logging.INFO,
        handlers=[HostLogHandler(session.host, asyncio.get_running_loop())],
        format="%(message)s",
    )
    await session.run(DRAIN_S * 0.75)
