"""The stand-in as an HTTP server: the platform's API, and /standin to drive it."""

import asyncio
import json
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

from tests.standins.serving import Handler, StandinServer, as_json, reset_connection
from tests.standins.wecom.callbacks import Callback, CallbackWriter, Keys
from tests.standins.wecom.platform import HINT, Fault, Json, Refused, WecomPlatform

MOST_POLLS = 400


class WecomStandin(StandinServer):
    """`async with WecomStandin(corp_id, agent_id, secret, keys) as wecom:` - then `wecom.url`."""

    fault_kind = Fault
    max_body_bytes = 32 * 1024**2

    def __init__(
        self, platform: WecomPlatform, keys: Keys, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        super().__init__(host, port)
        self.platform = platform
        self.callbacks = CallbackWriter(self.platform, keys)
        #: Seconds between two polls for an AI bot's answer.
        self.poll_s = 0.05

    def routes(self) -> list[web.RouteDef]:
        """Return what the platform offers, and how it is driven."""
        return [
            web.get("/cgi-bin/gettoken", self._token),
            web.get("/cgi-bin/agent/get", self._agent),
            web.post("/cgi-bin/message/send", self._take),
            web.post("/cgi-bin/appchat/send", self._take),
            web.post("/cgi-bin/aibot/response", self._take),
            web.post("/cgi-bin/media/upload", self._upload),
            web.get("/cgi-bin/media/get", self._media),
            web.post("/cgi-bin/kf/sync_msg", self._desk),
            web.post("/cgi-bin/kf/account/list", self._desk),
            web.post("/cgi-bin/kf/send_msg_on_event", self._desk),
            web.post("/cgi-bin/kf/send_msg", self._take),
            web.get("/files/{name}", self._link),
            web.post("/standin/send", self._send),
            web.post("/standin/check", self._check),
            web.post("/standin/rules", self._set_rules),
        ]

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.callbacks.base_url = self.url
        return self

    async def deliver(self, callback: Callback) -> tuple[int, bytes]:
        """Call the webhook; status 0 if nobody answers."""
        # The query goes out as written: + stays %2B.
        url = URL(f"{self.webhook_url}?{callback.raw_query}", encoded=True)
        try:
            async with self._session.request(
                callback.method, url, data=callback.body or None, headers=callback.headers
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, type(error).__name__.encode()

    async def ask_bot(self, callback: Callback) -> list[str]:
        """Ask the AI bot as WeCom does: read its answer, poll a stream to its end.

        Returns:
            Everything the chat showed, in order; the last is what stays.
        """
        status, body = await self.deliver(callback)
        shown: list[str] = []
        for _ in range(MOST_POLLS):
            if status != 200 or not body:
                break
            said = self.callbacks.read_answer(body)
            stream = said.get("stream") or {"content": said["text"]["content"], "finish": True}
            shown.append(stream["content"])
            if stream["finish"]:
                way = "inline" if len(shown) == 1 else "stream"
                self.platform.show(way, callback.peer, stream["content"])
                break
            await asyncio.sleep(self.poll_s)
            status, body = await self.deliver(self.callbacks.poll(stream["id"]))
        return shown

    # --- the platform's API ------------------------------------------------------------------------

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            self.platform.refused.append({"path": request.path, "code": refused.code})
            return _document(refused.code, f"{refused.words}, {HINT}", **refused.extra)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        fault = self.platform.take_fault(request.path)
        if fault is not None:
            return self._broken(fault)
        asked = request.query
        given = self.platform.give_token(asked.get("corpid", ""), asked.get("corpsecret", ""))
        return _document(0, "ok", **given)

    async def _agent(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        return _document(0, "ok", **self.platform.agent(request.query.get("agentid", "")))

    async def _take(self, request: web.Request) -> web.StreamResponse:
        raw = (await request.read()).decode()
        if "aibot" not in request.path:
            self._authorize(request)
        fault = self.platform.take_fault(request.path)
        if fault is not None and fault.kind in ("code", "fail"):
            self.platform.requests["message"] += 1
            return self._broken(fault)
        if fault is not None and fault.kind == "hang":
            return await self._hang(request, fault.hang_s)
        taken = self._taken(request, raw)
        if fault is not None:
            return reset_connection(request)
        return _document(0, "ok", **taken)

    def _taken(self, request: web.Request, raw: str) -> Json:
        if request.path.endswith("/kf/send_msg"):
            return self.platform.desk.send(self.platform, raw)
        if request.path.endswith("/message/send"):
            return self.platform.send(raw)
        if request.path.endswith("/appchat/send"):
            return self.platform.send_to_group(raw)
        return self.platform.respond(request.query.get("response_code", ""), raw)

    async def _desk(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        fault = self.platform.take_fault(request.path)
        if fault is not None:
            return self._broken(fault)
        desk, asked = self.platform.desk, await request.json()
        if request.path.endswith("/sync_msg"):
            return _document(0, "ok", **desk.sync(asked))
        if request.path.endswith("/send_msg_on_event"):
            desk.welcomed.append(asked)
            return _document(0, "ok", msgid="welcome")
        named = {"open_kfid": desk.open_kfid, "name": "售后", "avatar": ""}
        return _document(0, "ok", account_list=[named])

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        fault = self.platform.take_fault(request.path)
        if fault is not None:
            return self._broken(fault)
        part = await (await request.multipart()).next()
        if not isinstance(part, aiohttp.BodyPartReader) or part.name != "media":
            raise Refused(41005, "media data missing")
        content = bytes(await part.read())
        kind = request.query.get("type", "")
        return _document(0, "ok", **self.platform.upload(kind, part.filename or "", content))

    async def _media(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        fault = self.platform.take_fault(request.path)
        if fault is not None:
            return self._broken(fault)
        kind, name, content = self.platform.media_of(request.query.get("media_id", ""))
        mime = {"image": "image/png", "voice": "audio/amr", "video": "video/mp4"}.get(
            kind, "application/octet-stream"
        )
        headers = {"Content-Type": mime, "Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=content, headers=headers)

    async def _link(self, request: web.Request) -> web.StreamResponse:
        content = self.platform.links.get(request.match_info["name"])
        if content is None:
            return web.Response(status=404, text="<Error>expired</Error>")
        return web.Response(body=content)

    def _broken(self, fault: Fault) -> web.StreamResponse:
        if fault.kind == "code":
            self.platform.refused.append({"code": fault.code})
            return _document(fault.code, f"as ordered, {HINT}")
        return web.Response(status=fault.status, text="<html>bad gateway</html>")

    def _authorize(self, request: web.Request) -> None:
        self.platform.check_token(request.query.get("access_token", ""))

    # --- driving the stand-in ----------------------------------------------------------------------

    async def _send(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        callback = self.callbacks.write(asked)
        await asyncio.sleep(float(asked.get("delay_s", 0)))
        said: Json = {"message_id": callback.message_id}
        if str(asked.get("kind", "")).startswith("bot_") and int(asked.get("times", 1)) == 1:
            return web.json_response({**said, "shown": await self.ask_bot(callback)})
        times = int(asked.get("times", 1))
        answers = [as_json(await self.deliver(callback)) for _ in range(times)]
        return web.json_response({**said, "answers": answers})

    async def _check(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        echo = str(asked.get("echo", "4375120948345356249"))
        check = self.callbacks.address_check(echo, bot=bool(asked.get("bot")))
        status, body = await self.deliver(check)
        ok = status == 200 and body == echo.encode()
        return web.json_response({"ok": ok, **as_json((status, body))})

    async def _set_rules(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        rules = self.platform.rules
        rules.trusted_ip = bool(asked.get("trusted_ip", rules.trusted_ip))
        rules.member_limit = bool(asked.get("member_limit", rules.member_limit))
        for name in ("invalid_users", "unlicensed_users", "outside_users", "groups"):
            setattr(rules, name, set(asked.get(name, getattr(rules, name))))
        self.platform.advance(float(asked.get("advance_s", 0)))
        if asked.get("expire_token"):
            self.platform.expire_token()
        shown: dict[str, Any] = {
            name: sorted(value) if isinstance(value, set) else value
            for name, value in vars(rules).items()
        }
        return web.json_response(shown)


def _document(code: int, words: str, **fields: Any) -> web.StreamResponse:
    """Answer as WeCom does: HTTP 200, whatever the errcode."""
    return web.json_response({"errcode": code, "errmsg": words, **fields})


def address_line(standin: WecomStandin) -> str:
    """Return what the process prints first: where it listens, as one JSON line."""
    return json.dumps({"url": standin.url, "corp_id": standin.platform.corp_id})
