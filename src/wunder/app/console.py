"""What the console stands on: people, the live feed, figures by the minute, and users' own part."""

from wunder.accounts.agents import AgentDesk
from wunder.accounts.bindings import BindingDesk
from wunder.accounts.book import AccountBook
from wunder.accounts.desk import AccountDesk
from wunder.accounts.own import OwnDesk
from wunder.api.sources import source_key
from wunder.app.stores import Store
from wunder.feed.frames import Figures
from wunder.feed.hub import FeedHub
from wunder.feed.minutes import Minutes
from wunder.model.ids import AccountUid
from wunder.observe.metrics import Metrics
from wunder.people.noticed import NoticedEvents
from wunder.people.policy import PeoplePolicy
from wunder.people.room import open_room
from wunder.ports import Clock


class ConsoleSide:
    """Built once by the gateway; `noticed` goes to every desk whose changes the audit tells."""

    def __init__(
        self,
        store: Store,
        accounts: AccountBook,
        metrics: Metrics,
        clock: Clock,
        policy: PeoplePolicy,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self.noticed = NoticedEvents(store.events)
        self.people = open_room(store, self.noticed, clock, policy, self._owns, source_key)
        self.minutes = Minutes(metrics, clock)
        self.hub = FeedHub(store.events, self.people.sign_in.living, self._counted, clock)

    def own(self, accounts: AccountDesk, bindings: BindingDesk, agents: AgentDesk) -> OwnDesk:
        """Return the administrators' desks as one user sees them."""
        return OwnDesk(accounts, bindings, agents, self._store.visibility)

    def owner_of(self, account_uid: AccountUid) -> str:
        """Return the user who owns an account, "" for an administrators' one or one that is gone."""
        row = self._accounts.row(account_uid)
        return row.owner_user_id if row is not None else ""

    def _owns(self, user_id: str) -> bool:
        return any(row.owner_user_id == user_id for row in self._accounts.rows())

    def _counted(self) -> Figures:
        # Rows by state; what the store counts of itself changes with every look.
        kept = self._store.health.figures().items()
        rows = {name: value for name, value in kept if name.startswith("channel_")}
        return Figures(rows, self.minutes.last())
