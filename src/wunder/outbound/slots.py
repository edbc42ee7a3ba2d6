"""Send slots: how many sends may be under way, in all, per release and per account.

Source: plugin protocol 1, Concurrency: 64 a plugin, 16 an account, one account never more than half
a pool. A slot is held from the mark (T3) until the outcome is settled (T4).
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from wunder.model.account import Account
from wunder.model.delivery import ReleaseRef, SendGrant
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import AccountUid, At
from wunder.model.provider import ProviderFacts
from wunder.outbound.pace import TokenBucket
from wunder.outbound.parking import (
    PARKING_KINDS,
    ParkingPolicy,
    Standing,
    after_failure,
    after_probe_left,
    may_try,
)
from wunder.outbound.retry import RetryPolicy
from wunder.ports import Accounts, Clock, Providers


class SlotPolicy(msgspec.Struct, frozen=True):
    """Sends under way at most; a release's own limit may be lower."""

    total: int = 512
    per_release: int = 64
    per_account: int = 16


class Slots:
    """Counts what is under way and says whether an account may send one more."""

    def __init__(
        self,
        accounts: Accounts,
        providers: Providers,
        clock: Clock,
        policy: SlotPolicy,
        parking: ParkingPolicy,
    ) -> None:
        self._accounts = accounts
        self._providers = providers
        self._clock = clock
        self._policy = policy
        self._account_limit = min(policy.per_account, max(1, policy.per_release // 2))
        self._parking = parking
        self._by_account: Counter[AccountUid] = Counter()
        self._by_release: Counter[ReleaseRef] = Counter()
        self._paused_until_s: dict[AccountUid, float] = {}
        self._standing: dict[AccountUid, Standing] = {}
        self._buckets: dict[AccountUid, TokenBucket] = {}
        self._behind: set[AccountUid] = set()  # whose heads wait for a slot
        self._full: set[ReleaseRef] = set()  # of which no slot was left for them
        self.in_flight = 0

    def deal(self, waiting: Mapping[AccountUid, int], at_once: int) -> list[SendGrant]:
        """Reserve slots for heads that wait, at most `at_once` an account, in the order given."""
        taken = {uid: self.take(uid, min(heads, at_once)) for uid, heads in waiting.items()}
        grants = [grant for grant in taken.values() if grant is not None]
        given = Counter({grant.account_uid: grant.limit for grant in grants})
        self._behind = {uid for uid, heads in waiting.items() if given[uid] < heads}
        limit = self._policy.per_release if self.in_flight < self._policy.total else 1
        full = {release for release, count in self._by_release.items() if count >= limit}
        self._full = set() if all(map(self._is_resting, self._behind)) else full
        return grants

    def are_awaited(self, account_uid: AccountUid) -> bool:
        """True while what comes now has to wait behind what waits (ADR 0067)."""
        account = self._accounts.get(account_uid) if self._full else None
        provider = self._providers.serving(account.row.channel) if account else None
        is_full = provider is not None and provider.facts.release in self._full
        return is_full or account_uid in self._behind

    def take(self, account_uid: AccountUid, wanted: int = 1) -> SendGrant | None:
        """Reserve up to `wanted` slots of an account that may send now; None when it may not."""
        account = self._accounts.get(account_uid)
        if account is None or account.row.status != "enabled":
            return None
        provider = self._providers.serving(account.row.channel)
        if provider is None or not self._may_send(account):
            return None
        facts = provider.facts
        free = min(
            wanted,
            provider.send_room(account_uid),
            self._policy.total - self.in_flight,
            self._policy.per_release - self._by_release[facts.release],
            self._account_limit - self._by_account[account_uid],
            self._pace_allows(account_uid, facts, wanted),
        )
        standing = self._standing.get(account_uid)
        if standing is not None and standing.is_parked and free > 0:
            free = 1
            self._standing[account_uid] = after_probe_left(standing, self._now(), self._parking)
        if free <= 0:
            return None
        self._count(account_uid, facts.release, free)
        self.spend(account_uid, free)
        return facts.grant(account_uid, free)

    def put_back(self, account_uid: AccountUid, release: ReleaseRef, count: int) -> None:
        """Free slots reserved by `take` under which nothing was sent."""
        self._count(account_uid, release, -count)
        self.spend(account_uid, -count)

    def finish(self, account_uid: AccountUid, release: ReleaseRef) -> None:
        """Free a slot that was used."""
        self._count(account_uid, release, -1)

    def may_go_on(self, account_uid: AccountUid, release: ReleaseRef) -> bool:
        """True while the account may send and `release` still serves it: a held slot may be reused."""
        account = self._accounts.get(account_uid)
        if account is None or account.row.status != "enabled":
            return False
        provider = self._providers.serving(account.row.channel)
        if provider is None or provider.facts.release != release or not self._may_send(account):
            return False
        if not provider.send_room(account_uid):
            return False
        return self._pace_allows(account_uid, provider.facts, 1) > 0

    def spend(self, account_uid: AccountUid, count: int = 1) -> None:
        """Note sends of this account; `take` has noted those it granted."""
        bucket = self._buckets.get(account_uid)
        if bucket is not None:
            bucket.spend(self._clock.monotonic(), count)

    def pause(self, account_uid: AccountUid, fault: Fault, policy: RetryPolicy) -> None:
        """Hold back a whole account that its platform throttles."""
        wait_s = policy.rate_limited_s if fault.retry_after_s is None else fault.retry_after_s
        self._paused_until_s[account_uid] = self._clock.monotonic() + wait_s

    def note(self, account: Account, fault: Fault | None) -> bool:
        """Learn from an attempt's end; True when the account was parked just now."""
        if fault is None:
            self._standing.pop(account.uid, None)
            return False
        if fault.kind not in PARKING_KINDS:
            return False
        before = self._standing.get(account.uid, Standing())
        after = after_failure(before, account.row.rev, self._now(), self._parking)
        self._standing[account.uid] = after
        return after.is_parked and not before.is_parked

    def opens_at(self) -> At | None:
        """When the next paused or paced account may send again."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        for uid in [uid for uid, until_s in self._paused_until_s.items() if until_s <= now_s]:
            del self._paused_until_s[uid]
        waits_s = [bucket.opens_in_s(now_s) for bucket in self._buckets.values()]
        waits_s += [until_s - now_s for until_s in self._paused_until_s.values()]
        return min((At(now + int(s * 1000) + 1) for s in waits_s if s > 0), default=None)

    def parked(self) -> list[AccountUid]:
        """Accounts whose credentials were refused."""
        return [uid for uid, standing in self._standing.items() if standing.is_parked]

    def _is_resting(self, account_uid: AccountUid) -> bool:
        """True while no slot would help this account: paused, parked, or its breaker is open."""
        account = self._accounts.get(account_uid)
        if account is None or not self._may_send(account):
            return True
        provider = self._providers.serving(account.row.channel)
        return provider is None or not provider.send_room(account_uid)

    def _may_send(self, account: Account) -> bool:
        uid = account.uid
        if self._paused_until_s.get(uid, 0) > self._clock.monotonic():
            return False
        standing = self._standing.get(uid)
        return standing is None or may_try(standing, account.row.rev, self._now())

    def _now(self) -> At:
        """Milliseconds that nobody sets: an account's standing is only kept in memory."""
        return At(int(self._clock.monotonic() * 1000))

    def _pace_allows(self, account_uid: AccountUid, facts: ProviderFacts, wanted: int) -> int:
        """How many sends the platform's rate leaves; all of them where it names none."""
        rate = facts.per_account_qps
        if not rate:
            self._buckets.pop(account_uid, None)
            return wanted
        now_s = self._clock.monotonic()
        bucket = self._buckets.get(account_uid)
        if bucket is None or bucket.rate_per_s != rate:
            bucket = self._buckets[account_uid] = TokenBucket(rate, now_s)
        return bucket.available(now_s)

    def _count(self, account_uid: AccountUid, release: ReleaseRef, change: int) -> None:
        self.in_flight += change
        self._by_account[account_uid] += change
        self._by_release[release] += change
        if not self._by_account[account_uid]:
            del self._by_account[account_uid]
        if not self._by_release[release]:
            del self._by_release[release]


def is_account_wide(fault: Fault) -> bool:
    """True when a throttle holds the whole account, not one peer or message."""
    return fault.kind is FaultKind.RATE_LIMITED and fault.scope in (None, "account", "plugin")
