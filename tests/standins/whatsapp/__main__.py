"""Run the stand-in alone: `python -m tests.standins.whatsapp --port 0 --phone-number-id 1065 ..`."""

import asyncio
import json
from pathlib import Path

from tests.standins.serving import arguments, serve_until_signal
from tests.standins.whatsapp.server import WhatsAppStandin, address_line


async def main() -> None:
    """Read the arguments; secrets come from a JSON file, never from the command line."""
    parser = arguments("whatsapp")
    parser.add_argument("--phone-number-id", required=True)
    parser.add_argument("--secrets-file", type=Path, required=True)
    args = parser.parse_args()
    known = json.loads(args.secrets_file.read_text("utf-8"))
    secrets = known["access_token"], known["app_secret"]
    standin = WhatsAppStandin(args.phone_number_id, *secrets, args.host, args.port)
    await serve_until_signal(standin, args.webhook_url, lambda: address_line(standin))


if __name__ == "__main__":
    asyncio.run(main())
