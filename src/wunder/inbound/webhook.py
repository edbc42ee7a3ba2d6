"""Room 1, door A: ask the provider what a webhook request holds, commit it, answer the platform."""

import msgspec

from wunder.errors import ProviderFault, RequestRefused, StoreUnavailable
from wunder.inbound.account_choice import choose_accounts, sharing
from wunder.inbound.inline import Held, InlineDesk
from wunder.inbound.intake import AccountParse, IntakeDesk, is_anything
from wunder.inbound.refusal import RETRY_AFTER_S, comes_again_after_s, is_judgement, refusal_of
from wunder.inbound.spool import Spool
from wunder.model.account import Account
from wunder.model.delivery import InlineStanding
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import ChannelId, RequestId, ordered_id
from wunder.model.intake import Taken, TakenIn
from wunder.model.provider import ProviderFacts, RawRequest, WebhookAnswer
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.observe.metrics import Metrics
from wunder.ports import Accounts, ChannelProvider, EventLog, Providers
from wunder.upkeep.admission import Gate

log = get_logger(__name__)
MAX_BODY_BYTES = 5 * 1_048_576
DROPPED = WebhookAnswer(0)
_ACCEPTED = WebhookAnswer(200)
FORGED = frozenset({FaultKind.SIGNATURE_INVALID})
#: Of a shared request, what only says that it is not this account's.
SOMEBODY_ELSES = frozenset({FaultKind.SIGNATURE_INVALID, FaultKind.FORBIDDEN})


class Directory(msgspec.Struct, frozen=True):
    """Whom room 1 asks: accounts and who serves their channels."""

    accounts: Accounts
    providers: Providers


class WaitingRooms(msgspec.Struct, frozen=True):
    """Where requests wait: before the gate, kept for later parsing, or held for their reply."""

    gate: Gate
    spool: Spool
    inline: InlineDesk


