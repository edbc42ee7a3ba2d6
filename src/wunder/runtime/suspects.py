"""Which request or delivery makes a plugin crash: called alone when suspected, then not at all."""

import hashlib
from collections import OrderedDict

from wunder_wire.methods import EditParams, ParseParams, RenderParams, SendParams

SUSPECT_AFTER = 2
REMEMBERED = 1_000


def key_of(params: object) -> str:
    """Return what a crash is attributed to: the delivery, or the request's body; "" for neither."""
    if isinstance(params, SendParams | EditParams):
        return f"delivery:{params.idempotency_key}"
    if isinstance(params, ParseParams | RenderParams):
        http = params.http
        digest = hashlib.sha256(http.body_b64.encode())
        digest.update(repr((params.account.account_id, http.path, http.query)).encode())
        return f"request:{digest.hexdigest()}"
    return ""


class Suspects:
    """Crash counts by key for one release; bounded, the longest untouched are forgotten."""

    def __init__(self) -> None:
        self._crashes: OrderedDict[str, int] = OrderedDict()
        self._quarantined: OrderedDict[str, None] = OrderedDict()

    def __bool__(self) -> bool:
        """True when calls have to be looked at: somebody is suspected or quarantined."""
        return bool(self._quarantined) or max(self._crashes.values(), default=0) >= SUSPECT_AFTER

    def is_suspect(self, key: str) -> bool:
        """True for a key that was in flight at two crashes: call it alone."""
        return self._crashes.get(key, 0) >= SUSPECT_AFTER

    def is_quarantined(self, key: str) -> bool:
        """True for a key that crashed the plugin alone: do not call it again."""
        return key in self._quarantined

    def acquit(self, key: str) -> None:
        """Take a key off the list: its call came back."""
        self._crashes.pop(key, None)

    def crashed(self, in_flight: list[str]) -> str:
        """Take in who was in flight at a crash, "" for who has no key.

        Returns:
            The key that is quarantined for it, or "": then the crash is the plugin's.
        """
        if len(in_flight) == 1 and self.is_suspect(in_flight[0]):
            self.acquit(in_flight[0])
            self._quarantined[in_flight[0]] = None
            _bound(self._quarantined)
            return in_flight[0]
        for key in dict.fromkeys(filter(None, in_flight)):
            self._crashes[key] = self._crashes.pop(key, 0) + 1
        _bound(self._crashes)
        return ""


def _bound(remembered: OrderedDict[str, int] | OrderedDict[str, None]) -> None:
    while len(remembered) > REMEMBERED:
        remembered.popitem(last=False)
