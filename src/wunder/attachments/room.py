"""The whole room, put together: what the composition root asks for."""

import asyncio
from collections.abc import Callable

from wunder.attachments.blobs import BlobDoor
from wunder.attachments.desk import AttachmentDesk
from wunder.attachments.doors import AttachmentTable
from wunder.attachments.fetching import Fetcher, Whereabouts
from wunder.attachments.library import Library
from wunder.attachments.links import SignedLinks
from wunder.attachments.media import MediaDesk
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.space import Space
from wunder.attachments.transfers import Transfers
from wunder.ports import Clock


class AttachmentRoom:
    """The store of attachments and everything that works on it.

    `blobs` is for providers, `media` for the rooms, `desk` for the API; `watch` completes it.
    """

    def __init__(
        self,
        table: AttachmentTable,
        library: Library,
        key: bytes,
        base_url: Callable[[], str],
        clock: Clock,
        policy: AttachmentPolicy,
    ) -> None:
        self._table = table
        self._clock = clock
        self._policy = policy
        self._library = library
        self._transfers = Transfers(library.files, clock, policy)
        self._fetcher: Fetcher | None = None
        links = SignedLinks(key, base_url, clock, policy.url_s)
        self.space = Space(table, library, clock, policy)
        self.blobs = BlobDoor(self._transfers, library, table)
        self.media = MediaDesk(table, library, links.link, self._wake, clock)
        self.desk = AttachmentDesk(table, library, links, self.space, clock, policy)
        library.files.prepare()

    def watch(self, whereabouts: Whereabouts) -> None:
        """Name those from whom attachments are fetched; they need `blobs` first."""
        self._fetcher = Fetcher(
            self._table, whereabouts, self._transfers, self.space, self._clock, self._policy
        )
        if self._library.is_shared:
            self._fetcher.share_by(self._library.share)
        self._fetcher.on_settled = self.media.settled

    async def run(self) -> None:
        """Fetch and keep house until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.space.run(), name="attachment space")
            if self._fetcher is not None:
                tasks.create_task(self._fetcher.run(), name="attachment fetcher")

    def _wake(self) -> None:
        if self._fetcher is not None:
            self._fetcher.wake()
