"""An echo bot on NoneBot2, for the journey to be compared with; not needed for anything else.

    python -m benchmarks.journey --nonebot     # installs it into benchmarks/.nonebot, once

OneBot v11 over HTTP both ways, or over a reverse WebSocket where the platform dials one; uvicorn with
uvloop and httptools, logs off. It keeps nothing: what is under way when it stops is lost.
"""

import json
import socket
import sys

import nonebot
from nonebot import on_message
from nonebot.adapters.onebot.v11 import Adapter, MessageEvent
from nonebot.log import logger


def main() -> None:
    """Serve on a free port, printed as JSON."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    logger.remove()  # stdout is ours
    nonebot.init(
        driver="~fastapi+~aiohttp",
        host="127.0.0.1",
        port=port,
        log_level="ERROR",
        onebot_api_roots={"1": sys.argv[1]},
        fastapi_reload=False,
    )
    nonebot.get_driver().register_adapter(Adapter)
    echo = on_message(priority=1, block=True)

    @echo.handle()
    async def answer(event: MessageEvent) -> None:
        await echo.finish(event.get_plaintext())

    @nonebot.get_driver().on_startup
    async def say() -> None:
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()

    nonebot.run(access_log=False)


if __name__ == "__main__":
    main()
