"""The stand-in as an HTTP server: the platform's API, and /standin to drive it."""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import quote

from aiohttp import web

from tests.standins.feishu.callbacks import Callback, CallbackWriter, is_right_answer
from tests.standins.feishu.platform import App, Fault, FeishuPlatform, Json, Refused
from tests.standins.serving import Handler, StandinServer, as_json, reset_connection

TRACE = {"X-Tt-Logid": "standin-log"}
IM = "/open-apis/im/v1"
CARDS = "/open-apis/cardkit/v1/cards"


class FeishuStandin(StandinServer):
    """`async with FeishuStandin(App("cli_1", "secret")) as feishu:` - then `feishu.url`, `.platform`."""

    fault_kind = Fault
    max_body_bytes = 64 * 1024**2

    def __init__(self, app: App, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.platform = FeishuPlatform(app)
        self.callbacks = CallbackWriter(self.platform)

    def routes(self) -> list[web.RouteDef]:
        """Return what the platform offers, and how it is driven."""
        return [
            web.post("/open-apis/auth/v3/tenant_access_token/internal", self._token),
            web.get("/open-apis/bot/v3/info", self._me),
            web.post(f"{IM}/messages", self._send_message),
            web.post(f"{IM}/messages/{{id}}/reply", self._reply),
            web.patch(f"{IM}/messages/{{id}}", self._patch),
            web.put(f"{IM}/messages/{{id}}", self._put),
            web.get(f"{IM}/messages/{{id}}", self._get),
            web.get(f"{IM}/messages/{{id}}/resources/{{key}}", self._resource),
            web.post(f"{IM}/images", self._image),
            web.post(f"{IM}/files", self._file),
            web.post(f"{CARDS}", self._make_card),
            web.post(f"{CARDS}/id_convert", self._card_of),
            web.put(f"{CARDS}/{{id}}", self._change_card),
            web.patch(f"{CARDS}/{{id}}/settings", self._change_card),
            web.put(f"{CARDS}/{{id}}/elements/{{element}}/content", self._change_card),
            web.post("/standin/send", self._deliver_asked),
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
        fault = None
        try:
            if request.path.startswith((IM, CARDS)):
                self.platform.requests[f"{request.method} {_family(request.path)}"] += 1
                self.platform.check_token(request.headers.get("Authorization", ""))
                fault = self.platform.take_fault(request.path)
            if fault is not None and fault.kind == "hang":
                return await self._hang(request, fault.hang_s)
            if fault is not None and fault.kind != "lose":
                return self._broken(request, fault)
            answer = await handler(request)
        except Refused as refused:
            self.platform.refused.append({"path": request.path, "code": refused.code})
            said = {
                "code": refused.code,
                "msg": refused.message,
                "error": {"log_id": "standin-log"},
            }
            return web.json_response(said, status=refused.status, headers=TRACE)
        return answer if fault is None else reset_connection(request)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"code": 0, "msg": "ok", **self.platform.give_token(await request.json())}
        )

    async def _me(self, request: web.Request) -> web.StreamResponse:
        self.platform.requests["bot_info"] += 1
        self.platform.check_token(request.headers.get("Authorization", ""))
        app = self.platform.app
        bot = {"open_id": app.bot_open_id, "app_name": app.bot_name, "activate_status": 2}
        return web.json_response({"code": 0, "msg": "ok", "bot": bot}, headers=TRACE)

    async def _send_message(self, request: web.Request) -> web.StreamResponse:
        id_type = request.query.get("receive_id_type", "open_id")
        return _done(self.platform.send(id_type, await request.json()))

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        return _done(self.platform.reply(request.match_info["id"], await request.json()))

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        return _done(self.platform.edit(request.match_info["id"], asked, is_card=True))

    async def _put(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        return _done(self.platform.edit(request.match_info["id"], asked, is_card=False))

    async def _get(self, request: web.Request) -> web.StreamResponse:
        message = self.platform.find(request.match_info["id"])
        return _done({"items": [{"message_id": message.id, "msg_type": message.msg_type}]})

    async def _resource(self, request: web.Request) -> web.StreamResponse:
        message_id, key = request.match_info["id"], request.match_info["key"]
        mime, name, content = self.platform.resource(message_id, key, request.query.get("type", ""))
        headers = (
            {**TRACE, "Content-Disposition": f'attachment; filename="{quote(name)}"'}
            if name
            else TRACE
        )
        return web.Response(body=content, content_type=mime, headers=headers)

    async def _image(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if form.get("image_type") != "message":
            raise Refused(400, 234001, "Invalid request param.")
        return _done({"image_key": self.platform.keep_upload("image", _bytes_of(form["image"]))})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        kind = str(form.get("file_type"))
        if kind not in ("opus", "mp4", "pdf", "doc", "xls", "ppt", "stream") or not form.get(
            "file_name"
        ):
            raise Refused(400, 234001, "Invalid request param.")
        return _done({"file_key": self.platform.keep_upload(kind, _bytes_of(form["file"]))})

    async def _make_card(self, request: web.Request) -> web.StreamResponse:
        return _done(self.platform.make_card(await request.json()))

    async def _card_of(self, request: web.Request) -> web.StreamResponse:
        return _done(self.platform.card_of((await request.json())["message_id"]))

    async def _change_card(self, request: web.Request) -> web.StreamResponse:
        element = request.match_info.get("element", "")
        asked = await request.json()
        return _done(self.platform.change_card(request.match_info["id"], asked, element))

    def _broken(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "fail":
            return web.Response(status=fault.status, text="<html>system error</html>")
        self.platform.refused.append({"path": request.path, "code": fault.code})
        wait = {} if fault.reset_s is None else {"x-ogw-ratelimit-reset": str(fault.reset_s)}
        said = {"code": fault.code, "msg": fault.words}
        return web.json_response(said, status=fault.status, headers={**TRACE, **wait})

    # --- driving the stand-in ----------------------------------------------------------------------

    async def _deliver_asked(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        callback = self.callbacks.write(asked)
        for one in asked.get("resources", ()):
            content = base64.b64decode(one["body_b64"])
            place = (callback.message_id, one["key"])
            self.platform.resources[place] = (one["mime"], one.get("name", ""), content)
        await asyncio.sleep(float(asked.get("delay_s", 0)))
        times = int(asked.get("times", 1))
        answers = [as_json(await self.deliver(callback)) for _ in range(times)]
        said = {"message_id": callback.message_id, "event_id": callback.event_id}
        return web.json_response({**said, "answers": answers})

    async def _check(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        challenge = str(asked.get("challenge", "ajls384kdjx98XX-生成"))
        check = self.callbacks.challenge(challenge, is_signed=bool(asked.get("is_signed")))
        status, body = await self.deliver(check)
        ok = status == 200 and is_right_answer(challenge, body)
        return web.json_response({"ok": ok, **as_json((status, body))})

    async def _set_rules(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        rules = self.platform.rules
        rules.cards = bool(asked.get("cards", rules.cards))
        rules.chat_qps = int(asked.get("chat_qps", rules.chat_qps))
        rules.scopes = set(asked.get("scopes", rules.scopes))
        rules.refused_peers = set(asked.get("refused_peers", rules.refused_peers))
        for message_id in asked.get("recall", ()):
            self.platform.recall(message_id)
        self.platform.advance(float(asked.get("advance_s", 0)))
        if asked.get("expire_token"):
            self.platform.expire_token()
        return web.json_response({"cards": rules.cards, "chat_qps": rules.chat_qps})


def _done(data: Json) -> web.Response:
    return web.json_response({"code": 0, "msg": "success", "data": data}, headers=TRACE)


def _family(path: str) -> str:
    """Return a path without its ids."""
    if path.startswith(CARDS):
        return "cards"
    return "/".join(part for part in path.removeprefix(IM).split("/") if "_" not in part)


def _bytes_of(field: Any) -> bytes:
    return field.file.read() if isinstance(field, web.FileField) else str(field).encode()


def address_line(standin: FeishuStandin) -> str:
    """Return what the process prints first: where it listens, as one JSON line."""
    return json.dumps({"url": standin.url, "app_id": standin.platform.app.app_id})
