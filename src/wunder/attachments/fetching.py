"""Fetches what messages brought, after they were taken in: no webhook waits for media."""

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from wunder.attachments.doors import AttachmentTable
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.rules import Verdict, after_fault
from wunder.attachments.sniff import media_type, safe_name
from wunder.attachments.space import Space
from wunder.attachments.transfers import Transfer, Transfers
from wunder.errors import Invalid, ProviderFault, StoreUnavailable
from wunder.model.account import Account
from wunder.model.attachment import AttachmentState, StoredAttachment
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import AccountUid, At, BlobId
from wunder.model.message import Attachment
from wunder.model.provider import Fetched
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.observe.outage import Outage
from wunder.ports import Accounts, ChannelProvider, Clock, EventLog, Providers, WakeUp

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Awaitable, Callable

log = get_logger(__name__)
CAPABILITY = "fetch_attachment"
_CLAIM_SLACK_MS = 15_000
_GONE = Fault(FaultKind.FORBIDDEN, "the account is gone")
_NOT_SERVED = Fault(FaultKind.NOT_READY, "no provider serves this account now")
_CANNOT = Fault(FaultKind.UNSUPPORTED_FEATURE, "this channel fetches no attachments")


class Whereabouts(msgspec.Struct, frozen=True):
    """Whom the fetcher asks, and whom it tells."""

    accounts: Accounts
    providers: Providers
    events: EventLog


