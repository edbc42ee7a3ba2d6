"""Rows C3, C4, P1-P3: a message walks through the rooms, whatever the platform does."""

import asyncio

import msgspec
import pytest

from tests.journeys.corridor import corridor
from wunder.errors import AgentFailed, RequestRefused
from wunder.model.account import AccessRules, AccountConfig, DeliverySettings
from wunder.model.delivery import DeliveryState
from wunder.model.fault import FaultKind
from wunder.model.turn import Reply
from wunder.outbound.queue import SendRequest
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter

SENT, PENDING, UNKNOWN = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNKNOWN
FAILED, EXPIRED = DeliveryState.FAILED, DeliveryState.EXPIRED


def text(number: int, peer: str = "p1", **more) -> dict:
    return {"id": f"{peer}-{number}", "peer": peer, "text": f"{peer}:{number}", **more}


async def test_a_message_is_answered_on_its_own_conversation(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        answer = await here.post(text(1))
        assert (answer.status, answer.body) == (200, b"ok")
        await here.until_states(SENT)
        assert here.platform.texts("p1") == ["p1:1"]


async def test_an_agent_that_reads_no_history_is_given_none(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(text(1))
        await here.until_states(SENT)
        await here.post(text(2))
        await here.until_states(SENT, SENT)
        here.agents.history_lines = 0
        await here.post(text(3))
        await here.until_states(SENT, SENT, SENT)
        assert [len(turn.history) for turn in here.agents.turns] == [0, 2, 0]


async def test_a_repeat_gets_the_same_answer_and_no_second_reply(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        first, second = await here.post(text(1)), await here.post(text(1))
        assert first == second
        await here.until_states(SENT)
        assert len(here.platform.arrivals) == 1


async def test_order_holds_within_a_conversation_and_none_waits_for_another(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        for number in range(20):
            for peer in ("p1", "p2", "p3"):
                await here.post(text(number, peer))
        await here.until(lambda: len(here.platform.arrivals) == 60)
        for peer in ("p1", "p2", "p3"):
            assert here.platform.texts(peer) == [f"{peer}:{number}" for number in range(20)]


async def test_a_throttled_head_holds_its_lane_and_waits_as_long_as_asked(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.throttle(30, scope="peer")
        await here.post(text(1))
        await here.until_states(PENDING)
        await here.post(text(2), text(1, "p2"))
        await here.until(lambda: here.platform.texts("p2") == ["p2:1"])
        assert here.platform.texts("p1") == []
        here.clock.advance(30)
        await here.until(lambda: here.platform.texts("p1") == ["p1:1", "p1:2"])


async def test_an_account_is_paced_and_no_other_waits_for_it(tmp_path) -> None:
    async with corridor(tmp_path, per_account_qps=2.0) as here:
        await here.add_account("other")
        await here.post(*[text(1, f"p{number}") for number in range(6)])
        await here.until(lambda: len(here.platform.arrivals) == 2)
        await here.post(text(1, "elsewhere"), account="other")
        await here.until(lambda: here.platform.texts("elsewhere") == ["elsewhere:1"])
        assert len(here.platform.arrivals) == 3
        here.clock.advance(1.0)
        await here.until(lambda: len(here.platform.arrivals) == 5)
        here.clock.advance(1.0)
        await here.until(lambda: len(here.platform.arrivals) == 7)


async def test_outages_use_up_no_retry_and_the_ttl_ends_them(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        for _ in range(40):
            here.platform.fail(FaultKind.PROVIDER_UNAVAILABLE)
        await here.post(text(1))
        await here.until_states(PENDING)
        here.clock.advance(86_401)
        await here.until_states(EXPIRED)
        page = await here.store.ledger.deliveries(DeliveryFilter(), 1, "")
        assert page.items[0].retries_used == 0


async def test_five_retries_then_failed_and_kept_for_replay(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        for _ in range(6):
            here.platform.fail(FaultKind.INTERNAL)
        await here.post(text(1))
        while await here.states() != [FAILED]:
            here.clock.advance(61)
            await asyncio.sleep(0.005)
        page = await here.store.ledger.deliveries(DeliveryFilter(), 1, "")
        assert (page.items[0].attempts, page.items[0].retries_used) == (6, 5)
        await here.store.outbox_desk.replay([page.items[0].delivery_id], here.clock.now(), "me")
        here.dispatcher.wake()
        await here.until_states(SENT)


async def test_a_permanent_refusal_fails_at_once_and_frees_the_lane(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.fail(FaultKind.RECIPIENT_UNREACHABLE)
        await here.post(text(1), text(2))
        await here.until_states(FAILED, SENT)


async def test_a_lost_answer_parks_where_the_platform_folds_no_repeats(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.lose_next_answer()
        await here.post(text(1), text(2))
        await here.until_states(UNKNOWN, SENT)
        assert here.platform.texts("p1") == ["p1:1", "p1:2"]


async def test_a_call_that_timed_out_keeps_its_lane_shut_while_it_may_run_on(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.fail(FaultKind.TIMEOUT, "unknown")
        await here.post(text(1), text(2), text(1, "p2"))
        await here.until(lambda: here.platform.texts("p2") == ["p2:1"])

        async def one_is_parked() -> bool:
            return DeliveryState.UNKNOWN in await here.states()

        await here.until(one_is_parked)
        here.clock.advance(59.5)
        await here.post(text(2, "p2"))
        await here.until(lambda: here.platform.texts("p2") == ["p2:1", "p2:2"])
        assert here.platform.texts("p1") == []
        here.clock.advance(0.6)
        await here.until(lambda: here.platform.texts("p1") == ["p1:2"])


async def test_a_lost_answer_is_repeated_with_the_same_key_and_counts_as_sent(tmp_path) -> None:
    async with corridor(tmp_path, idempotency_window_s=300) as here:
        here.platform.lose_next_answer()
        await here.post(text(1))
        await here.until_states(PENDING)
        here.clock.advance(5)
        await here.until_states(SENT)
        assert here.platform.texts("p1") == ["p1:1"]


async def test_retry_once_is_an_accounts_own_choice(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        config = AccountConfig(delivery=DeliverySettings(on_unknown="retry_once"))
        await here.add_account("bold", config)
        here.platform.fail(FaultKind.TIMEOUT, "unknown")
        await here.post(text(1), account="bold")
        await here.until_states(PENDING)
        here.clock.advance(5)
        await here.until_states(SENT)


async def test_a_long_text_goes_in_parts_and_only_the_unfinished_one_is_repeated(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.part_chars = 4
        await here.post({"id": "1", "peer": "p1", "text": "abcdefghij"})
        await here.until_states(SENT)
        assert here.platform.texts("p1") == ["abcd", "efgh", "ij"]
        assert [a.part for a in here.platform.arrivals] == [0, 1, 2]


async def test_a_retry_repeats_only_the_unfinished_part(tmp_path) -> None:
    async with corridor(tmp_path, idempotency_window_s=300) as here:
        here.platform.part_chars = 4
        await here.post({"id": "1", "peer": "p1", "text": "abcd"})
        await here.until_states(SENT)
        here.platform.lose_next_answer()
        await here.post({"id": "2", "peer": "p1", "text": "efghijkl"})
        await here.until_states(SENT, PENDING)
        here.clock.advance(5)
        await here.until(lambda: "".join(here.platform.texts("p1")) == "abcdefghijkl")


async def test_several_replies_carry_ordinals_from_one(tmp_path) -> None:
    async with corridor(tmp_path) as here:

        async def twice(turn):
            return (Reply("one"), Reply("two"))

        here.agents.answer_with = twice
        await here.post(text(1))
        await here.until_states(SENT, SENT)
        assert [(a.text, a.ordinal) for a in here.platform.arrivals] == [("one", 1), ("two", 2)]


async def test_a_failing_agent_is_asked_three_times_then_apologised_for(tmp_path) -> None:
    async with corridor(tmp_path) as here:

        async def fail(turn):
            raise AgentFailed("down")

        here.agents.answer_with = fail
        await here.post(text(1))
        while not here.platform.arrivals:
            here.clock.advance(5)
            await asyncio.sleep(0.005)
        assert len(here.agents.turns) == 3
        assert len({turn.turn_id for turn in here.agents.turns}) == 1
        await here.until_messages("failed")


async def test_new_opens_a_session_in_the_order_of_the_conversation(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(text(1), {"id": "n", "peer": "p1", "text": "/NEW"}, text(2))
        await here.until_states(SENT, SENT, SENT)
        first, second = here.agents.turns
        assert first.session_id != second.session_id
        assert "new session" in here.platform.texts("p1")[1]


async def test_stop_ends_the_running_turn_without_waiting_for_it(tmp_path) -> None:
    async with corridor(tmp_path) as here:

        async def never(turn):
            await asyncio.Event().wait()

        here.agents.answer_with = never
        await here.post(text(1))
        await here.until(lambda: here.agents.turns)
        await here.post({"id": "s", "peer": "p1", "text": "/stop"})
        await here.until_messages("answered", "no_answer")
        await here.until(lambda: here.platform.texts("p1") == ["已停止。Stopped."])
        here.agents.answer_with = None
        await here.post(text(2))
        await here.until(lambda: here.platform.texts("p1")[1:] == ["p1:2"])


async def test_help_is_told_without_asking_the_agent(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post({"id": "h", "peer": "p1", "text": "/help"})
        await here.until_states(SENT)
        assert "/new" in here.platform.texts("p1")[0]
        assert here.agents.turns == []


async def test_an_account_without_commands_hands_them_to_the_agent(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.add_account("plain", AccountConfig(access=AccessRules(commands=False)))
        await here.post({"id": "h", "peer": "p1", "text": "/help"}, account="plain")
        await here.until(lambda: here.platform.texts("p1") == ["/help"])


async def test_a_slow_agent_does_not_hold_other_conversations(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        gate = asyncio.Event()

        async def slow(turn):
            if turn.message.conversation.peer_id == "slow":
                await gate.wait()
            return (Reply(turn.message.content.text),)

        here.agents.answer_with = slow
        await here.post(text(1, "slow"))
        await here.post(text(1, "quick"))
        await here.until(lambda: here.platform.texts("quick") == ["quick:1"])
        assert here.platform.texts("slow") == []
        gate.set()
        await here.until(lambda: here.platform.texts("slow") == ["slow:1"])


async def test_a_message_without_binding_is_kept_and_can_be_rerouted(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        bindings, here.book.bindings = here.book.bindings, []
        await here.post(text(1))
        await here.until_messages("unrouted")
        here.book.bindings = bindings
        page = await here.store.ledger.messages(MessageFilter(), 1, "")
        await here.store.turns.reroute([page.items[0].message_id], here.clock.now())
        here.worker.wake()
        await here.until_messages("answered")


async def test_meta_returns_to_the_provider_and_reaches_no_agent(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(text(1))
        await here.until_states(SENT)
        seen = msgspec.json.encode(here.agents.turns[0].message.content)
        assert b"secret_of" not in seen


async def test_a_bad_signature_is_401_and_stores_nothing(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        with pytest.raises(RequestRefused) as refused:
            await here.post(text(1), bad="1")
        assert refused.value.http_status == 401
        assert await here.message_states() == []


async def test_a_platform_that_redelivers_for_long_is_told_503(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        here.platform.fail_parse(FaultKind.NOT_READY)
        with pytest.raises(RequestRefused) as refused:
            await here.post(text(1))
        assert (refused.value.http_status, refused.value.retry_after_s) == (503, 5)


async def test_a_platform_that_does_not_wait_is_acknowledged_and_parsed_later(tmp_path) -> None:
    async with corridor(tmp_path, redelivery="short") as here:
        here.platform.fail_parse(FaultKind.NOT_READY)
        answer = await here.post(text(1))
        assert (answer.status, answer.body) == (200, b'{"ok":true}')
        assert not answer.is_verified
        came_at = here.clock.now()
        while not here.platform.arrivals:
            here.clock.advance(1)
            await asyncio.sleep(0.005)
        assert here.platform.texts("p1") == ["p1:1"]
        (message,) = (await here.store.ledger.messages(MessageFilter(direction="in"), 9, "")).items
        trail = await here.store.ledger.trail(message.message_id)
        assert trail[0].at == came_at, "the time at which the platform asked"
        parsed = here.agents.turns[0].message
        assert (parsed.received_at, parsed.sent_at) == (came_at, came_at)


async def test_a_request_does_not_overtake_an_earlier_one_that_waits_in_the_spool(tmp_path) -> None:
    async with corridor(tmp_path, redelivery="short") as here:
        here.platform.fail_parse(FaultKind.NOT_READY)
        assert (await here.post(text(1))).status == 200
        assert (await here.post(text(2))).body == b"ok"
        assert here.platform.texts("p1") == []

        def both() -> bool:
            here.clock.advance(1)
            return len(here.platform.arrivals) == 2

        await here.until(both)
        assert here.platform.texts("p1") == ["p1:1", "p1:2"]


async def test_waiting_for_a_plugin_is_no_failure_of_the_request(tmp_path) -> None:
    async with corridor(tmp_path, redelivery="short") as here:
        for kind in (FaultKind.TIMEOUT, *[FaultKind.NOT_READY] * 4, FaultKind.PLUGIN_CRASHED):
            here.platform.fail_parse(kind)
        assert (await here.post(text(1))).status == 200

        def arrived() -> bool:
            here.clock.advance(10)
            return here.platform.texts("p1") == ["p1:1"]

        await here.until(arrived)


async def test_a_spooled_forgery_becomes_a_security_event(tmp_path) -> None:
    async with corridor(tmp_path, redelivery="none") as here:
        here.platform.fail_parse(FaultKind.TIMEOUT)
        here.platform.fail_parse(FaultKind.SIGNATURE_INVALID)
        assert (await here.post(text(1))).status == 200

        async def noted() -> bool:
            here.clock.advance(1)
            page = await here.store.events.events("", "", 50, "")
            return any(event.name == "spooled_request_refused" for event in page.items)

        await here.until(noted)
        assert await here.message_states() == []


async def test_two_bots_do_not_talk_for_ever(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        for number in range(12):
            await here.post(text(number, is_bot=True))
        await here.until_messages(*["answered"] * 10, "no_answer", "no_answer")


async def test_a_message_sent_first_takes_the_same_way_once_per_key(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        request = SendRequest("chat", "main", "user", "p9", "hello")
        first = await here.sends.send(request, "k1")
        again = await here.sends.send(request, "k1")
        assert (first[1], again[1]) == (True, False)
        assert first[0] == again[0]
        await here.until(lambda: here.platform.texts("p9") == ["hello"])


async def test_what_was_accepted_before_a_restart_is_answered_after_it(tmp_path) -> None:
    async with corridor(tmp_path, is_running=False) as before:
        assert (await before.post(text(1))).status == 200
        clock, platform = before.clock, before.platform
    async with corridor(tmp_path, clock=clock, platform=platform) as here:
        await here.until_states(SENT)
        assert here.platform.texts("p1") == ["p1:1"]


async def test_the_trail_tells_every_step_with_plugin_version_and_account(tmp_path) -> None:
    async with corridor(tmp_path) as here:
        await here.post(text(1))
        await here.until_states(SENT)
        page = await here.store.ledger.messages(MessageFilter(direction="in"), 1, "")
        trail = await here.store.ledger.trail(page.items[0].message_id)
        names = [step.step for step in trail]
        for name in (
            "received",
            "accepted",
            "turn_started",
            "answered",
            "queued",
            "sending",
            "sent",
        ):
            assert name in names
        assert [step.at for step in trail] == sorted(step.at for step in trail)
        sent = next(step for step in trail if step.step == "sent")
        assert (sent.plugin_id, sent.version, sent.account_id) == ("chat", "builtin@test", "main")


async def test_a_shared_request_gives_each_account_what_is_its_own_in_one_answer(tmp_path) -> None:
    async with corridor(tmp_path, shares_requests=True) as here:
        await here.add_account("second")
        here.platform.owner_of = {"for-main": "main", "for-second": "second"}
        answer = await here.post(text(1, "for-main"), text(1, "for-second"))
        assert answer.status == 200
        await here.until(lambda: len(here.platform.arrivals) == 2)
        assert {(a.account_id, a.peer_id) for a in here.platform.arrivals} == {
            ("main", "for-main"),
            ("second", "for-second"),
        }


async def test_a_shared_request_that_nobody_can_verify_is_401(tmp_path) -> None:
    async with corridor(tmp_path, shares_requests=True) as here:
        await here.add_account("second")
        with pytest.raises(RequestRefused) as refused:
            await here.post(text(1), bad="1")
        assert refused.value.http_status == 401


async def test_of_a_shared_request_one_account_alone_may_know_the_signature(tmp_path) -> None:
    async with corridor(tmp_path, shares_requests=True) as here:
        await here.add_account("second")
        here.platform.fail_parse(FaultKind.FORBIDDEN)  # the first account asked: not its own
        assert (await here.post(text(1))).status == 200
        await here.until(lambda: [a.account_id for a in here.platform.arrivals] == ["second"])
