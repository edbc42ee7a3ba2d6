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
    facts: ProviderFacts

    def title(self, language: str) -> str:
        """Return what stands above the conversation; the channel's own name is in a language."""
        own = self.settings.title or self.account.row.display_name
        texts = self.facts.i18n.get(language)
        named = texts.get("name") if isinstance(texts, dict) else None
        return own or (named if isinstance(named, str) else self.facts.name)


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
    return ChatPlace(account, settings, facts)
