"""Who may knock how often: the sender's address behind proxies, and token buckets (rule 4)."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from wunder.api.asgi import Header, Scope


class KnockPolicy(msgspec.Struct, frozen=True):
    """Budgets in requests a second and at once; choices, see ADR 0051.

    A source that showed a valid signature within `proven_for_s` has the larger budget of its own.
    All others share their provider's and account's budgets as well, so that strangers cannot use up
    what a platform needs.
    """

    stranger_per_s: float = 50.0
    stranger_burst: float = 200.0
    proven_per_s: float = 20_000.0
    proven_burst: float = 40_000.0
    account_per_s: float = 100.0
    account_burst: float = 400.0
    provider_per_s: float = 500.0
    provider_burst: float = 2_000.0
    bad_signature_cost: float = 20.0
    unknown_place_cost: float = 5.0
    proven_for_s: float = 600.0
    max_buckets: int = 10_000  # of each kind


class _Bucket:
    __slots__ = ("level", "proven_until", "seen_at")

    def __init__(self, level: float, seen_at: float) -> None:
        self.level = level
        self.seen_at = seen_at
        self.proven_until = 0.0


class Knocks:
    """The buckets. Bounded: the source that was quiet longest is forgotten first."""

    def __init__(self, policy: KnockPolicy) -> None:
        self._policy = policy
        self._sources: dict[str, _Bucket] = {}
        self._accounts: dict[str, _Bucket] = {}
        self._providers: dict[str, _Bucket] = {}

    def wait_s(self, source: str, channel: str, account: str, now: float) -> int:
        """Charge one request; 0 when it may pass, else after how many seconds to come again.

        Args:
            source: the sender, from `source_key`.
            channel: the provider id of the path.
            account: what the path names, "" where it names none.
            now: monotonic seconds.
        """
        policy = self._policy
        bucket = self._source(source, now)
        is_proven = bucket.proven_until > now
        wait = _take(bucket, *self._budget(is_proven), now)
        if wait or is_proven:
            return wait
        if account:
            shared = self._recent(self._accounts, f"{channel}/{account}", policy.account_burst, now)
            wait = _take(shared, policy.account_per_s, policy.account_burst, now)
            if wait:
                return wait
        shared = self._recent(self._providers, channel, policy.provider_burst, now)
        return _take(shared, policy.provider_per_s, policy.provider_burst, now)

    def proved(self, source: str, now: float) -> None:
        """Remember that this source showed a valid signature."""
        bucket = self._source(source, now)
        if bucket.proven_until <= now:
            bucket.level = self._policy.proven_burst
        bucket.proven_until = now + self._policy.proven_for_s

    def charge(self, source: str, cost: float, now: float) -> None:
        """Take the price of a request that turned out to be bad."""
        self._source(source, now).level -= cost

    def _budget(self, is_proven: bool) -> tuple[float, float]:
        policy = self._policy
        if is_proven:
            return policy.proven_per_s, policy.proven_burst
        return policy.stranger_per_s, policy.stranger_burst

    def _source(self, source: str, now: float) -> _Bucket:
        return self._recent(self._sources, source, self._policy.stranger_burst, now)

    def _recent(self, buckets: dict[str, _Bucket], key: str, burst: float, now: float) -> _Bucket:
        """Find a bucket and put it at the end: the order is that of the last knock."""
        bucket = buckets.pop(key, None)
        if bucket is None:
            if len(buckets) >= self._policy.max_buckets:
                del buckets[next(iter(buckets))]
            bucket = _Bucket(burst, now)
        buckets[key] = bucket
        return bucket


def _take(bucket: _Bucket, per_s: float, burst: float, now: float) -> int:
    """Take one token; else whole seconds until there is one, at least 1."""
    bucket.level = min(burst, bucket.level + (now - bucket.seen_at) * per_s)
    bucket.seen_at = now
    if bucket.level >= 1.0:
        bucket.level -= 1.0
        return 0
    return min(3_600, int((1.0 - bucket.level) / per_s) + 1)


class Proxies:
    """Reverse proxies whose X-Forwarded-For is believed; none unless the operator names them."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(one, strict=False) for one in trusted)

    def remote_address(self, scope: Scope) -> str:
        """Return the address of the sender of an ASGI request."""
        client = scope.get("client")
        return self.sender(client[0] if client else "", scope["headers"])

    def sender(self, address: str, headers: Iterable[Header]) -> str:
        """Return the address of the sender: the last hop that is not a proxy of ours."""
        if not self._networks or not self._is_ours(address):
            return address
        for hop in reversed(_forwarded(headers)):
            if not _is_address(hop):
                break  # a forged or broken entry: what stands left of it proves nothing
            address = hop
            if not self._is_ours(hop):
                break
        return address

    def is_over_tls(self, scope: Scope) -> bool:
        """Tell whether the sender spoke TLS, to us or to a proxy of ours that says so."""
        if scope.get("scheme") == "https":
            return True
        client = scope.get("client")
        if not self._networks or not client or not self._is_ours(client[0]):
            return False
        return [v.strip().lower() for n, v in scope["headers"] if n == b"x-forwarded-proto"] == [
            b"https"
        ]

    def _is_ours(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


@lru_cache(maxsize=1_024)
def source_key(address: str) -> str:
    """Return what a bucket is kept for: the address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address


def _forwarded(headers: Iterable[Header]) -> list[str]:
    lines = [value for name, value in headers if name == b"x-forwarded-for"]
    return [hop.strip() for hop in b",".join(lines).decode("latin-1").split(",")][-32:]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
