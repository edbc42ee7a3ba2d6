"""What a write changed, told without secrets, and who an account is on its platform (pure)."""

from collections.abc import Callable
from typing import Any

import msgspec

from wunder.accounts.pointer import leaves, pointer
from wunder.accounts.secrets import Merged
from wunder.model.account import AccountRow
from wunder.model.provider import ProviderFacts


def changes_between(was: Merged, now: Merged, hmac8: Callable[[str], str]) -> dict[str, Any]:
    """Return the pointers of changed fields, and for each changed secret {set, hmac8} (rule 18)."""
    shown_was, shown_now = dict(leaves(was.public)), dict(leaves(now.public))
    changed = sorted(
        pointer(path)
        for path in shown_was.keys() | shown_now.keys()
        if path and shown_was.get(path) != shown_now.get(path)
    )
    hidden_was, hidden_now = dict(leaves(was.secrets)), dict(leaves(now.secrets))
    secrets = {
        pointer(path): _mark(hidden_now.get(path), hmac8)
        for path in hidden_was.keys() | hidden_now.keys()
        if path and hidden_was.get(path) != hidden_now.get(path)
    }
    return {"changed": changed, "secrets": secrets}


def identities(row: AccountRow, facts: ProviderFacts | None) -> set[tuple[str, str]]:
    """Return by what an account is known on its platform: its lookup field, its external id."""
    found = {("external", row.external_id)} if row.external_id else set()
    if facts is not None and facts.lookup_config:
        value = row.config.provider_config.get(facts.lookup_config)
        if isinstance(value, str | int) and value != "":
            found.add(("lookup", str(value)))
    return found


def _mark(value: Any, hmac8: Callable[[str], str]) -> dict[str, Any]:
    if value is None:
        return {"set": False}
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return {"set": True, "hmac8": hmac8(text)}
