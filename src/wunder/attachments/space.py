"""Room for attachments: limits of disk and account, and the end of what nobody uses."""

import asyncio
from collections.abc import Sequence

from wunder.attachments.doors import AttachmentTable
from wunder.attachments.library import Library
from wunder.attachments.policy import AttachmentPolicy
from wunder.errors import Invalid, ProviderFault, WunderError
from wunder.model.attachment import StoredAttachment
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import AccountUid, At
from wunder.observe.logs import get_logger
from wunder.ports import Clock

log = get_logger(__name__)
_AT_ONCE = 100
#: A file is on the shelf before its row says so: what is younger may be on its way there (choice).
LITTER_AFTER_MS = 3_600_000
_TIDY_EVERY = 60  # sweeps


class Space:
    """Makes room, and keeps house."""

    def __init__(
        self, table: AttachmentTable, library: Library, clock: Clock, policy: AttachmentPolicy
    ) -> None:
        self._table = table
        self._library = library
        self._clock = clock
        self._policy = policy

    async def run(self) -> None:
        """Remove what was not used for long, until cancelled."""
        count = 0
        while True:
            await self._clock.sleep(self._policy.sweep_s)
            count += 1
            try:
                await self.sweep()
                if self._library.is_shared and count % _TIDY_EVERY == 0:
                    await self.tidy()
            except WunderError as error:
                log.warning("attachments_not_swept", reason=error.code)

    async def sweep(self) -> int:
        """One round; how many went."""
        before = At(self._clock.now() - self._policy.kept_s * 1000)
        total = 0
        while True:
            rows = await self._table.unused_since(before, _AT_ONCE)
            await self._forget(rows)
            total += len(rows)
            if len(rows) < _AT_ONCE:
                return total

    async def make_for(self, account_uid: AccountUid) -> None:
        """See that one more file of the largest size fits.

        Raises:
            ProviderFault: busy: the disk is nearly full, which may pass.
            Invalid: the account is full of attachments that are still in use.
        """
        if await asyncio.to_thread(self._library.files.free_bytes) < self._policy.free_floor_bytes:
            raise ProviderFault(Fault(FaultKind.BUSY, "the disk is nearly full", retry_after_s=60))
        limit = self._policy.max_account_bytes - self._policy.max_file_bytes
        used = await self._table.used_bytes(account_uid)
        settled = At(self._clock.now() - self._policy.settled_s * 1000)
        while used > limit:
            rows = await self._table.unused_since(settled, _AT_ONCE, account_uid)
            if not rows:
                raise Invalid("the account's attachments take all the room they may")
            gone = 0
            for count, row in enumerate(rows, 1):
                gone = count
                used -= row.size_bytes
                if used <= limit:
                    break
            await self._forget(rows[:gone])

    async def _forget(self, rows: Sequence[StoredAttachment]) -> None:
        """Rows first: a file without a row is litter, a row without its file a broken promise."""
        if not rows:
            return
        await self._table.remove([row.blob_id for row in rows])
        await self._library.forget([row.blob_id for row in rows])
        log.info("attachments_removed", count=len(rows))

    async def tidy(self) -> int:
        """Delete bytes that no row names: copies of what other nodes forgot, and what a crash left.

        Returns how many went.
        """
        before = At(self._clock.now() - LITTER_AFTER_MS)
        gone = 0
        for there in (await self._library.here(), await self._library.shelved(before)):
            for at in range(0, len(there), _AT_ONCE):
                some = there[at : at + _AT_ONCE]
                named = {row.blob_id for row in await self._table.find(some)}
                litter = [blob_id for blob_id in some if blob_id not in named]
                await self._library.forget(litter)
                gone += len(litter)
        if gone:
            log.info("attachment_litter_removed", count=gone)
        return gone
