"""Buckets: strangers cannot use up what a proven source needs."""

from wunder.api.sources import KnockPolicy, Knocks, source_key

POLICY = KnockPolicy(
    stranger_per_s=1,
    stranger_burst=3,
    proven_per_s=10,
    proven_burst=5,
    account_per_s=1,
    account_burst=4,
    provider_per_s=1,
    provider_burst=6,
    max_buckets=3,
)


def passed(knocks: Knocks, source: str, account: str = "a", now: float = 0.0) -> bool:
    return knocks.wait_s(source, "parrot", account, now) == 0


def test_a_source_waits_once_its_burst_is_used_up() -> None:
    knocks = Knocks(POLICY)
    assert [passed(knocks, "s") for _ in range(4)] == [True, True, True, False]
    assert passed(knocks, "s", now=1.0)


def test_strangers_share_the_budget_of_an_account() -> None:
    knocks = Knocks(POLICY)
    assert [passed(knocks, f"s{number}") for number in range(5)] == [True] * 4 + [False]


def test_strangers_share_the_budget_of_a_provider() -> None:
    knocks = Knocks(POLICY)
    assert [passed(knocks, f"s{number}", account="") for number in range(7)] == [True] * 6 + [False]


def test_a_proven_source_passes_when_strangers_have_used_everything_up() -> None:
    knocks = Knocks(POLICY)
    knocks.proved("platform", 0.0)
    for number in range(10):
        passed(knocks, f"s{number}")
    knocks.proved("platform", 0.0)
    assert [passed(knocks, "platform") for _ in range(6)] == [True] * 5 + [False]


def test_proof_ends() -> None:
    knocks = Knocks(POLICY)
    knocks.proved("platform", 0.0)
    later = POLICY.proven_for_s + 1
    assert [passed(knocks, "platform", now=later) for _ in range(4)] == [True] * 3 + [False]


def test_the_wait_grows_with_what_was_charged_and_is_bounded() -> None:
    knocks = Knocks(POLICY)
    knocks.charge("s", 20, 0.0)
    assert knocks.wait_s("s", "parrot", "", 0.0) == 19
    knocks.charge("s", 1e9, 0.0)
    assert knocks.wait_s("s", "parrot", "", 0.0) == 3_600


def test_the_table_of_sources_is_bounded() -> None:
    knocks = Knocks(POLICY)
    for number in range(100):
        knocks.charge(f"s{number}", 1, 0.0)
    assert len(knocks._sources) == 3


def test_one_ipv6_customer_is_one_source() -> None:
    assert source_key("2001:db8:1:2::1") == source_key("2001:db8:1:2:ffff::9")
    assert source_key("2001:db8:1:2::1") != source_key("2001:db8:1:3::1")
    assert source_key("::ffff:192.0.2.1") == source_key("192.0.2.1")
    assert source_key("not an address") == "not an address"
