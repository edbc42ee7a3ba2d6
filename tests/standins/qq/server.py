"""The stand-in as an HTTP server: the platform's API, and /standin to drive it."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.standins.qq.callbacks import Callback, CallbackWriter
from tests.standins.qq.platform import Fault, Json, QqPlatform, Refused

SCOPE_OF_PATH = {"users": "c2c", "groups": "group", "channels": "channel", "dms": "guild_dm"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class QqStandin:
    """`async with QqStandin("102000001", "secret") as qq:` - then `qq.url`, `qq.platform`, `qq.write`."""

    def __init__(self, app_id: str, secret: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self.platform = QqPlatform(app_id, secret)
        self.callbacks = CallbackWriter(self.platform)
        self.webhook_url = ""
        self.url = ""
        self._host, self._port = host, port
        #: Set as soon as a request hangs.
        self.is_hanging = asyncio.Event()
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._answer], client_max_size=8 * 1024**2)
        app.add_routes(
            [
                web.post("/app/getAppAccessToken", self._token),
                web.get("/users/@me", self._me),
                web.get("/gateway", self._gateway),
                web.put("/interactions/{id}", self._interaction),
                web.post("/v2/{place:users|groups}/{peer}/files", self._file),
                web.post("/v2/{place:users|groups}/{peer}/messages", self._take),
                web.post("/{place:channels|dms}/{peer}/messages", self._take),
                web.get("/standin/sent", self._sent),
                web.post("/standin/send", self._send),
                web.post("/standin/check", self._check),
                web.post("/standin/webhook", self._set_webhook),
                web.post("/standin/rules", self._set_rules),
                web.post("/standin/fault", self._add_fault),
                web.post("/standin/reset", self._reset),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{self._host}:{port}"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        await self._session.close()
        await self._runner.cleanup()

    def stop_hanging(self) -> None:
        """Let go of the requests that hang: their connections are reset."""
        self._stopping.set()

    async def deliver(self, callback: Callback) -> tuple[int, bytes]:
        """Post a callback to the webhook; status 0 if nobody answers."""
        try:
            async with self._session.post(
                self.webhook_url, data=callback.body, headers=callback.headers
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, type(error).__name__.encode()

    # --- the platform's API ------------------------------------------------------------------------

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            self.platform.refused.append({"path": request.path, "code": refused.code})
            said = {"message": refused.message, "code": refused.code, "err_code": refused.code,
                    "trace_id": "standin-trace", **refused.extra}  # fmt: skip
            return web.json_response(said, status=refused.status, headers=TRACE)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.platform.give_token(await request.json()))

    async def _me(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        return web.json_response(self.platform.profile)

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        return web.json_response({"url": self.url.replace("http", "ws", 1)})

    async def _interaction(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        self.platform.acknowledged.append(request.match_info["id"])
        return web.Response(status=204)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        scope = SCOPE_OF_PATH[request.match_info["place"]]
        return web.json_response(self.platform.upload(scope, await request.json()), headers=TRACE)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.platform.requests["message"] += 1
        self._authorize(request)
        body: Json = await request.json()
        fault = self.platform.take_fault(request.path)
        if fault is not None and fault.kind not in ("lose", "hang"):
            return self._broken(request, fault)
        if fault is not None and fault.kind == "hang":
            self.is_hanging.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(fault.hang_s):
                    await self._stopping.wait()
            return self._reset_connection(request)
        scope = SCOPE_OF_PATH[request.match_info["place"]]
        taken = self.platform.take(scope, request.match_info["peer"], body)
        if fault is not None:
            return self._reset_connection(request)
        return web.json_response(taken, headers=TRACE)

    def _broken(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "fail":
            return web.Response(status=fault.status, text="<html>system error</html>")
        self.platform.refused.append({"path": request.path, "code": fault.code})
        wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        said = {"message": "as ordered", "code": fault.code, "err_code": fault.code}
        return web.json_response(said, status=fault.status, headers={**TRACE, **wait})

    def _reset_connection(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _authorize(self, request: web.Request) -> None:
        self.platform.check_token(request.headers.get("Authorization", ""))

    # --- driving the stand-in ----------------------------------------------------------------------

    async def _sent(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self.platform.report())

    async def _send(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        callback = self.callbacks.write(asked)
        await asyncio.sleep(float(asked.get("delay_s", 0)))
        answers: list[Json] = []
        for _ in range(int(asked.get("times", 1))):
            status, body = await self.deliver(callback)
            answers.append({"status": status, "body": body.decode("utf-8", "replace")[:2000]})
        said = {"message_id": callback.message_id, "event_id": callback.event_id}
        return web.json_response({**said, "answers": answers})

    async def _check(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        check = self.callbacks.address_check(str(asked.get("plain_token", "Arq0D5A61EgUu4OxUvOp")))
        status, body = await self.deliver(check)
        ok = status == 200 and self.callbacks.is_right_answer(check, body)
        return web.json_response(
            {"ok": ok, "status": status, "body": body.decode("utf-8", "replace")}
        )

    async def _set_webhook(self, request: web.Request) -> web.StreamResponse:
        self.webhook_url = str((await request.json())["url"])
        return web.json_response({"url": self.webhook_url})

    async def _set_rules(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        rules = self.platform.rules
        for name in ("markdown", "active", "links", "review"):
            setattr(rules, name, bool(asked.get(name, getattr(rules, name))))
        rules.text_max = int(asked.get("text_max", rules.text_max))
        rules.refused_peers = set(asked.get("refused_peers", rules.refused_peers))
        self.platform.advance(float(asked.get("advance_s", 0)))
        if asked.get("expire_token"):
            self.platform.expire_token()
        return web.json_response({**vars(rules), "refused_peers": sorted(rules.refused_peers)})

    async def _add_fault(self, request: web.Request) -> web.StreamResponse:
        asked: dict[str, Any] = await request.json()
        self.platform.faults.append(Fault(**asked))
        return web.json_response({"faults": len(self.platform.faults)})

    async def _reset(self, _request: web.Request) -> web.StreamResponse:
        self.platform.reset()
        return web.json_response({})


TRACE = {"X-Tps-trace-ID": "standin-trace"}


def address_line(standin: QqStandin) -> str:
    """Return what the process prints first: where it listens, as one JSON line."""
    return json.dumps({"url": standin.url, "app_id": standin.platform.app_id})
