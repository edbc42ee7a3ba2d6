"""Room 1, the waiting room: raw requests of platforms that do not wait, parsed when somebody can.

Source: delivery semantics, "Platforms that do not wait". Bounded and encrypted; parsed later with the
original `received_at`, so that signatures are still fresh.
"""

import msgspec

from wunder.errors import ProviderFault, StoreUnavailable
from wunder.inbound.intake import AccountParse, IntakeDesk, is_anything
from wunder.inbound.refusal import is_judgement
from wunder.model.account import Account
from wunder.model.fault import OUTAGES, Fault, FaultKind
from wunder.model.ids import At, RequestId, ordered_id
from wunder.model.intake import SpooledRequest, SpoolVerdict, spool_context
from wunder.model.provider import RawRequest
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.observe.outage import Outage
from wunder.ports import Accounts, Clock, EventLog, Intake, Providers, Sealer
from wunder.upkeep.admission import Gate

log = get_logger(__name__)


class SpoolPolicy(msgspec.Struct, frozen=True):
    """How often to look, how long to wait after a failure, and when to give up on a body."""

    poll_s: float = 1.0
    retry_base_s: float = 1.0
    retry_cap_s: float = 60.0
    crashes: int = 2  # a body present in two crashes is set aside
    tries: int = 50  # so is one that no provider ever managed to look at


class Spool:
    """Keeps raw requests, and parses them later."""

    def __init__(
        self, intake: Intake, sealer: Sealer, clock: Clock, events: EventLog, policy: SpoolPolicy
    ) -> None:
        self._intake = intake
        self._sealer = sealer
        self._clock = clock
        self._events = events
        self.policy = policy

    def now(self) -> At:
        """The wall clock of this room."""
        return self._clock.now()

    async def rest(self) -> None:
        """Wait until it is worth looking again."""
        await self._clock.sleep(self.policy.poll_s)

    async def keep(self, account: Account, request: RawRequest) -> bool:
        """Commit a raw request; False when it could not be kept, so it was not accepted."""
        spool_id = ordered_id(request.received_at)
        sealed = self._sealer.seal(
            msgspec.msgpack.encode(request), spool_context(account.uid, spool_id)
        )
        whose = (account.uid, account.row.channel, account.row.account_id)
        row = SpooledRequest(spool_id, *whose, sealed, request.received_at)
        try:
            return await self._intake.spool(row)
        except StoreUnavailable as error:
            log.warning("request_not_spooled", reason=error.code)
            return False

    async def due(self, limit: int) -> list[SpooledRequest]:
        """Requests whose time has come, at most one an account: order holds."""
        return await self._intake.due_spooled(self._clock.now(), limit)

    def unseal(self, row: SpooledRequest) -> RawRequest:
        """Open a kept request. Raises: StoreBroken."""
        plain = self._sealer.open(row.sealed, spool_context(row.account_uid, row.spool_id))
        return msgspec.msgpack.decode(plain, type=RawRequest)

    async def postpone(self, row: SpooledRequest, fault: FaultKind | None = None) -> None:
        """Try again later: with backoff after a failure of its own, soon where nobody could look."""
        is_try = fault is not None and fault not in OUTAGES
        verdict = SpoolVerdict.LATER if is_try else SpoolVerdict.NOT_READY
        wait_s = min(self.policy.retry_cap_s, self.policy.retry_base_s * 2.0 ** min(row.tries, 10))
        at = At(self._clock.now() + int(wait_s * 1000))
        await self._intake.settle_spooled(row, verdict, at, fault or "not_ready")

    async def end(self, row: SpooledRequest, verdict: SpoolVerdict, reason: str) -> None:
        """Remove a request that gave no messages, and say so."""
        now = self._clock.now()
        await self._intake.settle_spooled(row, verdict, now, reason)
        level = "warning" if verdict is SpoolVerdict.REFUSED else "error"
        self._events.record(
            Event(
                name=f"spooled_request_{verdict}",
                at=now,
                level=level,
                account_uid=row.account_uid,
                account_id=row.account_id,
                fields={"reason": reason},
            )
        )


class SpoolWorker:
    """Parses what was spooled, oldest first, one request of an account at a time."""

    def __init__(
        self, spool: Spool, desk: IntakeDesk, accounts: Accounts, providers: Providers, gate: Gate
    ) -> None:
        self._gate = gate
        self._outage = Outage(log, "spool")
        self._spool = spool
        self._desk = desk
        self._accounts = accounts
        self._providers = providers

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            worked = 0
            with self._outage:
                for row in await self._spool.due(limit=16):
                    worked += await self._parse(row)
            if not worked:
                await self._spool.rest()

    async def _parse(self, row: SpooledRequest) -> bool:
        """Parse one request; False when it has to wait."""
        account = self._accounts.get(row.account_uid)
        provider = self._providers.serving(row.channel)
        if account is None:
            await self._spool.end(row, SpoolVerdict.REFUSED, "account_gone")
            return True
        may_come = account.row.status == "enabled" and self._gate.has_room(row.account_uid)
        if provider is None or not may_come:
            await self._spool.postpone(row)
            return False
        request = self._spool.unseal(row)
        try:
            parsed = await provider.parse_inbound(account, request)
        except ProviderFault as error:
            return await self._not_parsed(row, error.fault)
        parses = (AccountParse(account, provider.facts, parsed),)
        if not is_anything(parses):
            await self._spool.end(row, SpoolVerdict.REFUSED, parsed.ignored or "ignored")
            return True
        await self._desk.take_in(RequestId(row.spool_id), row.received_at, parses, row.spool_id)
        return True

    async def _not_parsed(self, row: SpooledRequest, fault: Fault) -> bool:
        if is_judgement(fault.kind) and fault.kind not in OUTAGES:
            await self._spool.end(row, SpoolVerdict.REFUSED, fault.kind)
            return True
        is_crash = fault.kind is FaultKind.PLUGIN_CRASHED
        allowed = self._spool.policy.crashes if is_crash else self._spool.policy.tries
        if fault.kind not in OUTAGES and row.tries + 1 >= allowed:
            await self._spool.end(row, SpoolVerdict.QUARANTINED, fault.kind)
            return True
        await self._spool.postpone(row, fault.kind)
        return False
