"""Run the stand-in alone: `python -m tests.standins.qq --port 0 --app-id 102000001 --secret-file f`."""

import asyncio
from pathlib import Path

from tests.standins.qq.server import QqStandin, address_line
from tests.standins.serving import arguments, serve_until_signal


async def main() -> None:
    """Read the arguments; the secret comes from a file, never from the command line."""
    parser = arguments("qq")
    parser.add_argument("--app-id", required=True)
    parser.add_argument("--secret-file", type=Path, required=True)
    args = parser.parse_args()
    secret = args.secret_file.read_text("utf-8").strip()
    standin = QqStandin(args.app_id, secret, args.host, args.port)
    await serve_until_signal(standin, args.webhook_url, lambda: address_line(standin))


if __name__ == "__main__":
    asyncio.run(main())
