"""Run the stand-in alone: `python -m tests.standins.feishu --port 0 --app-id cli_1 --secret-file f`."""

import argparse
import asyncio
import signal
from pathlib import Path

from tests.standins.feishu.platform import App
from tests.standins.feishu.server import FeishuStandin, address_line


async def run(args: argparse.Namespace, secrets: list[str]) -> None:
    """Serve until a signal ends it."""
    app = App(args.app_id, *secrets)
    async with FeishuStandin(app, args.host, args.port) as standin:
        standin.webhook_url = args.webhook_url
        print(address_line(standin), flush=True)  # noqa: T201 - whoever started it reads this line
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()


def main() -> None:
    """Read the arguments; secrets come from a file, never from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.feishu")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--app-id", required=True)
    parser.add_argument(
        "--secret-file",
        type=Path,
        required=True,
        help="lines: App Secret, Verification Token, Encrypt Key (may be left out)",
    )
    parser.add_argument("--webhook-url", default="")
    args = parser.parse_args()
    lines = args.secret_file.read_text("utf-8").splitlines()
    asyncio.run(run(args, [line.strip() for line in lines][:3]))


if __name__ == "__main__":
    main()
