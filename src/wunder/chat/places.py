"""Which accounts have a chat page: those of providers whose manifest says `chat_page`."""

from typing import Annotated

import msgspec

from wunder.errors import NotFound
from wunder.model.account import Account
from wunder.model.provider import ProviderFacts
from wunder.ports import Accounts, Providers

CAPABILITY = "chat_page"


class ChatSettings(msgspec.Struct, frozen=True):
    """The fields of an account that the page obeys, whatever channel it is of (ADR 0087).

    Rates are messages a minute. `site_secret` is the company's: it signs who its users are.
    """

    title: str = ""
    greeting: str = ""
    allowed_origins: tuple[str, ...] = ()
    visitor_rate: Annotated[int, msgspec.Meta(ge=1, le=600)] = 20
    total_rate: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 600
    site_secret: str = ""


class ChatPlace(msgspec.Struct, frozen=True):
    """An account that may be talked to through its page, now."""

    account: Account
    settings: ChatSettings
    title: str


class ChatPlaces:
    """Finds the account behind a page's address."""

    def __init__(self, accounts: Accounts, providers: Providers) -> None:
        self._accounts = accounts
        self._providers = providers

    def find(self, key: str) -> ChatPlace:
        """Return the place of a webhook key.

        Raises:
            NotFound: no enabled account of a channel with a chat page has this key.
        """
        for facts in self._providers.known():
            if not facts.capabilities.get(CAPABILITY):
                continue
            account = self._accounts.named(facts.channel, key)
            if account is not None and account.row.webhook_key == key:
                return _place(account, facts)
        raise NotFound("There is no chat at this address.")


def _place(account: Account, facts: ProviderFacts) -> ChatPlace:
    if account.row.status != "enabled":
        raise NotFound("There is no chat at this address.")
    given = {**account.row.config.provider_config, **account.secrets}
    try:
        settings = msgspec.convert(given, ChatSettings)
    except msgspec.ValidationError:
        raise NotFound("This account's settings are none that a chat page obeys.") from None
    title = settings.title or account.row.display_name or facts.name
    return ChatPlace(account, settings, title)
