"""Slots of an account that its platform throttles, or whose credentials it refuses, when the clock is set."""

import pytest

from tests.fakes.accounts import FakeAccounts
from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import AccountUid
from wunder.outbound.parking import ParkingPolicy
from wunder.outbound.retry import RetryPolicy
from wunder.outbound.slots import SlotPolicy, Slots

HOUR_S = 3600
THROTTLED = Fault(FaultKind.RATE_LIMITED, retry_after_s=5)
REFUSED = Fault(FaultKind.AUTH_FAILED)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def account() -> Account:
    row = AccountRow("u1", "chat", "main", "", "enabled", AccountConfig(), b"", 1, 1, "k", 1, 1)
    return Account(row, {})


@pytest.fixture
def slots(clock: FakeClock, account: Account) -> Slots:
    providers = FakeProviders(FakeChannelProvider("chat"))
    return Slots(FakeAccounts(account), providers, clock, SlotPolicy(), ParkingPolicy())


@pytest.mark.parametrize("step_s", [-HOUR_S, 0, HOUR_S])
def test_a_throttled_account_waits_as_long_as_asked_whatever_the_clock_shows(
    slots: Slots, clock: FakeClock, step_s: float
) -> None:
    slots.pause("u1", THROTTLED, RetryPolicy())
    clock.step_wall(step_s)
    opens_at = slots.opens_at()
    assert opens_at is not None
    assert opens_at - clock.now() == pytest.approx(5_000, abs=2)
    assert slots.take("u1") is None
    clock.advance(5.1)
    assert slots.take("u1") is not None


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
def test_a_parked_account_is_probed_in_its_time_whatever_the_clock_shows(
    slots: Slots, clock: FakeClock, account: Account, step_s: float
) -> None:
    slots.note(account, REFUSED)
    clock.advance(31)
    assert slots.note(account, REFUSED), "parked"
    clock.step_wall(step_s)
    assert slots.take("u1") is None
    clock.advance(901)
    assert slots.take("u1") is not None


def test_one_probe_at_a_time_tries_a_parked_account(
    slots: Slots, clock: FakeClock, account: Account
) -> None:
    slots.note(account, REFUSED)
    clock.advance(31)
    slots.note(account, REFUSED)
    clock.advance(901)
    probe = slots.take("u1", 5)
    assert probe is not None
    assert probe.limit == 1
    assert slots.take("u1", 5) is None
    slots.note(account, None)
    whole = slots.take("u1", 5)
    assert whole is not None
    assert whole.limit == 5


class Platforms:
    """Accounts of two channels, each served by a release of its own."""

    def __init__(self, clock: FakeClock) -> None:
        rows = [
            AccountRow(uid, channel, uid, "", "enabled", AccountConfig(), b"", 1, 1, uid, 1, 1)
            for uid, channel in (("u1", "chat"), ("u2", "chat"), ("u3", "chat"), ("v1", "mail"))
        ]
        accounts = FakeAccounts(*(Account(row, {}) for row in rows))
        providers = FakeProviders(FakeChannelProvider("chat"), FakeChannelProvider("mail"))
        policy = SlotPolicy(per_release=4, per_account=2)
        self.slots = Slots(accounts, providers, clock, policy, ParkingPolicy())

    def awaited(self) -> list[str]:
        return [uid for uid in ("u1", "u2", "u3", "v1") if self.slots.are_awaited(AccountUid(uid))]


def waiting(**heads: int) -> dict[AccountUid, int]:
    return {AccountUid(uid): count for uid, count in heads.items()}


def test_slots_go_to_those_that_wait_in_the_order_given(clock: FakeClock) -> None:
    slots = Platforms(clock).slots
    grants = slots.deal(waiting(u2=2, u3=1, u1=2), 16)
    assert [(grant.account_uid, grant.limit) for grant in grants] == [
        ("u2", 2),
        ("u3", 1),
        ("u1", 1),
    ]


def test_while_an_account_waits_what_it_sends_now_waits_behind_it(clock: FakeClock) -> None:
    platforms = Platforms(clock)
    platforms.slots.deal(waiting(u1=3), 16)
    assert platforms.awaited() == ["u1"], "its own limit is reached, nobody else's"
    platforms.slots.deal(waiting(u1=1, u2=1), 16)
    assert platforms.awaited() == ["u1"]
    grant = platforms.slots.take(AccountUid("u2"))
    assert grant is not None
    platforms.slots.finish(AccountUid("u1"), grant.release)
    platforms.slots.deal(waiting(u1=1), 16)
    assert platforms.awaited() == []


def test_while_a_release_is_full_none_of_its_accounts_passes_those_that_wait(
    clock: FakeClock,
) -> None:
    platforms = Platforms(clock)
    platforms.slots.deal(waiting(u1=2, u2=3), 16)
    assert platforms.awaited() == ["u1", "u2", "u3"], "another plugin has slots of its own"
    platforms.slots.deal(waiting(), 16)
    assert platforms.awaited() == []


def test_an_account_whose_breaker_is_open_is_given_no_slot_and_half_open_one(
    clock: FakeClock, account: Account
) -> None:
    channel = FakeChannelProvider("chat")
    slots = Slots(
        FakeAccounts(account), FakeProviders(channel), clock, SlotPolicy(), ParkingPolicy()
    )
    release = channel.facts.release
    channel.rooms[AccountUid("u1")] = 0
    assert slots.deal(waiting(u1=16), 16) == []
    assert not slots.may_go_on(AccountUid("u1"), release)
    channel.rooms[AccountUid("u1")] = 1
    assert [grant.limit for grant in slots.deal(waiting(u1=16), 16)] == [1]
    assert slots.may_go_on(AccountUid("u1"), release)


def test_an_account_that_no_slot_would_help_keeps_nobody_waiting(clock: FakeClock) -> None:
    platforms = Platforms(clock)
    platforms.slots.deal(waiting(u1=2, u2=2), 16)
    platforms.slots.deal(waiting(u3=1), 16)
    assert platforms.awaited() == ["u1", "u2", "u3"], "the release is full"
    platforms.slots.pause(AccountUid("u3"), THROTTLED, RetryPolicy())
    platforms.slots.deal(waiting(u3=1), 16)
    assert platforms.awaited() == ["u3"]
