"""Send one part of a message: to whom, in which words, and what to make of the answer."""

import asyncio
import re

from wunder_channels.whatsapp.api import GraphApi
from wunder_channels.whatsapp.config import WhatsAppConfig
from wunder_channels.whatsapp.media import Medium, Uploader
from wunder_channels.whatsapp.memory import LOOK_FOR_MS, Memory
from wunder_channels.whatsapp.parts import Part, answered, parts_of
from wunder_channels.whatsapp.people import People
from wunder_channels.whatsapp.provider_errors import (
    PlatformAnswer,
    Refusal,
    error_for,
    refusal_of,
)
from wunder_sdk import (
    Account,
    Busy,
    ChannelError,
    NextPart,
    OutcomeUnknown,
    ProviderRejected,
    Send,
    SendResult,
)
from wunder_sdk.directives import Template
from wunder_sdk.loose_json import JsonObject, objects, string

#: A business-scoped user id: country, perhaps ENT, up to 128 letters and digits (Cloud API,
#: Business-scoped user IDs, read 2026-08).
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}\Z")
#: What `biz_opaque_callback_data` may have.
_CALLBACK_DATA_MAX = 512


class PartSender:
    """Sends the parts of one delivery for one account."""

    def __init__(
        self, account: Account[WhatsAppConfig], send: Send, people: People, now_ms: int
    ) -> None:
        self._account = account
        self._config = account.config
        self._send = send
        self._people = people
        self._now_ms = now_ms
        self._api = GraphApi(account)
        self._memory = Memory(account, now_ms)

    async def send_part(self) -> SendResult:
        """Send part `send.part` and say whether there is more.

        Raises:
            ChannelError: What WhatsApp's refusal means, see `provider_errors`.
        """
        parts = parts_of(self._send.message)
        if self._send.part >= len(parts):
            raise ProviderRejected("there is neither text nor an attachment to send")
        arrived = await self._arrived_before()
        if arrived:
            return SendResult(arrived, {"confirmed_by": "status"}, self._next(len(parts)))
        await self._keep_distance()
        body = {
            "messaging_product": "whatsapp",
            **await self._address(),
            **({} if parts[self._send.part].reaction else self._quote()),
            **await self._content(parts[self._send.part]),
            "biz_opaque_callback_data": self._send.idempotency_key[:_CALLBACK_DATA_MAX],
        }
        answer = await self._post(body)
        if refusal_of(answer) is Refusal.MEDIA and (link := parts[self._send.part].medium):
            answer = await self._post_uploaded(body, link, answer)
        refusal = refusal_of(answer)
        message_id = "" if refusal else _message_id(answer)
        if refusal is None and not message_id:
            refusal = Refusal.NO_ANSWER
        if refusal is not None:
            raise await self._failure(refusal, answer)
        return SendResult(message_id, _kept(answer), self._next(len(parts)))

    # --- to whom -----------------------------------------------------------------------------------

    async def _address(self) -> JsonObject:
        """Return the fields that name the recipient; a person's phone where it is known."""
        peer, meta = self._send.peer, self._send.message.meta
        if peer.kind != "user":
            return {"recipient_type": "group", "to": peer.id}
        to, recipient = meta.get("to"), meta.get("recipient")
        known = to if isinstance(to, str) and to else recipient
        address = known if isinstance(known, str) and known else ""
        address = address or await self._people.address(self._account, peer.id)
        field = "recipient" if _USER_ID.match(address) else "to"
        return {"recipient_type": "individual", field: address}

    def _quote(self) -> JsonObject:
        """Return the message to quote: that of the answered one, on the first part only."""
        wanted = {"always": True, "never": False}.get(
            self._config.quote, self._send.peer.kind != "user"
        )
        quoted = answered(self._send.message)
        if not wanted or self._send.part or not quoted:
            return {}
        return {"context": {"message_id": quoted}}

    # --- what --------------------------------------------------------------------------------------

    async def _content(self, part: Part) -> JsonObject:
        if part.interactive is not None:
            return {"type": "interactive", "interactive": part.interactive}
        if part.template is not None:
            return {"type": "template", "template": self._template(part.template)}
        if part.reaction:
            about = {"message_id": answered(self._send.message), "emoji": part.reaction}
            return {"type": "reaction", "reaction": about}
        if part.medium is None:
            return {"type": "text", "text": {"body": part.text, "preview_url": False}}
        attachment = part.medium.attachment
        medium: JsonObject = {}
        if attachment.url:
            # Meta fetches it itself.
            medium["link"] = attachment.url
        elif attachment.media_id:
            medium["id"] = attachment.media_id
        else:
            medium["id"] = await self._uploader().media_id(part.medium)
        if part.text:
            medium["caption"] = part.text
        if part.medium.kind == "document" and attachment.name:
            medium["filename"] = attachment.name
        return {"type": part.medium.kind, part.medium.kind: medium}

    def _template(self, wanted: Template) -> JsonObject:
        """Word a template: what fills its gaps is text, in order."""
        language = wanted.language or self._config.fallback_language
        template: JsonObject = {"name": wanted.name, "language": {"code": language}}
        if wanted.parameters:
            filled = [{"type": "text", "text": one} for one in wanted.parameters]
            template["components"] = [{"type": "body", "parameters": filled}]
        return template

    def _next(self, parts: int) -> NextPart | None:
        """Return what follows this part; `sent_ms` keeps the next one at a distance."""
        if self._send.part + 1 >= parts:
            return None
        return NextPart({"sent_ms": self._now_ms})

    async def _keep_distance(self) -> None:
        """Wait until WhatsApp has surely put the part before into its place."""
        sent_ms = (self._send.state or {}).get("sent_ms")
        if self._send.part and isinstance(sent_ms, int):
            since_s = max(0, self._now_ms - sent_ms) / 1000
            await asyncio.sleep(max(0.0, self._config.part_pause_s - since_s))

    # --- and what came of it -----------------------------------------------------------------------

    async def _arrived_before(self) -> str:
        """Return the id of this very part if an attempt without an answer turned out to be there.

        WhatsApp folds no repeats, but a status tells which of our keys it has.

        Raises:
            Busy: It is too early to say.
        """
        if self._send.attempt < 2:
            return ""
        found = await self._memory.unsure_since(self._send.idempotency_key)
        if found is None:
            return ""
        since_ms, message_id = found
        waited_ms = max(0, self._now_ms - since_ms)
        if not message_id and waited_ms < LOOK_FOR_MS:
            raise Busy(
                "an earlier try may have arrived: waiting for WhatsApp to say so",
                retry_after=(LOOK_FOR_MS - waited_ms) / 1000,
                scope="message",
            )
        return message_id

    async def _post(self, body: JsonObject) -> PlatformAnswer:
        try:
            return await self._api.post(f"{self._config.phone_number_id}/messages", body)
        except OutcomeUnknown:
            await self._memory.remember_unsure(self._send.idempotency_key)
            raise

    async def _post_uploaded(
        self, body: JsonObject, one: Medium, refused: PlatformAnswer
    ) -> PlatformAnswer:
        """Send a medium once more with bytes of our own, where Meta could not fetch its link."""
        if not one.attachment.url:
            return refused
        try:
            media_id = await self._uploader().media_id_of_link(one)
        except ChannelError:
            return refused
        shown = body[one.kind]
        fields = shown if isinstance(shown, dict) else {}
        uploaded = {key: value for key, value in fields.items() if key != "link"}
        return await self._post({**body, one.kind: {**uploaded, "id": media_id}})

    def _uploader(self) -> Uploader:
        return Uploader(self._account, self._memory, self._send.attempt)

    async def _failure(self, refusal: Refusal, answer: PlatformAnswer) -> ChannelError:
        if refusal is Refusal.NO_ANSWER:
            await self._memory.remember_unsure(self._send.idempotency_key)
        error = error_for(refusal, answer, self._send.attempt)
        if refusal is Refusal.WINDOW and self._config.fallback_template:
            error.message += f"; {await self._invite()}"
        return error

    def _fallback_parameters(self) -> tuple[str, ...]:
        """Fill the gaps of the invitation: `{name}` is the person's, where it is known."""
        name = self._send.peer.name or self._send.peer.id
        given = self._config.fallback_parameters
        return tuple(one.strip().replace("{name}", name) for one in given.split("|") if one.strip())

    async def _invite(self) -> str:
        """Send the template that asks a person to write, and return what came of it.

        The message itself stays undelivered and says so: it can be replayed once they have.
        """
        name = self._config.fallback_template
        body = {
            "messaging_product": "whatsapp",
            **await self._address(),
            "type": "template",
            "template": self._template(Template(name, "", self._fallback_parameters())),
        }
        try:
            answer = await self._api.post(f"{self._config.phone_number_id}/messages", body)
        except ChannelError as error:
            return f"the template {name} may not have been sent: {error.message}"
        refusal = refusal_of(answer)
        if refusal is not None:
            return f"the template {name} was refused: {answer.code} {refusal}"
        return f"the template {name} was sent: replay this message when they have answered"


def _message_id(answer: PlatformAnswer) -> str:
    return next((string(one, "id") for one in objects(answer.document, "messages")), "")


def _kept(answer: PlatformAnswer) -> JsonObject:
    """Return what is worth keeping of an answer; `wa_id` may differ from the number dialled."""
    kept: JsonObject = {}
    for contact in objects(answer.document, "contacts"):
        kept["wa_id"] = string(contact, "wa_id")
        break
    for message in objects(answer.document, "messages"):
        if state := string(message, "message_status"):
            kept["message_status"] = state
        break
    return kept
