"""Run the stand-in alone: `python -m tests.standins.whatsapp --port 0 --phone-number-id 1065 ..`."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.standins.whatsapp.server import WhatsAppStandin, address_line


async def run(args: argparse.Namespace, secrets: dict[str, str]) -> None:
    """Serve until a signal ends it."""
    number = args.phone_number_id
    async with WhatsAppStandin(
        number, secrets["access_token"], secrets["app_secret"], args.host, args.port
    ) as standin:
        standin.webhook_url = args.webhook_url
        print(address_line(standin), flush=True)  # noqa: T201 - whoever started it reads this line
        stopped = asyncio.Event()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, stopped.set)
        await stopped.wait()


def main() -> None:
    """Read the arguments; secrets come from a JSON file, never from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.whatsapp")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--phone-number-id", required=True)
    parser.add_argument("--secrets-file", type=Path, required=True)
    parser.add_argument("--webhook-url", default="")
    args = parser.parse_args()
    asyncio.run(run(args, json.loads(args.secrets_file.read_text("utf-8"))))


if __name__ == "__main__":
    main()
