"""Run the stand-in alone: `python -m tests.standins.wechat_mp --secrets-file secrets.json`."""

import asyncio
import json
from pathlib import Path

from tests.standins.serving import arguments, serve_until_signal
from tests.standins.wechat_mp.callbacks import CallbackWriter
from tests.standins.wechat_mp.server import MpStandin, address_line


async def main() -> None:
    """Read the arguments; secrets come from a file, never from the command line."""
    parser = arguments("wechat_mp")
    parser.add_argument("--app-id", required=True)
    parser.add_argument("--secrets-file", type=Path, required=True)
    parser.add_argument("--mode", choices=("plain", "compat", "safe"), default="safe")
    parser.add_argument("--form", choices=("xml", "json"), default="xml")
    args = parser.parse_args()
    known = json.loads(args.secrets_file.read_text("utf-8"))
    keys = known["token"], known.get("encoding_aes_key", "")
    writer = CallbackWriter(args.app_id, *keys, args.mode, args.form)
    standin = MpStandin(writer, known.get("app_secret", ""), args.host, args.port)
    await serve_until_signal(standin, args.webhook_url, lambda: address_line(standin))


if __name__ == "__main__":
    asyncio.run(main())
