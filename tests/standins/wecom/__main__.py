"""Run the stand-in alone: `python -m tests.standins.wecom --port 0 --keys-file keys.json`."""

import asyncio
import json
from pathlib import Path

from tests.standins.serving import arguments, serve_until_signal
from tests.standins.wecom.callbacks import Keys
from tests.standins.wecom.platform import WecomPlatform
from tests.standins.wecom.server import WecomStandin, address_line


async def main() -> None:
    """Read the arguments; secrets come from a file: secret, token, encoding_aes_key."""
    parser = arguments("wecom")
    parser.add_argument("--corp-id", default="ww1234567890abcdef")
    parser.add_argument("--agent-id", type=int, default=1000002)
    parser.add_argument("--keys-file", type=Path, required=True)
    args = parser.parse_args()
    keys = json.loads(args.keys_file.read_text("utf-8"))
    platform = WecomPlatform(args.corp_id, args.agent_id, keys["secret"])
    pair = Keys(keys["token"], keys["encoding_aes_key"])
    standin = WecomStandin(platform, pair, args.host, args.port)
    await serve_until_signal(standin, args.webhook_url, lambda: address_line(standin))


if __name__ == "__main__":
    asyncio.run(main())
