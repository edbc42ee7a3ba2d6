"""What `wunder plugin call` fills in: the clock, and an account's secrets in their own place (pure)."""

from typing import Any

from wunder.accounts.secrets import overlay, split

#: What the protocol promises in a result and the codec leaves out when it is empty.
_ALWAYS: dict[str, dict[str, Any]] = {
    "plugin.health": {"status": "ok", "checks": []},
    "channel.validate_account_config": {"errors": [], "warnings": []},
    "channel.parse_inbound": {"messages": []},
}


class Completion:
    """Fills in parameters, line after line.

    Args:
        channel: The provider id, for an account that does not name one.
        schema: The account schema; None makes the whole configuration secret.
    """

    def __init__(self, channel: str, schema: dict[str, Any] | None) -> None:
        self._channel = channel
        self._schema = schema
        self._sent: dict[tuple[object, object], Any] = {}  # (account_id, rev) -> what it held
        self._next_rev = 1_000_000

    def params(self, given: dict[str, Any], now_ms: int) -> dict[str, Any]:
        """Return the parameters as the gateway would send them; `given` is left alone.

        `http.received_ms` becomes `now_ms` where it is 0 or absent.
        """
        completed = dict(given)
        account, request = given.get("account"), given.get("http")
        if isinstance(account, dict):
            completed["account"] = self._account(account)
        if isinstance(request, dict) and not request.get("received_ms"):
            completed["http"] = {**request, "received_ms": now_ms}
        return completed

    def _account(self, account: dict[str, Any]) -> dict[str, Any]:
        completed = {"rev": 1, "channel": self._channel, **account}
        config, secrets = account.get("config", {}), account.get("secrets", {})
        if isinstance(config, dict) and isinstance(secrets, dict):
            public, hidden = split(self._schema, config)
            completed |= {"config": public, "secrets": overlay(hidden, secrets)}
        return self._with_own_rev(completed)

    def _with_own_rev(self, account: dict[str, Any]) -> dict[str, Any]:
        """A rev stands for one configuration: lines that differ in it must not share a rev."""
        name, rev = account.get("account_id"), account["rev"]
        if not isinstance(name, str) or type(rev) is not int:
            return account
        if self._sent.setdefault((name, rev), account) == account:
            return account
        for (other, known), sent in self._sent.items():
            if other == name and {**sent, "rev": rev} == account:
                return {**account, "rev": known}
        self._next_rev += 1
        fresh = {**account, "rev": self._next_rev}
        self._sent[name, self._next_rev] = fresh
        return fresh


def completed_result(method: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return a result with the members that the protocol always has, empty or not."""
    return {**_ALWAYS.get(method, {}), **result}
