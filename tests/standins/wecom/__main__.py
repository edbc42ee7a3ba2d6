"""Run the stand-in alone: `python -m tests.standins.wecom --port 0 --keys-file keys.json`."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.standins.wecom.callbacks import Keys
from tests.standins.wecom.platform import WecomPlatform
from tests.standins.wecom.server import WecomStandin, address_line


async def run(args: argparse.Namespace, keys: dict[str, str]) -> None:
    """Serve until a signal ends it."""
    platform = WecomPlatform(args.corp_id, args.agent_id, keys["secret"])
    pair = Keys(keys["token"], keys["encoding_aes_key"])
    async with WecomStandin(platform, pair, args.host, args.port) as standin:
        standin.webhook_url = args.webhook_url
        print(address_line(standin), flush=True)  # noqa: T201 - whoever started it reads this line
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()


def main() -> None:
    """Read the arguments; secrets come from a file: secret, token, encoding_aes_key."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.wecom")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--corp-id", default="ww1234567890abcdef")
    parser.add_argument("--agent-id", type=int, default=1000002)
    parser.add_argument("--keys-file", type=Path, required=True)
    parser.add_argument("--webhook-url", default="")
    args = parser.parse_args()
    asyncio.run(run(args, json.loads(args.keys_file.read_text("utf-8"))))


if __name__ == "__main__":
    main()
