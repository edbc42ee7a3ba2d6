"""Drafts: accounts that were saved while their channel could not be asked are judged when it is back."""

from wunder.accounts.book import AccountBook
from wunder.accounts.desk import AccountDesk
from wunder.errors import Conflict, Invalid, WunderError
from wunder.model.account import AccountRow
from wunder.model.trail import Event
from wunder.observe.logs import get_logger
from wunder.ports import Clock, EventLog, Providers

log = get_logger(__name__)
#: Looking costs a walk over the accounts in memory; only drafts whose channel serves cost more.
LOOK_EVERY_S = 5.0
#: What a draft was judged under: a new revision or another release is judged anew.
_Seen = tuple[int, str]


class Drafts:
    """Enables a draft as soon as its channel has no objection, and says so where it has one."""

    def __init__(
        self,
        desk: AccountDesk,
        book: AccountBook,
        providers: Providers,
        events: EventLog,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._book = book
        self._providers = providers
        self._events = events
        self._clock = clock
        self._refused: dict[str, _Seen] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> int:
        """Judge every draft whose channel serves; how many were enabled."""
        drafts = [row for row in self._book.rows() if row.status == "draft"]
        there = {row.account_uid for row in drafts}
        self._refused = {uid: seen for uid, seen in self._refused.items() if uid in there}
        return sum([await self._judge(row) for row in drafts])

    async def _judge(self, row: AccountRow) -> bool:
        provider = self._providers.serving(row.channel)
        if provider is None:
            return False
        seen = (row.rev, provider.facts.release.version)
        if self._refused.get(row.account_uid) == seen:
            return False
        try:
            return await self._desk.enable_draft(row)
        except (Invalid, Conflict) as error:
            if isinstance(error, Conflict) and error.reason == "rev":
                return False  # somebody, or another node, was faster
            self._refused[row.account_uid] = seen
            self._say(row, error)
        except WunderError as error:
            log.warning("draft_not_judged", account_id=row.account_id, reason=error.code)
        return False

    def _say(self, row: AccountRow, error: Invalid | Conflict) -> None:
        places = [fault.pointer for fault in error.faults] if isinstance(error, Invalid) else []
        self._events.record(
            Event(
                name="draft_refused",
                at=self._clock.now(),
                level="warning",
                plugin_id=row.channel,
                account_uid=row.account_uid,
                account_id=row.account_id,
                fields={"code": error.code, "fields": places},
            )
        )
        log.warning("draft_refused", channel=row.channel, account_id=row.account_id, fields=places)
