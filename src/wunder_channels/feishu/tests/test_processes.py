"""The stand-in runs as a process of its own and is driven over HTTP, like the platform it stands for."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from wunder_channels.feishu.tests.driver import (
    APP_ID,
    APP_SECRET,
    ENCRYPT_KEY,
    TOKEN,
    Driver,
    reply,
)
from wunder_channels.feishu.tests.people import body_of
from wunder_sdk import ChannelMessage

ROOT = Path(__file__).resolve().parents[4]
PNG = b"\x89PNG\r\n\x1a\npixels"

pytestmark = pytest.mark.process


@asynccontextmanager
async def _standin(tmp_path: Path, hook: str) -> AsyncIterator[aiohttp.ClientSession]:
    secrets = tmp_path / "secrets"
    secrets.write_text(f"{APP_SECRET}\n{TOKEN}\n{ENCRYPT_KEY}\n", "utf-8")
    command = [sys.executable, "-m", "tests.standins.feishu", "--app-id", APP_ID]
    command += ["--secret-file", str(secrets), "--webhook-url", hook]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            url = json.loads(await process.stdout.readline())["url"]
        async with aiohttp.ClientSession(url) as control:
            yield control
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(5):
            await process.wait()


async def _tell(control: aiohttp.ClientSession, what: str, **asked: Any) -> Any:
    async with control.post(f"/standin/{what}", json=asked) as answer:
        return await answer.json()


async def test_the_standin_runs_alone_and_is_driven_over_http(tmp_path: Path) -> None:
    driver, received = Driver(), list[ChannelMessage]()

    async def webhook(request: web.Request) -> web.Response:
        result = await driver.parse(dict(request.headers), await request.read())
        received.extend(result.messages)
        return web.Response(body=body_of(result.immediate_response))

    app = web.Application()
    app.router.add_post("/hook", webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    resource = {"key": "img_v3_1", "mime": "image/png", "body_b64": base64.b64encode(PNG).decode()}
    try:
        async with _standin(tmp_path, hook) as control:
            driver.configure(domain=str(control._base_url).rstrip("/"))
            said = await _tell(control, "send", text="hello", kind="group", at_bot=True, times=2)
            checks = [await _tell(control, "check", is_signed=one) for one in (False, True)]
            await _tell(
                control, "send", message_type="image", content={"image_key": "img_v3_1"},
                resources=[resource],
            )  # fmt: skip
            _, image = await driver.fetch(received[-1].attachments[0])
            await _tell(control, "rules", recall=[received[0].message_id])
            await driver.send(reply(received[0], "hi"))
            async with control.get("/standin/sent") as answer:
                sent = (await answer.json())["messages"]
    finally:
        await driver.close()
        await runner.cleanup()

    assert [one["status"] for one in said["answers"]] == [200, 200]
    assert all(one["ok"] for one in checks)
    assert received[0] == received[1] and received[0].mentions_bot
    assert image == PNG
    assert [(one["text"], one["reply_to"]) for one in sent] == [("hi", "")]
