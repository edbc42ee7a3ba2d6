"""Quiet catch-up: after a downtime what is old ends without a word, what is still wanted goes out in order."""

from pathlib import Path

from tests.journeys.corridor import corridor
from tests.waiting import until
from wunder.model.account import AccountConfig, DeliverySettings
from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter

S = DeliveryState
DAY_S = 86_400


def text(number: int, peer: str = "p1") -> dict[str, str]:
    return {"id": f"{peer}-{number}", "peer": peer, "text": f"{peer}:{number}"}


async def test_after_two_days_of_downtime_old_replies_expire_and_new_ones_go(
    tmp_path: Path,
) -> None:
    async with corridor(tmp_path) as here:
        for _ in range(3):
            here.platform.fail(FaultKind.PROVIDER_UNAVAILABLE)
        await here.post(*[text(number, f"p{number}") for number in range(3)])
        await here.until_states(S.PENDING, S.PENDING, S.PENDING)
    here.clock.advance(2 * DAY_S)
    async with corridor(tmp_path, clock=here.clock, platform=here.platform) as again:
        await again.post(text(9, "fresh"))
        await again.until(lambda: again.platform.texts("fresh") == ["fresh:9"])
        await again.until_states(S.EXPIRED, S.EXPIRED, S.EXPIRED, S.SENT)
        assert len(again.platform.arrivals) == 1, "nobody is flooded with what is two days old"


async def test_after_an_hour_everything_goes_out_once_and_in_order(tmp_path: Path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.fail(FaultKind.PROVIDER_UNAVAILABLE)
        await here.post(*[text(number) for number in range(5)])
        await here.until_messages(*["answered"] * 5)
    here.clock.advance(3_600)
    async with corridor(tmp_path, clock=here.clock, platform=here.platform) as again:
        await again.until_states(*[S.SENT] * 5)
        assert again.platform.texts("p1") == [f"p1:{number}" for number in range(5)]


async def test_each_account_has_its_own_time_to_live(tmp_path: Path) -> None:
    short = AccountConfig(delivery=DeliverySettings(ttl_s=600))
    async with corridor(tmp_path) as here:
        await here.add_account("hasty", short)
        for _ in range(2):
            here.platform.fail(FaultKind.PROVIDER_UNAVAILABLE)
        await here.post(text(1, "patient"))
        await here.post(text(1, "hurried"), account="hasty")
        await here.until_states(S.PENDING, S.PENDING)
    here.clock.advance(1_800)
    async with corridor(tmp_path, clock=here.clock, platform=here.platform) as again:
        await again.until(lambda: again.platform.texts("patient") == ["patient:1"])
        await again.until_states(S.SENT, S.EXPIRED)


async def test_a_platforms_reply_window_ends_replies_before_the_accounts_time(
    tmp_path: Path,
) -> None:
    async with corridor(tmp_path, reply_window_s=300) as here:
        here.platform.fail(FaultKind.PROVIDER_UNAVAILABLE)
        await here.post(text(1))
        await here.until_states(S.PENDING)
    here.clock.advance(301)
    async with corridor(tmp_path, clock=here.clock, platform=here.platform) as again:
        await again.until_states(S.EXPIRED)
        assert again.platform.arrivals == []


async def test_a_question_of_the_day_before_yesterday_is_not_asked_and_is_shown(
    tmp_path: Path,
) -> None:
    async with corridor(tmp_path, is_running=False) as here:
        await here.post(text(1, "old"))
    here.clock.advance(2 * DAY_S)
    async with corridor(tmp_path, clock=here.clock, platform=here.platform) as again:
        await again.until_messages("failed")
        page = await again.store.ledger.messages(MessageFilter(state="failed"), 9, "")
        (message,) = page.items
        assert message.reason == "too_old"
        assert again.agents.turns == []
        assert (await again.store.ledger.deliveries(DeliveryFilter(), 9, "")).items == ()
        await again.store.turns.reroute([message.message_id], again.clock.now())
        again.worker.wake()
        await until(lambda: again.platform.texts("old") == ["old:1"])
