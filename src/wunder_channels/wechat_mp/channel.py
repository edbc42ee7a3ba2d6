"""The WeChat Official Account (微信公众号): from a callback to a message, and back in two ways.

A verified account answers by customer service message, whenever it likes. Any other account can
only answer in the webhook's own response, within 5 s of one of WeChat's three deliveries.
"""

import asyncio
from typing import ClassVar

from wunder_channels.wechat_mp.api import MpApi
from wunder_channels.wechat_mp.callback import Opened, echo, named_account, open_callback
from wunder_channels.wechat_mp.config import MpConfig, faults_of
from wunder_channels.wechat_mp.leftovers import (
    MORE,
    OTHERS,
    TRUNCATED,
    WORD,
    WORKING,
    Leftovers,
    page,
)
from wunder_channels.wechat_mp.media import Download, format_of, upload
from wunder_channels.wechat_mp.memory import Allowance, Permission, Pictures
from wunder_channels.wechat_mp.messages import read_message
from wunder_channels.wechat_mp.passive import (
    DELIVERIES,
    Deliveries,
    Stamp,
    acknowledge,
    media_reply,
    picture_reply,
    render,
    text_reply,
    window,
)
from wunder_channels.wechat_mp.plain_text import LIMIT_BYTES
from wunder_channels.wechat_mp.provider_errors import Refusal, error_for, refusal_of
from wunder_channels.wechat_mp.sending import PartSender, Remembered, worded
from wunder_sdk import (
    Account,
    AccountLookup,
    Activity,
    Attachment,
    AuthFailed,
    BlobWriter,
    Channel,
    ChannelError,
    ChannelMessage,
    ConfigFault,
    ExternalIdentity,
    Forbidden,
    ImmediateResponse,
    OutboundMessage,
    ParseResult,
    ProviderUnavailable,
    Receipt,
    Request,
    Send,
    SendResult,
    UnsupportedFeature,
    ValidateResult,
    text_response,
)
from wunder_sdk.splitting import utf8_size

_TYPING = "/cgi-bin/message/custom/typing"
_QUOTA = "/cgi-bin/openapi/quota/get"
_CUSTOM_SEND = "/cgi-bin/message/custom/send"
#: Typing is a courtesy: no contact in the last 30 s (45080), already typing (45081) and the like
#: are no faults of anybody (official account docs 2026-07, typing).
_TYPING_IGNORED = frozenset({45072, 45080, 45081, 45047, 45015, 48001})
#: Quota queries say that an account may not use an interface at all.
_NO_PERMISSION = frozenset({48001, 76022})
#: Uploading for a passive reply must not use up its window (choice).
_UPLOAD_S = 2.5


