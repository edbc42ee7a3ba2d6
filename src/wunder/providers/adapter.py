"""The ChannelProvider port over calls of protocol 1, whoever answers them.

Built-in and plugin differ only in who answers: the same translation, the same faults, the same
semantics (row C4).
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, TypeVar

import msgspec

from wunder.errors import ProviderFault
from wunder.model.account import Account
from wunder.model.delivery import ClaimedDelivery
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import MAX_PROVIDER_MESSAGE_ID, AccountUid, At
from wunder.model.message import Attachment, InboundMessage, OutboundMessage
from wunder.model.provider import (
    Activity,
    ConfigFault,
    ConfigVerdict,
    Fetched,
    Parsed,
    ProviderFacts,
    ProviderHealth,
    RawRequest,
    Sent,
    WebhookAnswer,
)
from wunder.model.redaction import struck
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import Clock, EventLog, PluginBlobs
from wunder.providers.translation import (
    answer_from_wire,
    from_wire_parse,
    names_a_stranger,
    to_wire_account,
    to_wire_activity,
    to_wire_attachment,
    to_wire_edit,
    to_wire_message,
    to_wire_request,
    to_wire_send,
)
from wunder_wire import methods

log = get_logger(__name__)
R = TypeVar("R")
MAX_RAW_RESULT_BYTES = 16_384
_JSON = msgspec.json.Encoder()


class Surroundings(msgspec.Struct, frozen=True):
    """What every provider needs of the gateway."""

    clock: Clock
    events: EventLog
    blobs: PluginBlobs
    max_message_bytes: int = 524_288


class ProviderAdapter:
    """Asks in our words, translates, calls. Subclasses say who answers."""

    #: Nothing becomes text between us and who answers.
    is_here = False

    def __init__(self, facts: ProviderFacts, surroundings: Surroundings) -> None:
        self.facts = facts  # what the manifest says
        self._surroundings = surroundings

    async def parse_inbound(self, account: Account, request: RawRequest) -> Parsed:
        """Verify and parse a webhook request. Raises: ProviderFault."""
        asked = to_wire_request(request, as_bytes=self.is_here)
        params = methods.ParseParams(to_wire_account(account), asked)
        result = await self._ask("channel.parse_inbound", params, methods.ParseResult, account)
        if names_a_stranger(result, account):
            self._report_stranger(account)
            words = "A message names another channel or account than the call's own."
            raise ProviderFault(Fault(FaultKind.BAD_PARAMS, words))
        return from_wire_parse(result, account, request, self._surroundings.max_message_bytes)

    async def identify_account(self, request: RawRequest) -> tuple[str, str] | None:
        """Ask which account a provider-wide webhook is for. Raises: ProviderFault."""
        params = methods.IdentifyParams(to_wire_request(request))
        result = await self._call("channel.identify_account", params, methods.IdentifyResult, "")
        return (result.lookup.key, result.lookup.value) if result.lookup else None

    async def render_inline_reply(
        self, account: Account, request: RawRequest, message: OutboundMessage
    ) -> WebhookAnswer:
        """Word a reply that travels in the webhook's own response. Raises: ProviderFault."""
        params = methods.RenderParams(
            to_wire_account(account), to_wire_request(request), to_wire_message(message)
        )
        with self._lent(account, message):
            result = await self._ask(
                "channel.render_inline_reply", params, methods.RenderResult, account
            )
        answer = answer_from_wire(result.immediate_response)
        if answer is None:
            raise ProviderFault(Fault(FaultKind.BAD_PARAMS, "The reply breaks rule 1."))
        return answer

    async def send_outbound(self, account: Account, delivery: ClaimedDelivery) -> Sent:
        """Send one platform message. Raises: ProviderFault."""
        params = to_wire_send(account, delivery)
        with self._lent(account, delivery.message):
            result = await self._ask("channel.send_outbound", params, methods.SendResult, account)
        raw = result.raw_result
        if raw is not None and len(_JSON.encode(raw)) > MAX_RAW_RESULT_BYTES:
            raw = {"truncated": True}
        return Sent(
            provider_message_id=(result.provider_message_id or "")[:MAX_PROVIDER_MESSAGE_ID],
            raw_result=struck(raw, account.secrets),
            next_state=result.next.state if result.next else None,
        )

    def send_room(self, account_uid: AccountUid) -> int:
        """How many sends of this account would go out now."""
        return sys.maxsize

    async def validate_account_config(
        self, account: Account, mode: Literal["static", "live"]
    ) -> ConfigVerdict:
        """Let the channel judge a configuration. Raises: ProviderFault."""
        params = methods.ValidateParams(to_wire_account(account), mode)
        result = await self._ask(
            "channel.validate_account_config", params, methods.ValidateResult, account
        )
        identity = result.identity
        return ConfigVerdict(
            is_ok=result.ok and not result.errors,
            errors=tuple(ConfigFault(f.path, f.code, f.message) for f in result.errors),
            warnings=tuple(ConfigFault(f.path, f.code, f.message) for f in result.warnings),
            external_id=identity.external_id if identity else "",
            display_name=(identity.display_name or "") if identity else "",
        )

    async def health(self) -> ProviderHealth:
        """Ask how the channel is. Raises: ProviderFault."""
        result = await self._call("plugin.health", methods.Empty(), methods.HealthResult, "")
        worst = next((c for c in result.checks if c.status != "ok"), None)
        return ProviderHealth(result.status, f"{worst.name}: {worst.detail}" if worst else "")

    async def fetch_attachment(
        self, account: Account, attachment: Attachment, transfer_id: str
    ) -> Fetched:
        """Have a received attachment's bytes written to a transfer. Raises: ProviderFault."""
        source = to_wire_attachment(attachment)
        params = methods.FetchParams(to_wire_account(account), source, transfer_id)
        result = await self._ask("channel.fetch_attachment", params, methods.FetchResult, account)
        return Fetched(result.size, result.sha256, result.mime or "", result.name or "")

    async def edit_outbound(
        self, account: Account, delivery: ClaimedDelivery, at: At, is_final: bool
    ) -> None:
        """Replace what shows a reply by its text now. Raises: ProviderFault."""
        params = to_wire_edit(account, delivery, at, is_final)
        with self._lent(account, delivery.message):
            await self._ask("channel.edit_outbound", params, methods.Empty, account)

    async def send_activity(
        self, account: Account, message: InboundMessage, kind: Activity
    ) -> None:
        """Show "typing", or mark a message as read. Raises: ProviderFault."""
        params = to_wire_activity(account, message, kind)
        await self._ask("channel.send_activity", params, methods.Empty, account)

    def _lent(self, account: Account, message: OutboundMessage) -> AbstractContextManager[None]:
        """Let the channel read what this message carries, while it works on it."""
        if not message.attachments:
            return nullcontext()
        return self._surroundings.blobs.lend(self.facts.channel, account.uid, message.attachments)

    async def _ask(self, method: str, params: object, result: type[R], account: Account) -> R:
        """Call for an account: its secrets are in no fault. Raises: ProviderFault."""
        try:
            return await self._call(method, params, result, account.uid)
        except ProviderFault as error:
            fault = error.fault
            words = struck(fault.message, account.secrets)
            raise ProviderFault(msgspec.structs.replace(fault, message=words)) from None

    async def _call(self, method: str, params: object, result: type[R], account_uid: str) -> R:
        """Call a method of protocol 1. Raises: ProviderFault."""
        raise NotImplementedError

    def _report_stranger(self, account: Account) -> None:
        log.error("provider_named_another_account", account_id=account.row.account_id)
        whose = (*self.facts.release.parts, account.uid, account.row.account_id)
        at, name = self._surroundings.clock.now(), "provider_named_another_account"
        self._surroundings.events.record(Event(name, at, "error", *whose))
