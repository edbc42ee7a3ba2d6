"""The stand-in as an HTTP server: the Graph API, and /standin to drive it."""

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.standins.serving import Handler, StandinServer, as_json, reset_connection
from tests.standins.whatsapp.platform import Fault, Json, Refused, WhatsAppPlatform
from tests.standins.whatsapp.webhooks import Callback, WebhookWriter

CHUNK_BYTES = 65_536


class WhatsAppStandin(StandinServer):
    """`async with WhatsAppStandin("1065", "token", "secret") as meta:` - then `meta.url`."""

    fault_kind = Fault
    max_body_bytes = 128 * 1024**2

    def __init__(
        self,
        phone_number_id: str,
        access_token: str,
        app_secret: str,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(host, port)
        self.platform = WhatsAppPlatform(phone_number_id, access_token, app_secret)
        self.webhooks = WebhookWriter(self.platform)

    def routes(self) -> list[web.RouteDef]:
        """Return what the platform offers, and how it is driven."""
        return [
            web.post("/{version:v[0-9.]+}/{number}/messages", self._take),
            web.post("/{version:v[0-9.]+}/{number}/media", self._upload),
            web.get("/{version:v[0-9.]+}/{account}/subscribed_apps", self._subscribed),
            web.get("/{version:v[0-9.]+}/{id}", self._describe),
            web.get("/lookaside/{media}", self._download),
            web.post("/standin/send", self._send),
            web.post("/standin/status", self._status),
            web.post("/standin/check", self._check),
            web.post("/standin/rules", self._set_rules),
        ]

    async def deliver(self, callback: Callback) -> tuple[int, bytes]:
        """Post a callback to the webhook; status 0 if nobody answers."""
        return await self._post_callback(callback)

    # --- the Graph API -----------------------------------------------------------------------------

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            self.platform.refused.append({"path": request.path, "code": refused.code})
            return _error(refused)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.platform.requests["message"] += 1
        self.platform.queries.append(dict(request.query))
        self._authorize(request)
        self.platform.check_number(request.match_info["number"])
        body: Json = await request.json()
        if "status" in body and all(one.kind != "fail" for one in self.platform.faults):
            # Read marks and typing go through the same door; what is ordered is for messages.
            return web.json_response(self.platform.take(body))
        fault = self.platform.take_fault(request.path)
        if fault is not None and fault.kind not in ("lose", "hang"):
            return self._broken(request, fault)
        if fault is not None and fault.kind == "hang":
            return await self._hang(request, fault.hang_s)
        taken = self.platform.take(body)
        return web.json_response(taken) if fault is None else reset_connection(request)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        self.platform.requests["upload"] += 1
        self._authorize(request)
        self.platform.check_number(request.match_info["number"])
        fault = self.platform.take_fault(request.path)
        if fault is not None:
            return self._broken(request, fault)
        form = await request.post()
        file = form.get("file")
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, web.FileField):
            raise Refused(400, 100, "(#100) The parameter messaging_product is required.")
        media_id = self.platform.keep_medium(str(form["type"]), file.file.read(), file.filename)
        return web.json_response({"id": media_id})

    async def _subscribed(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        apps = [{"whatsapp_business_api_data": {"name": "app"}}]
        return web.json_response({"data": apps if self.platform.rules.subscribed else []})

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        self._authorize(request)
        asked = request.match_info["id"]
        if asked != self.platform.phone_number_id:
            self.platform.requests["describe"] += 1
            fault = self.platform.take_fault(request.path)
            if fault is not None:
                return self._broken(request, fault)
            return web.json_response(self.platform.describe_medium(asked, self.url))
        return web.json_response(
            {
                "id": asked,
                "display_phone_number": "+1 555-078-3881",
                "verified_name": "Lucky Shrub",
                "quality_rating": self.platform.rules.quality,
                "status": self.platform.rules.status,
            }
        )

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self.platform.requests["download"] += 1
        try:
            if request.match_info["media"] not in self.platform.public:
                self._authorize(request)
        except Refused:
            return web.Response(status=401, text="<html>", content_type="text/html")
        fault = self.platform.take_fault(request.path)
        if fault is not None and fault.kind != "lose":
            return self._broken(request, fault)
        medium = self.platform.media[request.match_info["media"]]
        answer = web.StreamResponse(headers={"Content-Length": str(len(medium.content))})
        answer.content_type = medium.mime.partition(";")[0]
        await answer.prepare(request)
        for at in range(0, len(medium.content), CHUNK_BYTES):
            await answer.write(medium.content[at : at + CHUNK_BYTES])
            if fault is not None:
                return reset_connection(request)
        return answer

    def _broken(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "fail":
            sorry = "<html>Sorry, something went wrong"
            return web.Response(status=fault.status, text=sorry, content_type="text/html")
        self.platform.refused.append({"path": request.path, "code": fault.code})
        answer = _error(Refused(fault.status, fault.code, "as ordered"))
        if fault.regain_minutes:
            answer.headers["X-Business-Use-Case-Usage"] = json.dumps(
                {"1022": [{"estimated_time_to_regain_access": fault.regain_minutes}]}
            )
        return answer

    def _authorize(self, request: web.Request) -> None:
        self.platform.check_token(request.headers.get("Authorization", ""))

    # --- driving the stand-in ----------------------------------------------------------------------

    async def _send(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        callback = self.webhooks.write(*asked.get("batch", [asked]))
        await asyncio.sleep(float(asked.get("delay_s", 0)))
        answers = [as_json(await self.deliver(callback)) for _ in range(int(asked.get("times", 1)))]
        return web.json_response({"message_ids": callback.message_ids, "answers": answers})

    async def _status(self, request: web.Request) -> web.StreamResponse:
        """Tell what became of the messages sent so far: `{"status", "code"?, "index"?}`."""
        asked: Json = await request.json()
        sent = self.platform.sent[int(asked.get("index", -1))]
        callback = self.webhooks.status(sent, asked["status"], code=int(asked.get("code", 0)))
        return web.json_response(as_json(await self.deliver(callback)))

    async def _check(self, request: web.Request) -> web.StreamResponse:
        asked: Json = await request.json()
        challenge = str(asked.get("challenge", "1158201444"))
        query = self.webhooks.handshake_query(str(asked["verify_token"]), challenge)
        joint = "&" if "?" in self.webhook_url else "?"
        async with self._session.get(self.webhook_url + joint + query) as answer:
            body = await answer.read()
        ok = answer.status == 200 and body == challenge.encode()
        return web.json_response({"ok": ok, **as_json((answer.status, body))})

    async def _set_rules(self, request: web.Request) -> web.StreamResponse:
        asked: dict[str, Any] = await request.json()
        rules = self.platform.rules
        self.platform.advance(float(asked.pop("advance_s", 0)))
        if asked.pop("expire_token", False):
            self.platform.expire_token()
        for name, value in asked.items():
            setattr(rules, name, set(value) if isinstance(value, list) else value)
        shown = {k: sorted(v) if isinstance(v, set) else v for k, v in vars(rules).items()}
        return web.json_response(shown)


def _error(refused: Refused) -> web.Response:
    error: Json = {
        "message": f"(#{refused.code}) {refused.message}",
        "type": "OAuthException",
        "code": refused.code,
        "fbtrace_id": "standin-trace",
        **{key: value for key, value in refused.extra.items() if key != "details"},
    }
    if "details" in refused.extra:
        error["error_data"] = {"messaging_product": "whatsapp", "details": refused.extra["details"]}
    return web.json_response({"error": error}, status=refused.status)


def address_line(standin: WhatsAppStandin) -> str:
    """Return what the process prints first: where it listens, as one JSON line."""
    return json.dumps({"url": standin.url, "phone_number_id": standin.platform.phone_number_id})
