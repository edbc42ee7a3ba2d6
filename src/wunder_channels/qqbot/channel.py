"""The QQ official bot (QQ 机器人 API v2, webhook mode): from a callback to messages, and back."""

import asyncio
import re
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote, urlsplit

from wunder_channels.qqbot.api import QqApi, QqConfig
from wunder_channels.qqbot.events import (
    Event,
    interaction_to_acknowledge,
    needs_own_id,
    read_event,
)
from wunder_channels.qqbot.media import download
from wunder_channels.qqbot.memory import Memory
from wunder_channels.qqbot.provider_errors import Refusal, error_for, refusal_of
from wunder_channels.qqbot.reply import TYPING_SEQ
from wunder_channels.qqbot.sending import PartSender
from wunder_channels.qqbot.signature import answer_validation, require_fresh, verify
from wunder_channels.qqbot.streaming import Known, Streamer
from wunder_sdk import (
    Account,
    AccountLookup,
    Activity,
    Attachment,
    AuthFailed,
    BlobWriter,
    Channel,
    ChannelError,
    ConfigFault,
    Edit,
    ExternalIdentity,
    Forbidden,
    MalformedEvent,
    ParseResult,
    Request,
    Send,
    SendResult,
    SignatureInvalid,
    ValidateResult,
    json_response,
)

#: Operations of a callback (QQ bot docs 2026-07, event subscription, opcodes).
_DISPATCH, _ADDRESS_CHECK = 0, 13
#: What QQ reads as "received, do not send again".
ACK = {"op": 12, "d": 0}
_ACK = json_response(ACK)
_SIGNATURE_HEADERS = ("X-Signature-Timestamp", "X-Signature-Ed25519")
_APP_ID_HEADER = "X-Bot-Appid"
_APP_ID = re.compile(r"[0-9]{5,20}\Z")
#: A courtesy call while a webhook waits may take this long, well below its 2 s (choice).
_COURTESY_S = 1.0
#: "Typing" is shown for this long, or until the answer.
_TYPING_S = 60


