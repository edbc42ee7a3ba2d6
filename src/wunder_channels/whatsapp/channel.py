"""WhatsApp (Cloud API of Meta): from a batch of updates to messages and receipts, and back."""

from typing import ClassVar

from wunder_channels.whatsapp.api import GraphApi
from wunder_channels.whatsapp.config import WhatsAppConfig, faults_of
from wunder_channels.whatsapp.envelope import MESSAGES, Change, changes_of, phone_number_ids
from wunder_channels.whatsapp.fetching import fetch
from wunder_channels.whatsapp.memory import Memory
from wunder_channels.whatsapp.messages import Raw, raw_messages, read_messages
from wunder_channels.whatsapp.moves import moves_in
from wunder_channels.whatsapp.people import People
from wunder_channels.whatsapp.provider_errors import error_for, refusal_of
from wunder_channels.whatsapp.receipts import confirmed_sends, read_receipts, statuses_of
from wunder_channels.whatsapp.sending import PartSender
from wunder_channels.whatsapp.signature import answer_handshake, verify
from wunder_sdk import (
    Account,
    AccountConfigInvalid,
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
    ImmediateResponse,
    MalformedEvent,
    ParseResult,
    ProviderRejected,
    Receipt,
    Request,
    Send,
    SendResult,
    ValidateResult,
    bytes_response,
)
from wunder_sdk.loose_json import JsonObject, objects, string

#: What Meta reads as "received": 200 and nothing else.
ACK: ImmediateResponse = bytes_response(b"", "text/plain")
_PHONE_FIELDS = "display_phone_number,verified_name,quality_rating,status"


