"""Feishu and Lark (飞书), custom app with a bot, webhook mode: from an event to messages, and back."""

import asyncio
import re
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

from wunder_channels.feishu.api import FeishuApi, FeishuConfig
from wunder_channels.feishu.editing import Editor
from wunder_channels.feishu.envelope import (
    Letter,
    app_id_of,
    open_letter,
    require_genuine,
)
from wunder_channels.feishu.events import (
    CARD_BUTTON,
    Event,
    chat_of,
    event_of,
    needs_own_id,
    read_event,
)
from wunder_channels.feishu.files import download
from wunder_channels.feishu.growing import begin
from wunder_channels.feishu.memory import Memory, Recent
from wunder_channels.feishu.sending import PartSender
from wunder_sdk import (
    Account,
    AccountConfigInvalid,
    AccountLookup,
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
    ValidateResult,
    json_response,
)
from wunder_sdk.loose_json import nested, string

#: What Feishu reads as "received"; it looks at the status alone.
ACK = {"code": 0}
_ACK = json_response(ACK)
#: What the client of a person who pressed a button reads: nothing to show.
_BUTTON_ACK = json_response({})
_APP_ID = re.compile(r"cli_[A-Za-z0-9_]{1,60}\Z")
_ID_TYPES = ("open_id", "union_id", "user_id", "email", "chat_id")
_CHALLENGE_MAX = 1_000
#: A question to the platform while a webhook waits may take this long, well below its 2 s (choice).
_COURTESY_S = 1.0


