"""What runs as a process of its own: the stand-in, and this channel as a plugin."""

import asyncio
import base64
import json
import os
import shutil
import sys
import tomllib
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

import wunder_sdk
from tests.standins.process import line_of, running
from tests.standins.qq.callbacks import CallbackWriter
from tests.standins.qq.platform import QqPlatform
from wunder_channels.qqbot.tests.driver import APP_ID, NOW_MS, SECRET, Driver, reply
from wunder_sdk import ChannelMessage

ROOT = Path(__file__).resolve().parents[4]
PLUGIN = ROOT / "plugins/channel-qq"
BOOT = Path(wunder_sdk.__file__).with_name("boot.py")

pytestmark = pytest.mark.process


async def test_the_standin_runs_alone_and_is_driven_over_http(tmp_path: Path) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET + "\n", "utf-8")
    driver, received = Driver(allow_active=True), list[ChannelMessage]()

    async def webhook(request: web.Request) -> web.Response:
        driver.host.clock_ms = int(request.headers.get("X-Signature-Timestamp", 0)) * 1000
        if not driver.host.clock_ms:
            driver.host.clock_ms = int(json.loads(await request.read())["d"]["event_ts"]) * 1000
        result = await driver.parse(dict(request.headers), await request.read())
        received.extend(result.messages)
        assert result.immediate_response is not None
        return web.Response(body=base64.b64decode(result.immediate_response.body_b64))

    app = web.Application()
    app.router.add_post("/hook", webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    command = [sys.executable, "-m", "tests.standins.qq", "--app-id", APP_ID]
    command += ["--secret-file", str(secret_file), "--webhook-url", hook]
    try:
        async with running(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE) as process:
            url = (await line_of(process))["url"]
            driver.configure(api_base=url)
            async with aiohttp.ClientSession(url) as control:
                asked = {"kind": "c2c", "text": "hello", "times": 2}
                async with control.post("/standin/send", json=asked) as answer:
                    answers = (await answer.json())["answers"]
                async with control.post("/standin/check", json={}) as answer:
                    checked = await answer.json()
                await control.post("/standin/fault", json={"kind": "fail", "status": 503})
                with pytest.raises(wunder_sdk.ProviderUnavailable):
                    await driver.send(reply(received[0], "hi"))
                await driver.send(reply(received[0], "hi"), attempt=2)
                async with control.get("/standin/sent") as answer:
                    sent = (await answer.json())["messages"]
    finally:
        await driver.close()
        await runner.cleanup()

    assert checked["ok"] is True
    assert [one["status"] for one in answers] == [200, 200]
    assert received[0] == received[1]
    assert [one["text"] for one in sent] == ["hi"]


def _unpacked(folder: Path) -> Path:
    """Lay the package out by its recipe, as `wunder plugin pack` and the installer do."""
    recipe = tomllib.loads((PLUGIN / "pack.toml").read_text("utf-8"))
    for place, source in recipe["include"].items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PLUGIN / source).is_dir():
            shutil.copytree(
                PLUGIN / source, target, ignore=shutil.ignore_patterns(*recipe["exclude"])
            )
        else:
            shutil.copy(PLUGIN / source, target)
    return folder


async def test_the_packed_plugin_reads_a_callback_in_a_process_of_its_own(tmp_path: Path) -> None:
    app = _unpacked(tmp_path) / "app"
    callback = CallbackWriter(QqPlatform(APP_ID, SECRET)).write(
        {"kind": "c2c", "text": "你好", "now_s": NOW_MS / 1000}
    )
    calls = [
        ("plugin.handshake", {
            "protocols": [1], "cookie": "c", "host": {"name": "t", "version": "0", "instance_id": "i"},
            "plugin": {"plugin_id": "qq", "version": "0.1.0"}, "timeouts_ms": {},
            "limits": {"max_frame_bytes": 1_048_576, "max_message_bytes": 524_288},
        }),
        ("channel.parse_inbound", {
            "account": {"account_id": "main", "rev": 1, "channel": "qq", "config": {"app_id": APP_ID},
                        "secrets": {"client_secret": SECRET}},
            "http": {"method": "POST", "path": "/", "query": [], "remote_addr": "",
                     "headers": [list(one) for one in callback.headers.items()],
                     "body_b64": base64.b64encode(callback.body).decode(), "received_ms": NOW_MS},
        }),
    ]  # fmt: skip
    async with running(
        sys.executable, "-I", "-S", "-B", str(BOOT), str(app),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={"WUNDER_COOKIE": "c", "PATH": os.environ["PATH"]},
    ) as process:  # fmt: skip
        assert process.stdin is not None
        results = []
        for number, (method, params) in enumerate(calls, 1):
            frame = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            process.stdin.write(json.dumps(frame).encode() + b"\n")
            results.append((await line_of(process))["result"])

    assert results[0]["plugin"]["plugin_id"] == "qq"
    assert (
        results[0]["capabilities"]
        == json.loads((PLUGIN / "plugin.json").read_text())["capabilities"]
    )
    assert results[1]["messages"][0]["text"] == "你好"
    assert not list(app.rglob("tests"))
