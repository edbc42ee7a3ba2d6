"""Run the stand-in alone: `python -m tests.standins.wechat_mp --secrets-file secrets.json`."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.standins.wechat_mp.callbacks import CallbackWriter
from tests.standins.wechat_mp.server import MpStandin, address_line


async def run(args: argparse.Namespace) -> None:
    """Serve until a signal ends it."""
    known = json.loads(args.secrets_file.read_text("utf-8"))
    writer = CallbackWriter(
        args.app_id, known["token"], known.get("encoding_aes_key", ""), args.mode, args.form
    )
    async with MpStandin(writer, known.get("app_secret", ""), args.host, args.port) as standin:
        standin.webhook_url = args.webhook_url
        print(address_line(standin), flush=True)  # noqa: T201 - whoever started it reads this line
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()


def main() -> None:
    """Read the arguments; secrets come from a file, never from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.wechat_mp")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--app-id", required=True)
    parser.add_argument("--secrets-file", type=Path, required=True)
    parser.add_argument("--mode", choices=("plain", "compat", "safe"), default="safe")
    parser.add_argument("--form", choices=("xml", "json"), default="xml")
    parser.add_argument("--webhook-url", default="")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