class Webhooks:
    """Receives every platform's requests; knows no platform."""

    def __init__(
        self,
        directory: Directory,
        waiting: WaitingRooms,
        desk: IntakeDesk,
        events: EventLog,
        metrics: Metrics,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._directory = directory
        self._desk = desk
        self._gate = waiting.gate
        self._spool = waiting.spool
        self._inline = waiting.inline
        self._events = events
        self._metrics = metrics
        self._max_body_bytes = max_body_bytes
        self._away: set[ChannelId] = set()  # said once when it starts, once when it ends

    def body_limit(self, channel: str) -> int:
        """How many body bytes this channel may post.

        Raises:
            RequestRefused: 404, no such channel.
        """
        return min(self._facts(ChannelId(channel)).body_bytes, self._max_body_bytes)

    async def receive(
        self, channel: str, path_account: str | None, request: RawRequest
    ) -> WebhookAnswer:
        """Take a request in: verified, parsed, committed, and only then answered.

        An answer with status 0 means: close the connection without one.

        Raises:
            RequestRefused: what the platform, or its administrator, has to know.
        """
        channel_id = ChannelId(channel)
        facts = self._facts(channel_id)
        provider = self._directory.providers.serving(channel_id)
        chosen = await choose_accounts(
            self._directory.accounts, channel_id, provider, path_account, request
        )
        if provider is None:
            raise RequestRefused(503, "channel_disabled", retry_after_s=60)
        refused = self._gate.refusal(chosen[0].uid)
        if refused is not None:
            return await self._later(facts, chosen[0], request, refused)
        request_id = RequestId(ordered_id(request.received_at))
        try:
            candidates = sharing(chosen, self._directory.accounts, provider.facts)
            parses = await _parse(provider, candidates, request)
        except ProviderFault as error:
            return await self._not_parsed(facts, chosen[0], request, error.fault)
        if channel_id in self._away:
            self._away.discard(channel_id)
            log.info("channel_available", channel=channel_id)
        try:
            answer, taken = await self._commit(request_id, request, parses)
        except StoreUnavailable as error:
            refused = RequestRefused(503, error.code, retry_after_s=RETRY_AFTER_S)
            return await self._later(facts, chosen[0], request, refused)
        inline = parses[0].parsed.inline
        if inline is None or taken is None:
            return answer
        return await self._carry_reply(provider, request, parses[0], taken) or answer

    async def answered(self, ticket: str, *, is_written: bool) -> None:
        """Learn whether the response with this reply was handed to the transport."""
        await self._inline.handed_over(ticket, is_written=is_written)

    def _facts(self, channel: ChannelId) -> ProviderFacts:
        facts = self._directory.providers.facts(channel)
        if facts is not None:
            return facts
        raise RequestRefused(404, "channel_unknown", "No channel of this name is installed.")

    async def _commit(
        self, request_id: RequestId, request: RawRequest, parses: tuple[AccountParse, ...]
    ) -> tuple[WebhookAnswer, TakenIn | None]:
        immediate = next((p.parsed.immediate for p in parses if p.parsed.immediate), None)
        if not is_anything(parses):
            self._metrics.webhook_requests.inc("challenge" if immediate else "ignored")
            return immediate or _ACCEPTED, None
        taken = await self._desk.take_in(request_id, request.received_at, parses)
        if taken.is_behind_spool:
            return await self._queue_behind(request, parses, immediate), None
        for parse in parses:
            self._gate.accepted(parse.account.uid, len(parse.parsed.messages))
        is_new = any(result is Taken.ACCEPTED for result in taken.results.values())
        self._metrics.webhook_requests.inc("accepted" if is_new else "duplicate")
        return immediate or _ACCEPTED, taken

    async def _queue_behind(
        self, request: RawRequest, parses: tuple[AccountParse, ...], immediate: WebhookAnswer | None
    ) -> WebhookAnswer:
        """Keep an authentic request behind those that wait in the spool: order holds."""
        for parse in parses:
            if not await self._spool.keep(parse.account, request):
                refused = RequestRefused(503, "spool_full", retry_after_s=RETRY_AFTER_S)
                return self._turned_away(parse.facts, refused)
        self._metrics.webhook_requests.inc("spooled")
        return immediate or _ACCEPTED

    async def _carry_reply(
        self, provider: ChannelProvider, request: RawRequest, parse: AccountParse, taken: TakenIn
    ) -> WebhookAnswer | None:
        """Hold the webhook for its reply; None: answer as usual, the reply goes the normal way."""
        window = parse.parsed.inline
        held_ids = [taken.originals.get(message_id, message_id) for message_id in taken.results]
        if window is None or len(held_ids) != 1:
            return None
        held = Held(held_ids[0], parse, provider, request, window)
        answer = await self._inline.answer(held)
        if isinstance(answer, WebhookAnswer):
            return answer
        comes_again = window.until > window.answer_by and answer is InlineStanding.WAITING
        return DROPPED if comes_again and not self._is_last(held) else None

    def _is_last(self, held: Held) -> bool:
        """True when no repeat of this request can come in time to carry the reply."""
        left_ms = held.window.until - self._spool.now()
        return left_ms < held.window.answer_by - held.request.received_at

    async def _not_parsed(
        self, facts: ProviderFacts, account: Account, request: RawRequest, fault: Fault
    ) -> WebhookAnswer:
        if is_judgement(fault.kind):
            self._note_refusal(facts, account, fault)
            raise refusal_of(fault)
        if facts.channel not in self._away:
            self._away.add(facts.channel)
            log.warning("channel_unavailable", channel=facts.channel, kind=fault.kind)
        wait_s = comes_again_after_s(fault)
        refused = RequestRefused(503, f"provider_{fault.kind}", retry_after_s=wait_s)
        return await self._later(facts, account, request, refused)

    async def _later(
        self, facts: ProviderFacts, account: Account, request: RawRequest, refused: RequestRefused
    ) -> WebhookAnswer:
        """Keep what no platform brings again; else say when to come, or nothing at all."""
        ack = facts.ack if facts.redelivery != "long" else None
        if ack is not None and await self._spool.keep(account, request):
            self._metrics.webhook_requests.inc("spooled")
            return WebhookAnswer(ack.status, ack.content_type, ack.body, is_verified=False)
        return self._turned_away(facts, refused)

    def _turned_away(self, facts: ProviderFacts, refused: RequestRefused) -> WebhookAnswer:
        """Answer what cannot be taken: some platforms show people any answer but none."""
        if facts.when_unavailable == "drop":
            self._metrics.webhook_requests.inc("dropped")
            return DROPPED
        self._metrics.webhook_requests.inc("unavailable")
        raise refused

    def _note_refusal(self, facts: ProviderFacts, account: Account, fault: Fault) -> None:
        is_forged = fault.kind is FaultKind.SIGNATURE_INVALID
        self._metrics.webhook_requests.inc("signature" if is_forged else "malformed")
        whose = (*facts.release.parts, account.uid, account.row.account_id)
        at, fields = self._spool.now(), {"kind": fault.kind}
        self._events.record(Event("webhook_refused", at, "warning", *whose, fields=fields))


async def _parse(
    provider: ChannelProvider, candidates: tuple[Account, ...], request: RawRequest
) -> tuple[AccountParse, ...]:
    """The first candidate whose signature holds wins; where requests are shared, each of them.

    Raises:
        ProviderFault: the last refusal, where nobody's signature holds; any other fault at once.
    """
    verified: list[AccountParse] = []
    refused: ProviderFault | None = None
    not_for_it = SOMEBODY_ELSES if provider.facts.shares_requests else FORGED
    for account in candidates:
        try:
            parsed = await provider.parse_inbound(account, request)
        except ProviderFault as error:
            if error.fault.kind not in not_for_it:
                raise
            refused = error
            continue
        verified.append(AccountParse(account, provider.facts, parsed))
        if not provider.facts.shares_requests:
            break
    if not verified and refused is not None:
        raise refused
    return tuple(verified)
