"""What runs as a process of its own: the stand-in, and this channel as a plugin."""

import asyncio
import base64
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import wunder_sdk
from tests.standins.process import line_of, running
from tests.standins.wechat_mp.callbacks import ORIGINAL_ID
from wunder_channels.wechat_mp.tests.driver import APP_ID, SECRETS, Driver, body_of, reply, writer
from wunder_sdk import ChannelMessage

ROOT = Path(__file__).resolve().parents[4]
HOME = Path(__file__).resolve().parents[1]
BOOT = Path(wunder_sdk.__file__).with_name("boot.py")

pytestmark = pytest.mark.process


async def test_the_standin_runs_alone_and_is_driven_over_http(tmp_path: Path) -> None:
    secrets_file = tmp_path / "secrets.json"
    secrets_file.write_text(json.dumps(SECRETS), "utf-8")
    driver, received = Driver(), list[ChannelMessage]()

    async def webhook(request: web.Request) -> web.Response:
        body = await request.read()
        result = await driver.parse_raw(dict(request.query), body, method=request.method)
        received.extend(result.messages)
        return web.Response(body=body_of(result.immediate_response))

    app = web.Application()
    app.router.add_route("*", "/hook", webhook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    command = [sys.executable, "-m", "tests.standins.wechat_mp", "--app-id", APP_ID]
    command += ["--secrets-file", str(secrets_file), "--webhook-url", hook]
    try:
        async with running(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE) as process:
            url = (await line_of(process))["url"]
            driver.configure(domain=url)
            async with aiohttp.ClientSession(url) as control:
                asked = {"kind": "text", "text": "hello", "times": 2}
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
    assert answers == [{"status": 200, "body": "success"}] * 2
    assert received[0] == received[1]
    assert [one["text"] for one in sent] == ["hi"]


def _packed(folder: Path) -> Path:
    """Lay the channel out as a Python plugin: its folder, and an entry that names its class."""
    app = folder / "app"
    leave = shutil.ignore_patterns("tests", "__pycache__")
    shutil.copytree(HOME, app / "wunder_channels" / HOME.name, ignore=leave)
    entry = f"from wunder_channels.{HOME.name}.channel import MpChannel as MpChannel\n"
    (app / "plugin.py").write_text(f'"""The entry."""\n\n{entry}', "utf-8")
    return app


async def test_the_packed_channel_reads_and_answers_in_a_process_of_its_own(tmp_path: Path) -> None:
    app, platform = _packed(tmp_path), writer()
    callback = platform.write({"text": "你好"})
    config: dict[str, Any] = {
        "app_id": APP_ID, "original_id": ORIGINAL_ID, "reply_mode": "passive",
    }  # fmt: skip
    account: dict[str, Any] = {
        "account_id": "main", "rev": 1, "channel": "mp", "secrets": SECRETS,
        "config": config,
    }  # fmt: skip
    http = {
        "method": "POST", "path": "/", "query": list(callback.query.items()), "headers": [],
        "body_b64": base64.b64encode(callback.body).decode(), "remote_addr": "", "received_ms": 1,
    }  # fmt: skip
    message = {"channel": "mp", "account_id": "main", "peer": {"kind": "user", "id": callback.openid},
               "text": "hi", "reply_to": callback.message_id}  # fmt: skip
    handshake = {
        "protocols": [1], "cookie": "c", "host": {"name": "t", "version": "0", "instance_id": "i"},
        "plugin": {"plugin_id": "wechat_mp", "version": "0.1.0"}, "timeouts_ms": {},
        "limits": {"max_frame_bytes": 1_048_576, "max_message_bytes": 524_288},
    }  # fmt: skip
    render = {"account": {**account, "config": config | {"fetch_more": False}, "rev": 2},
              "http": http, "message": message}  # fmt: skip
    calls = [
        ("plugin.handshake", handshake),
        ("channel.parse_inbound", {"account": account, "http": http}),
        ("channel.render_inline_reply", render),
    ]
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

    manifest = json.loads((HOME / "plugin.json").read_text("utf-8"))
    assert results[0]["capabilities"] == manifest["capabilities"]
    assert results[1]["messages"][0]["text"] == "你好"
    assert results[1]["inline_reply"] == {"deadline_ms": 5_000, "total_ms": 15_000}
    answer = base64.b64decode(results[2]["immediate_response"]["body_b64"])
    seen = platform.read_answer(answer)
    assert seen is not None and seen["Content"] == "hi"
