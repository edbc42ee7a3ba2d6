"""Run the stand-in alone: `python -m tests.standins.feishu --port 0 --app-id cli_1 --secret-file f`."""

import asyncio
from pathlib import Path

from tests.standins.feishu.platform import App
from tests.standins.feishu.server import FeishuStandin, address_line
from tests.standins.serving import arguments, serve_until_signal


async def main() -> None:
    """Read the arguments; secrets come from a file, never from the command line."""
    parser = arguments("feishu")
    parser.add_argument("--app-id", required=True)
    parser.add_argument(
        "--secret-file",
        type=Path,
        required=True,
        help="lines: App Secret, Verification Token, Encrypt Key (may be left out)",
    )
    args = parser.parse_args()
    secrets = [line.strip() for line in args.secret_file.read_text("utf-8").splitlines()]
    standin = FeishuStandin(App(args.app_id, *secrets[:3]), args.host, args.port)
    await serve_until_signal(standin, args.webhook_url, lambda: address_line(standin))


if __name__ == "__main__":
    asyncio.run(main())
