"""The stand-in as an HTTP server: the platform's API, and /standin to drive it."""

import asyncio
import json

from aiohttp import web

from tests.standins.qq.callbacks import Callback, CallbackWriter
from tests.standins.qq.platform import Fault, Json, QqPlatform, Refused
from tests.standins.serving import Handler, StandinServer, as_json, reset_connection

SCOPE_OF_PATH = {"users": "c2c", "groups": "group", "channels": "channel", "dms": "guild_dm"}


class QqStandin(StandinServer):
    """`async with QqStandin("102000001", "secret") as qq:` - then `qq.url`, `qq.platform`, `qq.write`."""

    fault_kind = Fault

    def __init__(self, app_id: str, secret: str, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.platform = QqPlatform(app_id, secret)
        self.callbacks = CallbackWriter(self.platform)

    def routes(self) -> list[web.RouteDef]:
        """Return what the platform offers, and how it is driven."""
        return [
            web.post("/app/getAppAccessToken", self._token),
            web.get("/users/@me", self._me),
            web.get("/gateway", self._gateway),
            web.put("/interactions/{id}", self._interaction),
            web.post("/v2/{place:users|groups}/{peer}/files", self._file),
            web.post("/v2/{place:users|groups}/{peer}/upload_prepare", self._prepare),
            web.post("/v2/{place:users|groups}/{peer}/upload_part_finish", self._finish_part),
            web.put("/standin/part/{upload}/{index}", self._part),
            web.get("/standin/cdn/{name}", self._cdn),
            web.post("/v2/users/{peer}/stream_messages", self._stream),
            web.post("/v2/{place:users|groups}/{peer}/messages", self._take),
            web.post("/{place:channels|dms}/{peer}/messages", self._take),
            web.post("/standin/send", self._send),
            web.post("/standin/check", self._check),
            web.post("/standin/rules", self._set_rules),
            web.post("/standin/reset", self._reset),
        ]

    async def deliver(self, callback: Callback) -> tuple[int, bytes]:
        """Post a callback to the webhook; status 0 if nobody answers."""
        return await self._post_callback(callback)

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

    async def _prepare(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        asked = await request.json()
        return web.json_response(self.platform.prepare(asked, f"{self.url}/standin/part"))

    async def _finish_part(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        return web.json_response(self.platform.finish_part(await request.json()))

    async def _part(self, request: web.Request) -> web.StreamResponse:
        """Store a part: the address is the permission, a token would be given away."""
        assert "Authorization" not in request.headers
        index = int(request.match_info["index"])
        self.platform.parts[request.match_info["upload"]][index - 1] = await request.read()
        return web.Response()

    async def _cdn(self, request: web.Request) -> web.StreamResponse:
        """Serve what somebody sent, without a token, until it is gone."""
        assert "Authorization" not in request.headers
        content = self.platform.cdn.get(request.match_info["name"])
        return web.Response(status=404) if content is None else web.Response(body=content)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.platform.requests["frame"] += 1
        self._authorize(request)
        fault = self.platform.take_fault(request.path)
        if fault is not None and fault.kind != "lose":
            return self._broken(request, fault)
        body = await request.json()
        taken = self.platform.stream(request.match_info["peer"], body)
        return (
            web.json_response(taken, headers=TRACE) if fault is None else reset_connection(request)
        )

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.platform.requests["message"] += 1
        self._authorize(request)
        body = await _body(request)
        fault = self.platform.take_fault(request.path)
        if fault is not None and fault.kind not in ("lose", "hang"):
            return self._broken(request, fault)
        if fault is not None and fault.kind == "hang":
            return await self._hang(request, fault.hang_s)
        scope = SCOPE_OF_PATH[request.match_info["place"]]
        taken = self.platform.take(scope, request.match_info["peer"], body)
        if fault is not None:
            return reset_connection(request)
        return web.json_response(taken, headers=TRACE)

    def _broken(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "fail":
            return web.Response(status=fault.status, text="<html>system error</html>")
        self.platform.refused.append({"path": request.path, "code": fault.code})
        wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        said = {"message": "as ordered", "code": fault.code, "err_code": fault.code}
        return web.json_response(said, status=fault.status, headers={**TRACE, **wait})

    def _authorize(self, request: web.Request) -> None:
        self.platform.check_token(request.headers.get("Authorization", ""))

    # --- driving the stand-in ----------------------------------------------------------------------

    async def _send(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        callback = self.callbacks.write(asked)
        await asyncio.sleep(float(asked.get("delay_s", 0)))
        times = int(asked.get("times", 1))
        answers = [as_json(await self.deliver(callback)) for _ in range(times)]
        said = {"message_id": callback.message_id, "event_id": callback.event_id}
        return web.json_response({**said, "answers": answers})

    async def _check(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        check = self.callbacks.address_check(str(asked.get("plain_token", "Arq0D5A61EgUu4OxUvOp")))
        status, body = await self.deliver(check)
        ok = status == 200 and self.callbacks.is_right_answer(check, body)
        return web.json_response({"ok": ok, **as_json((status, body))})

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


async def _body(request: web.Request) -> Json:
    if request.content_type != "multipart/form-data":
        body: Json = await request.json()
        return body
    form = await request.post()
    return {
        name: value.file.read().hex() if isinstance(value, web.FileField) else value
        for name, value in form.items()
    }


TRACE = {"X-Tps-trace-ID": "standin-trace"}


def address_line(standin: QqStandin) -> str:
    """Return what the process prints first: where it listens, as one JSON line."""
    return json.dumps({"url": standin.url, "app_id": standin.platform.app_id})