class WhatsAppChannel(Channel[WhatsAppConfig]):
    """A phone number on the WhatsApp Business Platform."""

    config: ClassVar[type[WhatsAppConfig]] = WhatsAppConfig

    def __init__(self) -> None:
        self._people = People()

    async def parse_inbound(self, account: Account[WhatsAppConfig], http: Request) -> ParseResult:
        """Answer the handshake, or verify a batch and keep what is about this account's number."""
        config = account.config
        if http.method == "GET":
            challenge = answer_handshake(config.verify_token, http)
            return ParseResult(ignored="handshake", immediate_response=challenge)
        verify(config.app_secret, http)
        changes = changes_of(http.json())
        own = [one for one in changes if one.phone_number_id == config.phone_number_id]
        chat = [one for one in own if one.field == MESSAGES]
        messages = await self._messages(account, chat, http.received_ms)
        receipts = await self._receipts(account, chat, http.received_ms)
        nothing = None if messages or receipts else _why_nothing(changes, own)
        self._report(chat, [one for one in changes if one.field != MESSAGES])
        return ParseResult(
            messages=messages, receipts=receipts, ignored=nothing, immediate_response=ACK
        )

    async def send_outbound(self, account: Account[WhatsAppConfig], send: Send) -> SendResult:
        """Send one platform message; `parts` tells what it is, `sending` how it goes."""
        return await PartSender(account, send, self._people, self.now_ms()).send_part()

    async def send_activity(self, account: Account[WhatsAppConfig], activity: Activity) -> None:
        """Mark a message as read, and show "typing" until the answer or for 25 seconds.

        Source: Meta, Cloud API, Mark messages as read, Typing indicators (read 2026-07).
        """
        config, wants_typing = account.config, activity.kind == "typing"
        wanted = config.typing and config.mark_read if wants_typing else config.mark_read
        if not wanted or not activity.reply_to or activity.peer.kind != "user":
            # WhatsApp knows both only together with a message, typing implies read, and groups
            # take neither.
            return
        body: JsonObject = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": activity.reply_to,
        }
        if wants_typing:
            body["typing_indicator"] = {"type": "text"}
        try:
            answer = await GraphApi(account).post(
                f"{config.phone_number_id}/messages", body, safe=True
            )
        except ChannelError as error:
            self.log.warning("activity_not_shown", error=type(error).__name__)
            return
        if refusal := refusal_of(answer):
            self.log.warning("activity_not_shown", refusal=refusal, code=answer.code)

    async def fetch_attachment(
        self, account: Account[WhatsAppConfig], attachment: Attachment, blob: BlobWriter
    ) -> None:
        """Fetch the bytes of a picture, voice message, film or file."""
        await fetch(account, attachment, blob)

    async def identify_account(self, http: Request) -> AccountLookup | None:
        """Name the account by the number that a request is about; several numbers name none."""
        try:
            found = phone_number_ids(http.json()) if http.body else ()
        except MalformedEvent:
            return None
        return AccountLookup("phone_number_id", found[0]) if len(found) == 1 else None

    async def validate_account_config(
        self, account: Account[WhatsAppConfig], mode: str
    ) -> ValidateResult:
        """Check the fields; with mode `live` ask Meta about the number and its subscription."""
        errors = tuple(faults_of(account.config))
        if errors or mode != "live":
            return ValidateResult(ok=not errors, errors=errors)
        try:
            number = await self._ask(account, account.config.phone_number_id, _PHONE_FIELDS)
        except (AuthFailed, AccountConfigInvalid) as error:
            fault = ConfigFault("/access_token", "auth_failed", error.message)
            return ValidateResult(ok=False, errors=(fault,))
        except ProviderRejected as error:
            fault = ConfigFault("/phone_number_id", "unknown", error.message)
            return ValidateResult(ok=False, errors=(fault,))
        warnings = [*_health_warnings(number), *await self._subscription_warnings(account)]
        names = (string(number, "verified_name"), string(number, "display_phone_number"))
        identity = ExternalIdentity(
            account.config.phone_number_id, " ".join(filter(None, names)) or None
        )
        return ValidateResult(ok=True, warnings=tuple(warnings), identity=identity)

    # --- the steps of parse_inbound --------------------------------------------------------------

    async def _messages(
        self, account: Account[WhatsAppConfig], changes: list[Change], received_ms: int
    ) -> tuple[ChannelMessage, ...]:
        raws: list[Raw] = []
        for raw in raw_messages(changes):
            if raw.is_usable:
                raws.append(raw)
            else:
                self.log.warning("message_not_usable", type=string(raw.message, "type")[:40])
        if not raws:
            return ()
        for before, now in moves_in(raws):
            await self._people.moved(account, before, now)
        names = await self._people.names(account, [raw.person for raw in raws])
        if failures := self._people.take_failures():
            self.log.warning("people_not_remembered", times=failures)
        return tuple(read_messages(account, raws, names, received_ms))

    async def _receipts(
        self, account: Account[WhatsAppConfig], changes: list[Change], received_ms: int
    ) -> tuple[Receipt, ...]:
        statuses = statuses_of(changes)
        confirmed = confirmed_sends(statuses)
        if confirmed:
            try:
                await Memory(account, self.now_ms()).confirm(confirmed)
            except ChannelError as error:
                self.log.warning("send_not_confirmed", error=type(error).__name__)
        return tuple(read_receipts(statuses, received_ms))

    def _report(self, chat: list[Change], others: list[Change]) -> None:
        """Log what an operator wants to know and no conversation is about."""
        for change in chat:
            for error in objects(change.value, "errors"):
                self.log.warning("platform_reported", code=string(error, "code")[:20])
        for change in others:
            self.log.info(
                "field_ignored",
                field=change.field[:60],
                told=string(change.value, "event")[:60],
            )

    # --- asking Meta about the account -------------------------------------------------------------

    async def _ask(self, account: Account[WhatsAppConfig], path: str, fields: str) -> JsonObject:
        answer = await GraphApi(account).get(path, {"fields": fields} if fields else {})
        refusal = refusal_of(answer)
        if refusal is not None:
            raise error_for(refusal, answer, 1)
        return answer.document

    async def _subscription_warnings(self, account: Account[WhatsAppConfig]) -> list[ConfigFault]:
        """Say if no webhook can arrive because the app is not subscribed to the account."""
        if not account.config.waba_id:
            return []
        try:
            found = await self._ask(account, f"{account.config.waba_id}/subscribed_apps", "")
        except ChannelError as error:
            return [ConfigFault("/waba_id", "not_checked", error.message)]
        if any(objects(found, "data")):
            return []
        words = "no app is subscribed to this business account: no webhook will arrive"
        return [ConfigFault("/waba_id", "not_subscribed", words)]


def _health_warnings(number: JsonObject) -> list[ConfigFault]:
    status, quality = string(number, "status"), string(number, "quality_rating")
    warnings: list[ConfigFault] = []
    if status and status != "CONNECTED":
        warnings.append(ConfigFault("/phone_number_id", "status", f"the number is {status[:40]}"))
    if quality == "RED":
        words = "people report this number: its quality is low and Meta may limit it"
        warnings.append(ConfigFault("/phone_number_id", "quality", words))
    return warnings


def _why_nothing(changes: list[Change], own: list[Change]) -> str:
    """Say why an authentic batch holds nothing for this account."""
    if not own:
        others = [one.field for one in changes if one.field != MESSAGES and one.field]
        has_numbers = any(one.phone_number_id for one in changes)
        return "other_number" if has_numbers or not others else others[0][:60]
    fields = [one.field for one in own if one.field != MESSAGES]
    return fields[0][:60] if fields else "nothing_to_keep"
