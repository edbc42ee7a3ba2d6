"""What the console stands on: people, the live feed, figures by the minute, and users' own part."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from wunder.accounts.agents import AgentDesk
from wunder.accounts.bindings import BindingDesk
from wunder.accounts.book import AccountBook
from wunder.accounts.desk import AccountDesk
from wunder.accounts.own import OwnDesk
from wunder.api.parts import ApiPolicy
from wunder.api.sources import source_key
from wunder.app.stores import Store
from wunder.config import Config
from wunder.errors import ConfigInvalid
from wunder.feed.frames import Figures
from wunder.feed.hub import FeedHub
from wunder.feed.minutes import Minutes
from wunder.model.ids import AccountUid
from wunder.observe.metrics import Metrics
from wunder.people.noticed import NoticedEvents
from wunder.people.oidc import Fetches, OidcDesk
from wunder.people.room import open_room
from wunder.ports import Clock

ANY_HOST = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
#: The command line on the same machine comes by these, whatever names are served besides.
_LOCAL = ("localhost", "127.0.0.1", "::1")


def outside_sign_in(
    config: Config, http: Fetches, clock: Clock, own_url: Callable[[], str]
) -> OidcDesk | None:
    """Return sign-in by another server, None where none is set up. Raises: ConfigInvalid."""
    policy = config.oidc
    if not policy.issuer:
        return None
    if not policy.client_id or not policy.client_secret_file:
        raise ConfigInvalid("oidc.issuer is set: oidc.client_id and oidc.client_secret_file too.")
    try:
        secret = Path(policy.client_secret_file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid("oidc.client_secret_file cannot be read.") from error
    return OidcDesk(policy, secret, http, clock, own_url)


def api_policy(config: Config) -> ApiPolicy:
    """Return the API's settings; hosts that platforms and people were told to call need no naming."""
    server, policy = config.server, config.api
    told = (urlsplit(server.public_url).hostname or "", server.host)
    hosts = (
        *_LOCAL,
        *policy.allowed_hosts,
        *(host for host in told if host and host not in ANY_HOST),
    )
    return msgspec.structs.replace(policy, allowed_hosts=hosts)


class ConsoleSide:
    """Built once by the gateway; `noticed` goes to every desk whose changes the audit tells."""

    def __init__(
        self,
        store: Store,
        accounts: AccountBook,
        metrics: Metrics,
        clock: Clock,
        config: Config,
        oidc: OidcDesk | None,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self.noticed = NoticedEvents(store.events)
        room = open_room(store, self.noticed, clock, config.people, self._owns, source_key)
        self.people = replace(room, oidc=oidc)
        self.minutes = Minutes(metrics, clock, store.health.figures)
        self.hub = FeedHub(store.events, self.people.sign_in.living, self._counted, clock)

    def parts(
        self,
        accounts: AccountDesk,
        bindings: BindingDesk,
        agents: AgentDesk,
        parked: Callable[[], list[AccountUid]],
    ) -> dict[str, Any]:
        """Return what of ApiParts is built here; `own` is the administrators' desks as one user sees them."""
        return {
            "people": self.people,
            "own": OwnDesk(accounts, bindings, agents, self._store.visibility),
            "hub": self.hub,
            "feed": self._store.events,
            "activity": self._store.activity,
            "parked": parked,
            "minutes": self.minutes,
            "audit": self._store.audit,
            "visibility": self._store.visibility,
            "noticed": self.noticed,
            "owner_of": self.owner_of,
        }

    def long_lived(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what runs until the gateway stops, by name."""
        return {"live feed": self.hub.run(), "figures by the minute": self.minutes.run()}

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