class FeishuChannel(Channel[FeishuConfig]):
    """The bot of a custom app on Feishu or Lark (飞书自建应用机器人)."""

    config: ClassVar[type[FeishuConfig]] = FeishuConfig

    def __init__(self) -> None:
        self._recent = Recent()

    async def parse_inbound(self, account: Account[FeishuConfig], http: Request) -> ParseResult:
        """Open a request, make sure it is genuine, then answer the address check or read the event."""
        self._require_means(account.config)
        letter = open_letter(account.config, http)
        require_genuine(account.config, http, letter)
        if letter.is_challenge:
            return self._answer_challenge(letter)
        self._require_own_app(account.config, letter)
        event = await self._event(account, letter, http)
        found = read_event(event)
        ack = _BUTTON_ACK if event.name == CARD_BUTTON else _ACK
        return ParseResult(
            messages=found.messages,
            receipts=found.receipts,
            ignored=found.ignored,
            immediate_response=ack,
        )

    async def send_outbound(self, account: Account[FeishuConfig], send: Send) -> SendResult:
        """Send one platform message; `sending` tells how, `wording` in which form."""
        memory = Memory(account, self.now_ms())
        if send.message.meta.get("streaming") is True:
            begun = await begin(account, send, memory)
            if begun is not None:
                return self._keep_growing(account.account_id, *begun)
        result, msg_type = await PartSender(account, send, memory).send_part()
        if result.provider_message_id:
            self._recent.keep_shown(account.account_id, result.provider_message_id, msg_type)
        return result

    def _keep_growing(self, account_id: str, result: SendResult, card_id: str) -> SendResult:
        if result.provider_message_id:
            shown = self._recent.keep_shown(account_id, result.provider_message_id, "interactive")
            shown.card_id = card_id
        return result

    async def edit_outbound(self, account: Account[FeishuConfig], edit: Edit) -> None:
        """Show the newest text of an answer that is still being written."""
        await Editor(account, edit, self._recent, self.now_ms()).show()

    async def fetch_attachment(
        self, account: Account[FeishuConfig], attachment: Attachment, blob: BlobWriter
    ) -> None:
        """Download an image, file, voice or video that somebody sent."""
        await download(account, attachment, blob)

    async def identify_account(self, http: Request) -> AccountLookup | None:
        """Name the account by the App ID in an event that is not encrypted."""
        try:
            body = http.json()
        except MalformedEvent:
            return None
        app_id = app_id_of(body) if isinstance(body, dict) else ""
        return AccountLookup("app_id", app_id) if _APP_ID.match(app_id) else None

    async def validate_account_config(
        self, account: Account[FeishuConfig], mode: str
    ) -> ValidateResult:
        """Check the fields; with mode `live` fetch a token and ask Feishu who this bot is."""
        errors = tuple(_faults(account.config))
        if errors or mode != "live":
            return ValidateResult(ok=not errors, errors=errors)
        try:
            identity = await self._who_am_i(account)
        except AuthFailed as error:
            fault = ConfigFault("/app_secret", "auth_failed", error.message)
            return ValidateResult(ok=False, errors=(fault,))
        except AccountConfigInvalid as error:
            fault = ConfigFault("/app_id", "not_ready", error.message)
            return ValidateResult(ok=False, errors=(fault,))
        return ValidateResult(ok=True, identity=identity)

    # --- the steps of parse_inbound -------------------------------------------------------------

    def _require_means(self, config: FeishuConfig) -> None:
        if not config.verification_token and not config.encrypt_key:
            raise AccountConfigInvalid(
                "neither Verification Token nor Encrypt Key: nothing to check by"
            )

    def _answer_challenge(self, letter: Letter) -> ParseResult:
        challenge = string(letter.content, "challenge")
        if not challenge or len(challenge) > _CHALLENGE_MAX:
            raise MalformedEvent("the address check holds no challenge")
        answer = json_response({"challenge": challenge})
        return ParseResult(ignored="address_check", immediate_response=answer)

    def _require_own_app(self, config: FeishuConfig, letter: Letter) -> None:
        app_id = app_id_of(letter.content)
        if app_id and app_id != config.app_id:
            raise Forbidden("the event is for another app")

    async def _event(self, account: Account[FeishuConfig], letter: Letter, http: Request) -> Event:
        """Return the event with what it does not say itself: who we are, what chat it is."""
        event = event_of(account, letter.content, http.received_ms)
        if needs_own_id(event):
            event = replace(event, own_id=await self._own_id(account))
        chat_id, is_private = chat_of(event)
        memory = Memory(account, self.now_ms())
        if is_private and not self._recent.knows_private(account.account_id, chat_id):
            await self._recent.keep_private(memory, account.account_id, chat_id)
        if is_private is None and chat_id:
            is_private = await self._is_private(account, memory, chat_id)
        return replace(event, is_private=bool(is_private))

    async def _is_private(
        self, account: Account[FeishuConfig], memory: Memory, chat_id: str
    ) -> bool:
        if self._recent.knows_private(account.account_id, chat_id):
            return True
        try:
            return await memory.is_private(chat_id)
        except ChannelError:
            return False

    # --- small talk with the platform -----------------------------------------------------------

    async def _own_id(self, account: Account[FeishuConfig]) -> str:
        """Return the bot's open_id: configured, remembered, else asked for; empty if unknown."""
        if account.config.bot_open_id:
            return account.config.bot_open_id
        try:
            async with asyncio.timeout(_COURTESY_S):
                memory = Memory(account, self.now_ms())
                return await memory.own_id() or (await self._who_am_i(account)).external_id
        except (ChannelError, TimeoutError) as error:
            self.log.warning("own_id_not_found", error=type(error).__name__)
            return ""

    async def _who_am_i(self, account: Account[FeishuConfig]) -> ExternalIdentity:
        bot = nested(await FeishuApi(account).ask("/open-apis/bot/v3/info"), "bot")
        open_id, name = string(bot, "open_id"), string(bot, "app_name")
        if not open_id:
            raise AccountConfigInvalid("this app has no bot: switch the bot ability on and publish")
        await Memory(account, self.now_ms()).remember_own_id(open_id)
        return ExternalIdentity(open_id, name or None)


def _faults(config: FeishuConfig) -> list[ConfigFault]:
    faults: list[ConfigFault] = []
    if not _APP_ID.match(config.app_id):
        faults.append(ConfigFault("/app_id", "pattern", "App ID begins with cli_"))
    if not config.app_secret:
        faults.append(ConfigFault("/app_secret", "required", "App Secret is missing"))
    if config.long_connection_enabled:
        words = "long connections are not supported yet: choose the webhook"
        faults.append(ConfigFault("/long_connection_enabled", "unsupported", words))
    if not config.verification_token and not config.encrypt_key:
        words = "Verification Token or Encrypt Key: without both nobody can tell who calls"
        faults.append(ConfigFault("/verification_token", "required", words))
    if not _is_web_address(config.domain):
        faults.append(ConfigFault("/domain", "format", "not an http(s) address of a host"))
    choices = (
        ("receive_id_type", config.receive_id_type, _ID_TYPES),
        ("reply_style", config.reply_style, ("auto", "text", "post", "card")),
        ("quote", config.quote, ("groups", "always", "never")),
    )
    for name, value, allowed in choices:
        if value not in allowed:
            faults.append(ConfigFault(f"/{name}", "enum", f"one of {', '.join(allowed)}"))
    if not 0 <= config.max_clock_skew_s <= 86_400:
        faults.append(ConfigFault("/max_clock_skew_s", "range", "0 to 86400 seconds"))
    return faults


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    except ValueError:
        return False