class MpChannel(Channel[MpConfig]):
    """An official account of WeChat (微信公众号, 服务号 or 订阅号)."""

    config: ClassVar[type[MpConfig]] = MpConfig

    def __init__(self) -> None:
        self._permission = Permission()
        self._allowance = Allowance()
        self._deliveries = Deliveries()
        self._pictures = Pictures()

    async def parse_inbound(self, account: Account[MpConfig], http: Request) -> ParseResult:
        """Answer the address check, or read a message and say how it can be answered."""
        if http.method == "GET":
            answer = text_response(echo(account.config, http))
            return ParseResult(ignored="address_check", immediate_response=answer)
        opened = open_callback(account.config, http)
        found = read_message(account, opened, http.received_ms)
        if found.message is None:
            return ParseResult(ignored=found.ignored, immediate_response=acknowledge())
        self._note_picture(found.message)
        fetched = await self._fetch(account, opened, found.message)
        if fetched is not None:
            return fetched
        if not await self._permission.must_be_passive(account, self.now_ms()):
            return ParseResult(messages=(found.message,), immediate_response=acknowledge())
        return await self._hold(account, opened, found.message, http.received_ms)

    async def render_inline_reply(
        self, account: Account[MpConfig], http: Request, message: OutboundMessage
    ) -> ImmediateResponse:
        """Write a reply into the response of a delivery of the message that it answers."""
        opened = open_callback(account.config, http)
        if opened.sender != message.peer.id:
            raise Forbidden("the reply is for somebody else than who wrote")
        reply = await self._passive_reply(account, opened, message)
        self._deliveries.answered(message)
        return render(account.config, opened, reply, Stamp.now(self.now_ms()))

    async def send_outbound(self, account: Account[MpConfig], send: Send) -> SendResult:
        """Send one customer service message, or keep a late reply until the user asks for it."""
        remembered = Remembered(self._permission, self._allowance)
        return await PartSender(account, send, remembered, self.now_ms()).send_part()

    async def send_activity(self, account: Account[MpConfig], activity: Activity) -> None:
        """Show "typing" to a user who wrote lately; WeChat knows no "read"."""
        if activity.kind != "typing":
            raise UnsupportedFeature("WeChat shows no read marks")
        if await self._permission.must_be_passive(account, self.now_ms()):
            return
        asked = {"touser": activity.peer.id, "command": "Typing"}
        answer = await MpApi(account, self.now_ms()).call(_TYPING, asked, safe=True)
        refusal = refusal_of(answer)
        if refusal is not None and answer.code not in _TYPING_IGNORED:
            raise error_for(refusal, answer, 1, self.now_ms())

    async def fetch_attachment(
        self, account: Account[MpConfig], attachment: Attachment, blob: BlobWriter
    ) -> None:
        """Fetch a picture, a voice message or a video that a user sent."""
        download = Download(account, MpApi(account, self.now_ms()), self.now_ms())
        try:
            await download.fetch(attachment, blob)
        except AuthFailed:
            address = self._pictures.address(account.account_id, attachment.media_id or "")
            if not address:
                raise
            await download.fetch(Attachment("image", url=address), blob)

    async def identify_account(self, http: Request) -> AccountLookup | None:
        """Name the account by the original ID, which stays readable around encrypted messages."""
        original_id = named_account(http)
        return AccountLookup("original_id", original_id) if original_id else None

    async def validate_account_config(
        self, account: Account[MpConfig], mode: str
    ) -> ValidateResult:
        """Check the fields; with mode `live` fetch a token and ask what the account may do."""
        errors = tuple(faults_of(account.config))
        if errors or mode != "live":
            return ValidateResult(ok=not errors, errors=errors)
        if not account.config.can_call:
            return ValidateResult(ok=True, warnings=(_WITHOUT_SECRET,))
        try:
            warnings = await self._try_out(account)
        except AuthFailed as error:
            path = "/app_id" if error.provider_code == "40013" else "/app_secret"
            fault = ConfigFault(path, "auth_failed", error.message)
            return ValidateResult(ok=False, errors=(fault,))
        identity = ExternalIdentity(account.config.app_id, account.config.original_id or None)
        return ValidateResult(ok=True, warnings=warnings, identity=identity)

    # --- inbound ---------------------------------------------------------------------------------

    def _note_picture(self, message: ChannelMessage) -> None:
        address = message.meta.get("pic_url")
        for one in message.attachments:
            if isinstance(address, str) and one.media_id:
                self._pictures.note(message.account_id, one.media_id, address)

    async def _fetch(
        self, account: Account[MpConfig], opened: Opened, message: ChannelMessage
    ) -> ParseResult | None:
        """Give what is kept for somebody who asks for it; None if this is an ordinary message."""
        if not account.config.fetch_more or (message.text or "").strip() != WORD:
            return None
        if message.type != "text":
            return None
        leftovers = Leftovers(account, self.now_ms())
        found = await leftovers.fetch(message.peer.id, message.message_id)
        if found is None:
            return None
        stamp = Stamp.now(self.now_ms())
        answer = render(account.config, opened, text_reply(found.text), stamp)
        arrived = Receipt(found.receipt_id, "delivered", self.now_ms())
        return ParseResult(
            receipts=(arrived,) if found.receipt_id else (),
            ignored="fetched",
            immediate_response=answer,
        )

    async def _hold(
        self, account: Account[MpConfig], opened: Opened, message: ChannelMessage, received_ms: int
    ) -> ParseResult:
        """Let the reply travel in this response, or in that of a later delivery.

        The last delivery must be answered with something: else WeChat tells the user that the
        account is out of order.
        """
        delivery = self._deliveries.count(message, received_ms)
        answer = acknowledge()
        is_open = account.config.fetch_more and not self._deliveries.is_answered(message)
        if delivery == DELIVERIES and is_open:
            answer = await self._tell_to_wait(account, opened, message)
        return ParseResult(
            messages=(message,), immediate_response=answer, inline_reply=window(delivery)
        )

    async def _tell_to_wait(
        self, account: Account[MpConfig], opened: Opened, message: ChannelMessage
    ) -> ImmediateResponse:
        try:
            await Leftovers(account, self.now_ms()).expect(message.peer.id, message.message_id)
        except ChannelError as error:
            self.log.warning("waiting_not_noted", error=type(error).__name__)
            return acknowledge()
        stamp = Stamp.now(self.now_ms())
        return render(account.config, opened, text_reply(WORKING), stamp)

    # --- outbound --------------------------------------------------------------------------------

    async def _passive_reply(
        self, account: Account[MpConfig], opened: Opened, message: OutboundMessage
    ) -> dict[str, object]:
        """Choose the one message that fits into a response, and keep what does not."""
        text = worded(message)
        files = message.attachments
        if not text and len(files) == 1 and not (opened.is_json and files[0].url):
            return await self._passive_file(account, files[0])
        addresses = (one.url for one in files if one.url)
        text = "\n".join(filter(None, [text, *addresses]))
        if not text:
            raise UnsupportedFeature("a passive reply holds a text or one file")
        return text_reply(await self._fit(account, message, text))

    async def _passive_file(
        self, account: Account[MpConfig], attachment: Attachment
    ) -> dict[str, object]:
        if attachment.url and attachment.kind == "image":
            return picture_reply(attachment.url, attachment.name or "图片")
        if attachment.url:
            return text_reply(attachment.url)
        kind = format_of(attachment).kind
        if attachment.media_id:
            return media_reply(kind, attachment.media_id, attachment.name or "")
        api = MpApi(account, self.now_ms())
        try:
            async with asyncio.timeout(_UPLOAD_S):
                media_id = await upload(account, api, attachment)
        except TimeoutError:
            raise ProviderUnavailable("the file could not be uploaded in time") from None
        return media_reply(kind, media_id, attachment.name or "")

    async def _fit(self, account: Account[MpConfig], message: OutboundMessage, text: str) -> str:
        """Return what one response can show of a text; the rest waits until it is asked for."""
        openid, key = message.peer.id, message.reply_to or ""
        if not account.config.fetch_more:
            return page(text, TRUNCATED)[0]
        leftovers = Leftovers(account, self.now_ms())
        shown, rest = page(text, MORE)
        try:
            others = await leftovers.settle(openid, key)
            if rest:
                await leftovers.keep(openid, key, rest)
        except ChannelError as error:
            self.log.warning("rest_not_kept", error=type(error).__name__)
            return page(text, TRUNCATED)[0]
        if others and not rest and utf8_size(shown + OTHERS) <= LIMIT_BYTES:
            shown += OTHERS
        return shown

    # --- setting up ------------------------------------------------------------------------------

    async def _try_out(self, account: Account[MpConfig]) -> tuple[ConfigFault, ...]:
        """Fetch a token, and ask how many customer service messages the account may send."""
        api = MpApi(account, self.now_ms())
        answer = await api.call(_QUOTA, {"cgi_path": _CUSTOM_SEND}, safe=True)
        quota = answer.document.get("quota")
        limit = quota.get("daily_limit") if isinstance(quota, dict) else None
        if answer.code in _NO_PERMISSION or (refusal_of(answer) is None and limit == 0):
            await self._permission.remember_refused(account, self.now_ms())
            return (_NOT_VERIFIED,)
        refusal = refusal_of(answer)
        if refusal in (Refusal.TOKEN, Refusal.CONFIG):
            raise error_for(refusal, answer, 1, self.now_ms())
        if refusal is None:
            await self._permission.forget_refused(account, self.now_ms())
        return ()


_WITHOUT_SECRET = ConfigFault(
    "/app_secret", "absent", "without it only replies within WeChat's 15 seconds, and no media"
)
_NOT_VERIFIED = ConfigFault(
    "/reply_mode",
    "passive_only",
    "WeChat does not let this account send customer service messages (it is not verified): "
    "it answers within 15 seconds, and keeps what comes later until the user sends 1",
)
