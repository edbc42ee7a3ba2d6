"""Which account a webhook request is for: explicit selectors first, then lookup, then the only one.

Source: HTTP API, "Which account". Explicit selectors: path, `?account_id=`, `X-Channel-Account`.
"""

from wunder.errors import ProviderFault, RequestRefused
from wunder.model.account import Account
from wunder.model.ids import ChannelId
from wunder.model.provider import ProviderFacts, RawRequest
from wunder.ports import Accounts, ChannelProvider

MAX_CANDIDATES = 4
MAX_SHARING = 64
ACCOUNT_HEADER = "X-Channel-Account"


async def choose_accounts(
    accounts: Accounts,
    channel: ChannelId,
    provider: ChannelProvider | None,
    path_account: str | None,
    request: RawRequest,
) -> tuple[Account, ...]:
    """Return the accounts to try, at most four; more than one only after a lookup.

    Raises:
        RequestRefused: 400 `account_conflict` for selectors that differ; 404 `account_unknown` for
            a named account that is unknown or disabled, or when nothing tells which it is.
    """
    named = _named(accounts, channel, path_account, request)
    if named is not None:
        return (named,)
    enabled = accounts.enabled(channel)
    if provider is not None:
        found = await _looked_up(accounts.only(channel), enabled, provider, request)
        if found is not None:
            return found
    only = accounts.only(channel)
    if only is not None:
        return (only,)
    reason = "account_ambiguous" if enabled else "account_unknown"
    raise RequestRefused(404, reason, "Use the webhook URL that the account's page shows.")


def sharing(
    chosen: tuple[Account, ...], accounts: Accounts, facts: ProviderFacts
) -> tuple[Account, ...]:
    """All accounts whose messages a request may hold: the chosen first, then every other one.

    Each verifies the request by its own secret and keeps only what is its own.
    """
    if not facts.shares_requests:
        return chosen
    own = {account.uid for account in chosen}
    others = [one for one in accounts.enabled(facts.channel) if one.uid not in own]
    return (*chosen, *others[: MAX_SHARING - len(chosen)])


def _named(
    accounts: Accounts, channel: ChannelId, path_account: str | None, request: RawRequest
) -> Account | None:
    selectors = [value for key, value in request.query if key == "account_id"]
    header = request.header(ACCOUNT_HEADER)
    selectors += [value for value in (path_account, header) if value is not None]
    if not selectors:
        return None
    found = {selector: accounts.named(channel, selector) for selector in selectors}
    uids = {account.uid if account else None for account in found.values()}
    if len(uids) > 1:
        raise RequestRefused(400, "account_conflict", "The request names two different accounts.")
    account = next(iter(found.values()))
    if account is None or account.row.status != "enabled":
        raise RequestRefused(404, "account_unknown", "No such account, or it is not enabled.")
    return account


async def _looked_up(
    only: Account | None, enabled: list[Account], provider: ChannelProvider, request: RawRequest
) -> tuple[Account, ...] | None:
    """Ask the manifest's lookup, then the provider: a hint that only narrows who is tried."""
    facts = provider.facts
    if facts.lookup_header:
        value = request.header(facts.lookup_header)
        if value is not None:
            return _matching(enabled, facts.lookup_config, value) or _judging(only)
    if facts.capabilities.get("identify_account"):
        try:
            hint = await provider.identify_account(request)
        except ProviderFault:
            return None
        if hint is not None:
            return _matching(enabled, *hint) or _judging(only)
    return None


def _matching(enabled: list[Account], field: str, value: str) -> tuple[Account, ...]:
    matching = [a for a in enabled if str(a.row.config.provider_config.get(field, "")) == value]
    return tuple(matching[:MAX_CANDIDATES])


def _judging(only: Account | None) -> tuple[Account, ...]:
    """A hint that matches nobody: the only account may still judge it; of several, none can."""
    if only is not None:
        return (only,)
    raise RequestRefused(404, "account_unknown", "No account of this channel matches the request.")
