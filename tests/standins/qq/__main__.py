"""Run the stand-in alone: `python -m tests.standins.qq --port 0 --app-id 102000001 --secret-file f`."""

import argparse
import asyncio
import signal
from pathlib import Path

from tests.standins.qq.server import QqStandin, address_line


async def run(args: argparse.Namespace, secret: str) -> None:
    """Serve until a signal ends it."""
    async with QqStandin(args.app_id, secret, args.host, args.port) as standin:
        standin.webhook_url = args.webhook_url
        print(address_line(standin), flush=True)  # noqa: T201 - whoever started it reads this line
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()


def main() -> None:
    """Read the arguments; the secret comes from a file, never from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.qq")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--app-id", required=True)
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--webhook-url", default="")
    args = parser.parse_args()
    asyncio.run(run(args, args.secret_file.read_text("utf-8").strip()))


if __name__ == "__main__":
    main()