class Fetcher:
    """Fetches each attachment at least once, and ends it: stored or failed."""

    def __init__(
        self,
        table: AttachmentTable,
        whereabouts: Whereabouts,
        transfers: Transfers,
        space: Space,
        clock: Clock,
        policy: AttachmentPolicy,
    ) -> None:
        self._table = table
        self._around = whereabouts
        self._transfers = transfers
        self._space = space
        self._clock = clock
        self._policy = policy
        self._running: dict[BlobId, AccountUid] = {}
        self._wake = WakeUp()
        self._outage = Outage(log, "attachments")
        self._tasks: TaskGroup | None = None
        self._share: Callable[[BlobId], Awaitable[None]] | None = None
        self.on_settled: Callable[[StoredAttachment], None] = lambda row: None

    def share_by(self, share: "Callable[[BlobId], Awaitable[None]]") -> None:
        """Fetch for other nodes too: each attachment on one node only, then shared with the rest."""
        self._share = share

    def wake(self) -> None:
        """Say that something waits to be fetched."""
        self._wake.set()

    async def run(self) -> None:
        """Fetch whatever is due until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                with self._outage:
                    await self._start_due(self._tasks)
                await self._wake.pause(self._policy.poll_s)

    async def _start_due(self, tasks: "TaskGroup") -> None:
        room = self._policy.fetches_at_once - len(self._running)
        if room <= 0:
            return
        # Those under way are still due: look behind them.
        wanted = room + len(self._running) + self._policy.fetches_at_once
        # What ends while the rows are read may still stand in them as waiting.
        known = set(self._running)
        for row in await self._table.due(self._clock.now(), wanted):
            under_way = Counter(self._running.values())
            is_full = under_way[row.account_uid] >= self._policy.fetches_per_account
            if row.blob_id in known or row.blob_id in self._running or is_full:
                continue
            self._running[row.blob_id] = row.account_uid
            tasks.create_task(self._carry(row), name=f"fetch {row.blob_id}")
            room -= 1
            if room <= 0:
                return

    async def _carry(self, row: StoredAttachment) -> None:
        try:
            if self._share is None or await self._table.claim(row, self._claimed_until()):
                await self._settle(await self._ended(row))
        except StoreUnavailable as error:
            # The row still waits and is due: it is fetched again, but not at once.
            log.warning("attachment_not_stored", blob_id=row.blob_id, reason=error.code)
            await self._clock.sleep(self._policy.poll_s)
        except Exception:
            log.exception("fetch_failed_inside", blob_id=row.blob_id)
            await self._settle(self._after(row, Fault(FaultKind.INTERNAL, "failed inside")))
        finally:
            self._running.pop(row.blob_id, None)
            self._wake.set()

    def _claimed_until(self) -> At:
        """Longer than a fetch may take: a node that dies meanwhile leaves it to the others then."""
        return At(self._clock.now() + int(self._policy.transfer_s * 1000) + _CLAIM_SLACK_MS)

    async def _ended(self, row: StoredAttachment) -> StoredAttachment:
        account = self._around.accounts.get(row.account_uid)
        if account is None or row.source is None:
            return self._after(row, _GONE)
        provider = self._around.providers.serving(account.row.channel)
        if provider is None or account.row.status != "enabled":
            return self._after(row, _NOT_SERVED)
        if not provider.facts.capabilities.get(CAPABILITY):
            return self._after(row, _CANNOT)
        transfer: Transfer | None = None
        try:
            await self._space.make_for(row.account_uid)
            transfer = await self._transfers.begin(account.row.channel)
            fetched = await _fetch(provider, account, row.source, transfer)
            await self._transfers.keep(transfer, row.blob_id)
            if self._share is not None:
                await self._share(row.blob_id)
        except ProviderFault as error:
            return self._after(row, error.fault)
        except Invalid as error:
            return self._after(row, Fault(FaultKind.QUOTA, error.detail))
        finally:
            if transfer is not None:
                await self._transfers.drop(transfer)
        return self._stored(row, row.source, fetched, transfer)

    def _stored(
        self, row: StoredAttachment, source: Attachment, fetched: Fetched, transfer: Transfer
    ) -> StoredAttachment:
        claimed = fetched.mime or source.mime or ""
        return msgspec.structs.replace(
            row,
            state=AttachmentState.STORED,
            name=safe_name(fetched.name or source.name or ""),
            mime=media_type(transfer.head, claimed),
            size_bytes=transfer.size_bytes,
            sha256=transfer.sha256,
            used_at=self._clock.now(),
            error="",
        )

    def _after(self, row: StoredAttachment, fault: Fault) -> StoredAttachment:
        now = self._clock.now()
        jitter = random.random()  # noqa: S311 - jitter, no secret
        verdict: Verdict = after_fault(fault, row, now, jitter, self._policy)
        state = AttachmentState.WAITING if verdict.retry_at else AttachmentState.FAILED
        return msgspec.structs.replace(
            row,
            state=state,
            tries=row.tries + int(verdict.uses_try),
            retry_at=verdict.retry_at or At(0),
            error=fault.kind.value,
        )

    async def _settle(self, row: StoredAttachment) -> None:
        await self._table.put(row)
        log.info(
            "attachment_settled",
            blob_id=row.blob_id,
            state=row.state,
            size_bytes=row.size_bytes,
            kind=row.error,
        )
        if row.state is AttachmentState.FAILED:
            self._record(row)
        self.on_settled(row)

    def _record(self, row: StoredAttachment) -> None:
        account = self._around.accounts.get(row.account_uid)
        if account is None:
            return
        provider = self._around.providers.serving(account.row.channel)
        release = provider.facts.release if provider else None
        self._around.events.record(
            Event(
                name="attachment_not_fetched",
                at=self._clock.now(),
                level="warning",
                plugin_id=release.plugin_id if release else "",
                version=release.version if release else "",
                account_uid=row.account_uid,
                account_id=account.row.account_id,
                message_id=row.message_id,
                fields={"blob_id": row.blob_id, "kind": row.error, "tries": row.tries},
            )
        )


async def _fetch(
    provider: ChannelProvider, account: Account, source: Attachment, transfer: Transfer
) -> Fetched:
    """Have the channel write the bytes, and compare what it says with what came."""
    fetched = await provider.fetch_attachment(account, source, transfer.transfer_id)
    is_same = (fetched.size_bytes, fetched.sha256) == (transfer.size_bytes, transfer.sha256)
    if not (transfer.is_whole and is_same):
        words = "the channel says it wrote something else than what arrived"
        raise ProviderFault(Fault(FaultKind.BAD_FRAME, words))
    return fetched
