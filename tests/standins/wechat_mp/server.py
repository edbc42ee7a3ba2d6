"""The stand-in as an HTTP server: the platform's API, and /standin to drive it."""

import asyncio
import json
from typing import Any

import aiohttp
from aiohttp import web

from tests.standins.serving import Handler, StandinServer, reset_connection
from tests.standins.wechat_mp.callbacks import Callback, CallbackWriter
from tests.standins.wechat_mp.platform import FAULT_TEXT, Fault, Json, MpPlatform, Refused

#: The platform waits so long for a webhook, and delivers so often.
WAIT_S, DELIVERIES = 5.0, 3


class MpStandin(StandinServer):
    """`async with MpStandin(writer, secret) as mp:` - then `mp.url`, `mp.platform`, `mp.deliver`."""

    fault_kind = Fault
    max_body_bytes = 16 * 1024**2

    def __init__(
        self, writer: CallbackWriter, secret: str, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        super().__init__(host, port)
        self.platform = MpPlatform(writer.app_id, secret)
        self.callbacks = writer
        self.wait_s = WAIT_S
        #: Deliveries begun so far.
        self.posts = 0

    def routes(self) -> list[web.RouteDef]:
        """Return what the platform offers, and how it is driven."""
        return [
            web.post("/cgi-bin/stable_token", self._token),
            web.post("/cgi-bin/message/custom/send", self._take),
            web.post("/cgi-bin/message/custom/typing", self._typing),
            web.post("/cgi-bin/message/template/send", self._template),
            web.post("/cgi-bin/openapi/quota/get", self._quota),
            web.post("/cgi-bin/media/upload", self._upload),
            web.get("/cgi-bin/media/get", self._media),
            web.get("/files/{media_id}", self._file),
            web.post("/standin/send", self._send),
            web.post("/standin/check", self._check),
            web.post("/standin/rules", self._set_rules),
            web.post("/standin/reset", self._reset),
        ]

    async def deliver(self, callback: Callback, *, at_most: int = DELIVERIES) -> list[Json]:
        """Post a callback until it is answered, as often as the platform does.

        The user sees the reply, or the platform's words for an account that is out of order.
        """
        self.platform.acted(callback.openid, is_message=callback.is_message)
        answers: list[Json] = []
        for _ in range(at_most):
            status, body = await self._post(callback)
            answers.append({"status": status, "body": body.decode("utf-8", "replace")[:4000]})
            if status:
                self._show(callback, status, body)
                return answers
        if at_most == DELIVERIES:
            self.platform.saw(callback.openid, {"MsgType": "fault", "Content": FAULT_TEXT})
        return answers

    async def _post(self, callback: Callback) -> tuple[int, bytes]:
        """Post once; status 0 if nobody answers in time."""
        self.posts += 1
        joiner = "&" if "?" in self.webhook_url else "?"
        url = f"{self.webhook_url}{joiner}{callback.query_string}"
        kind = "application/json" if self.callbacks.form == "json" else "text/xml"
        wait = aiohttp.ClientTimeout(total=self.wait_s)
        try:
            async with self._session.post(
                url, data=callback.body, headers={"Content-Type": kind}, timeout=wait
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, type(error).__name__.encode()

    def _show(self, callback: Callback, status: int, body: bytes) -> None:
        found = self.callbacks.read_answer(body) if status == 200 else None
        if found is None:
            self.platform.saw(callback.openid, {"MsgType": "fault", "Content": FAULT_TEXT})
        elif found and found["ToUserName"] == callback.openid:
            self.platform.saw(callback.openid, found)

    # --- the platform's API --------------------------------------------------------------------------

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            fault = None
            if request.path.startswith("/cgi-bin/"):
                self.platform.requests[request.path] += 1
                fault = self.platform.take_fault(request.path)
            if fault is None:
                return await handler(request)
            return await self._broken(request, handler, fault)
        except Refused as refused:
            self.platform.refused.append({"path": request.path, "code": refused.code})
            return web.json_response({"errcode": refused.code, "errmsg": refused.words})

    async def _broken(
        self, request: web.Request, handler: Handler, fault: Fault
    ) -> web.StreamResponse:
        if fault.kind == "fail":
            return web.Response(status=fault.status, text="<html>system error</html>")
        if fault.kind == "code":
            self.platform.refused.append({"path": request.path, "code": fault.code})
            said = {"errcode": fault.code, "errmsg": fault.words}
            return web.json_response(said, status=fault.status)
        if fault.kind == "hang":
            return await self._hang(request, fault.hang_s)
        await handler(request)
        return reset_connection(request)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.platform.give_token(await request.json()))

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        raw = await request.text()
        if "\\u" in raw:
            raise Refused(40033, "invalid charset. please check your request, if include \\uxxxx")
        return web.json_response(self.platform.take(json.loads(raw)))

    async def _template(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        return web.json_response(self.platform.take_template(await request.json()))

    async def _typing(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        return web.json_response(self.platform.type(await request.json()))

    async def _quota(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        return web.json_response(self.platform.quota(await request.json()))

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        part: Any = None
        async for part in await request.multipart():
            if part.name == "media":
                break
        if part is None or part.name != "media":
            raise Refused(41005, "media data missing")
        mime = part.headers.get("Content-Type", "")
        content = bytes(await part.read())
        kind = request.query.get("type", "")
        return web.json_response(self.platform.upload(kind, part.filename or "", mime, content))

    async def _media(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        media_id = request.query.get("media_id", "")
        found = self.platform.media.get(media_id)
        if found is None:
            raise Refused(40007, "invalid media_id")
        kind, mime, content = found
        if kind == "video":
            return web.json_response({"video_url": f"{self.url}/files/{media_id}"})
        named = {"Content-Disposition": f'attachment; filename="{media_id}.bin"'}
        return web.Response(body=content, content_type=mime, headers=named)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        found = self.platform.media.get(request.match_info["media_id"])
        if found is None:
            return web.Response(status=404, text="gone")
        return web.Response(body=found[2], content_type=found[1])

    def _authorize(self, request: web.Request) -> None:
        self.platform.check_token(request.query.get("access_token", ""))

    # --- driving the stand-in ------------------------------------------------------------------------

    async def _send(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        callback = self.callbacks.write(asked)
        await asyncio.sleep(float(asked.get("delay_s", 0)))
        answers: list[Json] = []
        for _ in range(int(asked.get("times", 1))):
            answers += await self.deliver(callback)
        return web.json_response({"message_id": callback.message_id, "answers": answers})

    async def _check(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        query = self.callbacks.address_check(str(asked.get("echostr", "8305999631672647420")))
        async with self._session.get(self.webhook_url, params=query) as answer:
            body = await answer.text()
        return web.json_response({"ok": body == query["echostr"], "status": answer.status})

    async def _set_rules(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        rules = self.platform.rules
        rules.verified = bool(asked.get("verified", rules.verified))
        rules.allowed_ip = bool(asked.get("allowed_ip", rules.allowed_ip))
        rules.text_max = int(asked.get("text_max", rules.text_max))
        rules.refused_users = set(asked.get("refused_users", rules.refused_users))
        self.wait_s = float(asked.get("wait_s", self.wait_s))
        self.platform.advance(float(asked.get("advance_s", 0)))
        if asked.get("expire_token"):
            self.platform.expire_token()
        shown = {
            name: sorted(value) if isinstance(value, set) else value
            for name, value in vars(rules).items()
        }
        return web.json_response(shown)


def address_line(standin: MpStandin) -> str:
    """Return what the process prints first: where it listens, as one JSON line."""
    return json.dumps({"url": standin.url, "app_id": standin.platform.app_id})
