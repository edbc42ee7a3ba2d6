"""What runs as a process of its own: the stand-in, and this channel as a plugin."""

import asyncio
import base64
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiohttp import web

import wunder_sdk
from tests.standins.process import line_of, running
from tests.standins.whatsapp.platform import WhatsAppPlatform
from tests.standins.whatsapp.webhooks import WebhookWriter
from wunder_channels.whatsapp.tests.driver import NOW_MS, NUMBER_ID, SECRETS, Driver, reply
from wunder_sdk import ChannelError, ChannelMessage, Receipt

HOME = Path(__file__).resolve().parents[1]
ROOT = HOME.parents[2]
BOOT = Path(wunder_sdk.__file__).with_name("boot.py")
#: The gateway serves the one channel class it finds here.
STARTER = "from wunder_channels.whatsapp.channel import WhatsAppChannel as WhatsAppChannel\n"

pytestmark = pytest.mark.process


class _Hook:
    """The webhook of one account, as the gateway would answer it."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.messages: list[ChannelMessage] = []
        self.receipts: list[Receipt] = []

    async def answer(self, request: web.Request) -> web.Response:
        try:
            result = await self.driver.parse_raw(
                dict(request.headers), await request.read(), method=request.method,
                query=tuple(parse_qsl(request.query_string)),
            )  # fmt: skip
        except ChannelError as error:
            return web.Response(status=403, text=error.kind)
        self.messages += result.messages
        self.receipts += result.receipts
        assert result.immediate_response is not None
        return web.Response(body=base64.b64decode(result.immediate_response.body_b64))


async def test_the_standin_runs_alone_and_is_driven_over_http(tmp_path: Path) -> None:
    secrets_file = tmp_path / "secrets.json"
    secrets_file.write_text(json.dumps(SECRETS), "utf-8")
    driver = Driver()
    hook = _Hook(driver)
    app = web.Application()
    app.router.add_route("*", "/hook", hook.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    command = [sys.executable, "-m", "tests.standins.whatsapp", "--phone-number-id", NUMBER_ID]
    command += ["--secrets-file", str(secrets_file), "--webhook-url", url]
    try:
        async with running(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE) as process:
            base = (await line_of(process))["url"]
            driver.configure(api_base=base)
            async with aiohttp.ClientSession(base) as control:

                async def tell(what: str, **body: Any) -> Any:
                    async with control.post(f"/standin/{what}", json=body) as answer:
                        return await answer.json()

                right = await tell("check", verify_token=SECRETS["verify_token"])
                wrong = await tell("check", verify_token="wrong-token")
                delivered = await tell("send", kind="text", text="你好", times=2)
                await tell("fault", kind="fail", status=503)
                with pytest.raises(wunder_sdk.ProviderUnavailable):
                    await driver.send(reply(hook.messages[0], "hi"))
                await driver.send(reply(hook.messages[0], "hi"), attempt=2)
                await tell("status", status="read")
                async with control.get("/standin/sent") as answer:
                    sent = (await answer.json())["messages"]
    finally:
        await driver.close()
        await runner.cleanup()

    assert (right["ok"], wrong["ok"], wrong["status"]) == (True, False, 403)
    assert [one["status"] for one in delivered["answers"]] == [200, 200]
    assert hook.messages[0] == hook.messages[1]
    assert [one["text"] for one in sent] == ["hi"]
    assert [(one.provider_message_id, one.status) for one in hook.receipts] == [
        (sent[0]["id"], "read")
    ]


def _packed(app: Path) -> Path:
    """Lay this folder out as `wunder plugin pack` does."""
    target = app / "wunder_channels/whatsapp"
    shutil.copytree(HOME, target, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    (app / "plugin.py").write_text(STARTER, "utf-8")
    return app


async def test_the_packed_plugin_reads_a_webhook_in_a_process_of_its_own(tmp_path: Path) -> None:
    platform = WhatsAppPlatform(NUMBER_ID, "", SECRETS["app_secret"], lambda: NOW_MS / 1000)
    callback = WebhookWriter(platform).write({"text": "你好", "user_id": ""})
    calls = [
        ("plugin.handshake", {
            "protocols": [1], "cookie": "c", "host": {"name": "t", "version": "0", "instance_id": "i"},
            "plugin": {"plugin_id": "whatsapp", "version": "0.1.0"}, "timeouts_ms": {},
            "limits": {"max_frame_bytes": 4_456_448, "max_message_bytes": 524_288},
        }),
        ("channel.parse_inbound", {
            "account": {"account_id": "main", "rev": 1, "channel": "whatsapp",
                        "config": {"phone_number_id": NUMBER_ID}, "secrets": SECRETS},
            "http": {"method": "POST", "path": "/", "query": [], "remote_addr": "",
                     "headers": [list(one) for one in callback.headers.items()],
                     "body_b64": base64.b64encode(callback.body).decode(), "received_ms": NOW_MS},
        }),
    ]  # fmt: skip
    async with running(
        sys.executable, "-I", "-S", "-B", str(BOOT), str(_packed(tmp_path)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"WUNDER_COOKIE": "c", "PATH": os.environ["PATH"]},
    ) as process:  # fmt: skip
        assert process.stdin is not None
        results: list[dict[str, Any]] = []
        for number, (method, params) in enumerate(calls, 1):
            frame = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            process.stdin.write(json.dumps(frame).encode() + b"\n")
            results.append(await _answer_to(process, number))

    manifest = json.loads((HOME / "plugin.json").read_text("utf-8"))
    assert results[0]["capabilities"] == manifest["capabilities"]
    assert results[1]["messages"][0]["text"] == "你好"


async def _answer_to(process: asyncio.subprocess.Process, number: int) -> dict[str, Any]:
    """Read until call `number` is answered; the host has no state to give meanwhile."""
    assert process.stdin is not None
    while True:
        frame = await line_of(process)
        if frame.get("id") == number and "method" not in frame:
            result = frame["result"]
            assert isinstance(result, dict)
            return result
        if "id" in frame:
            given = {"jsonrpc": "2.0", "id": frame["id"], "result": {"value": None, "rev": 0}}
            process.stdin.write(json.dumps(given).encode() + b"\n")
