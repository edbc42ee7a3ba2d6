"""The numbers of delivery semantics are the defaults: whoever changes one finds the rule here."""

from wunder.conversation.bot_loop import BotLoop
from wunder.conversation.turn import TurnPolicy
from wunder.inbound.inline import InlinePolicy
from wunder.model.account import DeliverySettings
from wunder.model.fault import MAX_RETRY_AFTER_S
from wunder.outbound.parking import ParkingPolicy
from wunder.outbound.retry import RetryPolicy
from wunder.outbound.slots import SlotPolicy
from wunder.store.policy import MIB, StorePolicy
from wunder.streaming.policy import StreamPolicy

DAY_S = 86_400
STORE = StorePolicy()


def test_five_retries_doubling_from_two_seconds_to_a_minute() -> None:
    for_sends = RetryPolicy()
    assert (for_sends.retries, for_sends.base_s, for_sends.cap_s) == (5, 2, 60)
    assert (STORE.max_retries, STORE.backoff_s, STORE.max_backoff_s) == (5, 2, 60)


def test_a_call_without_an_answer_keeps_its_lane_shut_for_a_minute() -> None:
    assert {RetryPolicy().tombstone_s, STORE.tombstone_s, StreamPolicy().tombstone_s} == {60}


def test_deliveries_live_a_day_and_an_unknown_one_is_parked() -> None:
    settings = DeliverySettings()
    assert (settings.ttl_s, STORE.delivery_ttl_s, settings.on_unknown) == (DAY_S, DAY_S, "park")


def test_a_failing_agent_has_three_tries_in_a_minute_and_bots_ten_turns() -> None:
    assert (TurnPolicy().tries, TurnPolicy().hold_s) == (3, 60)
    loop = BotLoop()
    asked = [loop.is_looping(("u", "user", "bot", ""), float(n)) for n in range(11)]  # type: ignore[arg-type]
    assert asked == [False] * 10 + [True]


def test_room_is_kept_for_outcomes_and_the_spool_is_bounded() -> None:
    assert (STORE.free_floor_bytes, STORE.ballast_bytes) == (256 * MIB, 64 * MIB)
    assert (STORE.spool_rows, STORE.spool_bytes) == (1_000, 16 * MIB)
    assert STORE.raw_result_bytes == 16_384


def test_receipts_that_match_nothing_wait_a_day() -> None:
    assert STORE.receipts_kept_s == DAY_S


def test_a_clock_that_stepped_more_than_five_seconds_is_not_trusted_for_a_while() -> None:
    assert (STORE.clock_step_s, STORE.freeze_s) == (5, 60)


def test_two_refusals_half_a_minute_apart_park_and_each_quarter_hour_is_a_probe() -> None:
    assert (ParkingPolicy().apart_s, ParkingPolicy().probe_every_s) == (30, 900)


def test_a_webhook_leaves_half_a_second_for_its_answer_to_travel() -> None:
    assert InlinePolicy().margin_s == 0.5


def test_a_platform_is_believed_for_at_most_an_hour() -> None:
    assert MAX_RETRY_AFTER_S == 3_600


def test_an_account_has_sixteen_sends_under_way_and_a_release_sixty_four() -> None:
    assert (SlotPolicy().per_account, SlotPolicy().per_release) == (16, 64)