class QqChannel(Channel[QqConfig]):
    """The official bot of QQ (QQ 官方机器人)."""

    config: ClassVar[type[QqConfig]] = QqConfig

    def __init__(self) -> None:
        self._streams = Known()

    async def parse_inbound(self, account: Account[QqConfig], http: Request) -> ParseResult:
        """Verify a callback, then answer the address check or read the event."""
        marks = _marks(http)
        self._require_own_app(account.config, marks)
        is_signed = self._verify(account.config, http, marks)
        payload = self._payload(http, is_signed=is_signed)
        op = payload.get("op")
        if type(op) is int and op == _ADDRESS_CHECK:
            return self._answer_address_check(account.config, http, payload)
        if not is_signed:
            raise SignatureInvalid("the request is not signed")
        if type(op) is not int or op != _DISPATCH:
            return ParseResult(ignored="unknown_op", immediate_response=_ACK)
        found = read_event(
            await self._event(account, http, payload), accept_bots=account.config.accept_bots
        )
        return ParseResult(
            messages=found.messages,
            receipts=found.receipts,
            ignored=found.ignored,
            immediate_response=_ACK,
        )

    async def send_outbound(self, account: Account[QqConfig], send: Send) -> SendResult:
        """Send one platform message; `sending` tells how, `reply` under which rules."""
        if send.message.meta.get("streaming") is True:
            return await Streamer(account, self._streams, self.now_ms()).begin(send)
        return await PartSender(account, send, self.now_ms()).send_part()

    async def edit_outbound(self, account: Account[QqConfig], edit: Edit) -> None:
        """Let a streamed answer grow, and end it."""
        await Streamer(account, self._streams, self.now_ms()).edit(edit)

    async def send_activity(self, account: Account[QqConfig], activity: Activity) -> None:
        """Show "typing" in a private chat, where the account spends one of its replies on it.

        Source: QQ bot docs 2026-07, sending messages, msg_type 6.
        """
        msg_id = activity.reply_to
        if activity.kind != "typing" or not account.config.typing or not msg_id:
            return
        if activity.peer.kind != "user" or activity.peer.id.isdecimal():
            return
        path = f"/v2/users/{quote(activity.peer.id, safe='')}/messages"
        notify = {"input_type": 1, "input_second": _TYPING_S}
        body = {"msg_type": 6, "input_notify": notify, "msg_id": msg_id, "msg_seq": TYPING_SEQ}
        answer = await QqApi(account).call("POST", path, body, safe=True)
        refusal = refusal_of(answer)
        if refusal is not None and refusal is not Refusal.DUPLICATE:
            raise error_for(refusal, answer, 1, passive=True)

    async def fetch_attachment(
        self, account: Account[QqConfig], attachment: Attachment, blob: BlobWriter
    ) -> None:
        """Fetch a picture, voice message, film or file that somebody sent."""
        await download(account, attachment, blob)

    async def identify_account(self, http: Request) -> AccountLookup | None:
        """Name the account by the AppID that QQ puts into every callback."""
        app_id = http.headers.get(_APP_ID_HEADER)
        return AccountLookup("app_id", app_id) if _APP_ID.match(app_id) else None

    async def validate_account_config(
        self, account: Account[QqConfig], mode: str
    ) -> ValidateResult:
        """Check the fields; with mode `live` fetch a token and ask QQ who this bot is."""
        errors = tuple(_faults(account.config))
        if errors or mode != "live":
            return ValidateResult(ok=not errors, errors=errors)
        try:
            identity = await self._who_am_i(account)
        except AuthFailed as error:
            fault = ConfigFault("/client_secret", "auth_failed", error.message)
            return ValidateResult(ok=False, errors=(fault,))
        return ValidateResult(ok=True, identity=identity)

    # --- the steps of parse_inbound --------------------------------------------------------------

    def _require_own_app(self, config: QqConfig, marks: dict[str, list[str]]) -> None:
        if any(app_id != config.app_id for app_id in marks[_APP_ID_HEADER.lower()]):
            raise Forbidden("the callback is for another bot")

    def _verify(self, config: QqConfig, http: Request, marks: dict[str, list[str]]) -> bool:
        """Verify the signature if there is one; False means the request carries none."""
        timestamps, signatures = (marks[name.lower()] for name in _SIGNATURE_HEADERS)
        if not timestamps and not signatures:
            return False
        if len(timestamps) != 1 or len(signatures) != 1:
            raise SignatureInvalid("the signature headers are incomplete or repeated")
        verify(config.client_secret, timestamps[0], signatures[0], http.body)
        require_fresh(timestamps[0], http.received_ms, config.webhook_max_skew_s)
        return True

    def _payload(self, http: Request, *, is_signed: bool) -> dict[str, object]:
        try:
            payload = http.json()
        except MalformedEvent:
            if is_signed:
                raise
            raise SignatureInvalid("the request is not signed") from None
        if not isinstance(payload, dict):
            kind = MalformedEvent if is_signed else SignatureInvalid
            raise kind("the callback is not a JSON object")
        return payload

    def _answer_address_check(
        self, config: QqConfig, http: Request, payload: dict[str, object]
    ) -> ParseResult:
        asked = payload.get("d")
        if not isinstance(asked, dict):
            raise SignatureInvalid("the address check is not well formed")
        answer = answer_validation(
            config.client_secret,
            asked.get("plain_token"),
            asked.get("event_ts"),
            http.received_ms,
            config.webhook_max_skew_s,
        )
        return ParseResult(ignored="address_check", immediate_response=json_response(answer))

    async def _event(
        self, account: Account[QqConfig], http: Request, payload: dict[str, object]
    ) -> Event:
        name, event_id, content = payload.get("t"), payload.get("id"), payload.get("d")
        event = Event(
            account=account,
            name=name if isinstance(name, str) else "",
            event_id=event_id if isinstance(event_id, str) else "",
            received_ms=http.received_ms,
            content=content if isinstance(content, dict) else {},
        )
        if interaction_id := interaction_to_acknowledge(event):
            await self._acknowledge(account, interaction_id)
        if not needs_own_id(event):
            return event
        return replace(event, own_id=await self._own_id(account))

    # --- small talk with the platform ------------------------------------------------------------

    async def _acknowledge(self, account: Account[QqConfig], interaction_id: str) -> None:
        """Stop the pressed button from spinning; if that fails the event is still read."""
        path = f"/interactions/{quote(interaction_id, safe='')}"
        try:
            async with asyncio.timeout(_COURTESY_S):
                await QqApi(account).call("PUT", path, {"code": 0}, safe=True)
        except (ChannelError, TimeoutError) as error:
            self.log.warning("interaction_not_acknowledged", error=type(error).__name__)

    async def _own_id(self, account: Account[QqConfig]) -> str:
        """Return the bot's id in guilds: remembered, else asked for; empty if QQ does not say."""
        memory = Memory(account, self.now_ms())
        try:
            async with asyncio.timeout(_COURTESY_S):
                return await memory.own_id() or (await self._who_am_i(account)).external_id
        except (ChannelError, TimeoutError) as error:
            self.log.warning("own_id_not_found", error=type(error).__name__)
            return ""

    async def _who_am_i(self, account: Account[QqConfig]) -> ExternalIdentity:
        answer = await QqApi(account).call("GET", "/users/@me", safe=True)
        refusal = refusal_of(answer)
        if refusal is not None:
            raise error_for(refusal, answer, 1, passive=False)
        own_id, name = answer.document.get("id"), answer.document.get("username")
        if not isinstance(own_id, str) or not own_id:
            raise AuthFailed("QQ did not say who this bot is")
        await Memory(account, self.now_ms()).remember_own_id(own_id)
        return ExternalIdentity(own_id, name if isinstance(name, str) else None)


def _marks(http: Request) -> dict[str, list[str]]:
    """Return the values of the headers that say who speaks, by small names, in one pass."""
    found: dict[str, list[str]] = {
        name.lower(): [] for name in (_APP_ID_HEADER, *_SIGNATURE_HEADERS)
    }
    for name, value in http.headers:
        if (small := name.lower()) in found:
            found[small].append(value)
    return found


def _faults(config: QqConfig) -> list[ConfigFault]:
    faults: list[ConfigFault] = []
    if not _APP_ID.match(config.app_id):
        faults.append(ConfigFault("/app_id", "pattern", "AppID is 5 to 20 digits"))
    if not config.client_secret:
        faults.append(ConfigFault("/client_secret", "required", "AppSecret is missing"))
    for path, url in (("/api_base", config.api_base), ("/token_url", config.token_url)):
        if not _is_web_address(url) and (url or path == "/api_base"):
            faults.append(ConfigFault(path, "format", "not an http(s) address of a host"))
    if config.markdown not in ("auto", "on", "off"):
        faults.append(ConfigFault("/markdown", "enum", "one of auto, on, off"))
    if config.links not in ("keep", "strip"):
        faults.append(ConfigFault("/links", "enum", "one of keep, strip"))
    if not 1 <= config.webhook_max_skew_s <= 3600:
        faults.append(ConfigFault("/webhook_max_skew_s", "range", "1 to 3600 seconds"))
    return faults


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False
