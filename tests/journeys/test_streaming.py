"""Delivery semantics, Streaming: a reply is shown while it is written, and ends as it should."""

import asyncio

import pytest

from tests.journeys.corridor import Agents, corridor
from wunder.errors import AgentFailed
from wunder.model.account import AccountConfig, DeliverySettings
from wunder.model.delivery import DeliveryState
from wunder.model.fault import Fault, FaultKind
from wunder.model.message import Attachment
from wunder.model.turn import Reply
from wunder.outbound.queue import SendRequest
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter

SENT, STREAMING, UNKNOWN = DeliveryState.SENT, DeliveryState.STREAMING, DeliveryState.UNKNOWN
FAILED = DeliveryState.FAILED
CAN_EDIT = {"webhook": True, "outbound": True, "edit": True}
HELLO = {"id": "1", "peer": "ann", "text": "hi"}


class Writer(Agents):
    """An agent whose pen the test holds."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.go_on = asyncio.Event()
        self.replies: tuple[Reply, ...] = (Reply("the whole answer", "markdown"),)
        self.fails: Exception | None = None
        self.answer_with = self._write

    async def _write(self, turn):
        self.can_show = turn.say is not None
        for text in self.said:
            if turn.say is not None:
                turn.say(text)
            await asyncio.sleep(0)
        await self.go_on.wait()
        if self.fails is not None:
            raise self.fails
        return self.replies

    def say(self, text: str) -> None:
        self.turns[-1].say(text)


def stage(tmp_path, **more):
    more.setdefault("capabilities", CAN_EDIT)
    more.setdefault("agents", Writer())
    return corridor(tmp_path, **more)


async def only_delivery(here):
    page = await here.store.ledger.deliveries(DeliveryFilter(), 10, "")
    assert len(page.items) == 1
    return page.items[0]


async def shown(here, text: str) -> None:
    await here.until(lambda: text in here.platform.screen.values())


async def test_a_reply_is_shown_while_it_is_written_and_ends_with_the_whole(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        await here.post(HELLO)
        await shown(here, "the")
        assert (await only_delivery(here)).state is STREAMING
        here.agents.say("the whole")
        here.clock.advance(0.7)
        await shown(here, "the whole")
        here.agents.go_on.set()
        await here.until_states(SENT)
        assert here.platform.screen == {"p1": "the whole answer"}
        assert [edit.is_final for edit in here.platform.edits] == [False, True]
        assert len(here.platform.arrivals) == 1
        delivery = await only_delivery(here)
        assert (delivery.provider_message_id, delivery.reply_ordinal) == ("p1", 1)
        out = await here.store.ledger.messages(MessageFilter(direction="out"), 10, "")
        assert [message.text for message in out.items] == ["the whole answer"]


async def test_frames_keep_the_platforms_pace_and_show_only_the_newest(tmp_path) -> None:
    async with stage(tmp_path, edit_interval_ms=1000) as here:
        here.agents.said = ["1"]
        await here.post(HELLO)
        await shown(here, "1")
        for text in ("12", "123", "1234"):
            here.agents.say(text)
            await asyncio.sleep(0.02)
        assert here.platform.edits == []
        here.clock.advance(1.0)
        await shown(here, "1234")
        assert [edit.text for edit in here.platform.edits] == ["1234"]
        here.agents.go_on.set()
        await here.until_states(SENT)


async def test_seq_grows_with_each_edit(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["1"]
        await here.post(HELLO)
        await shown(here, "1")
        here.agents.say("12")
        here.clock.advance(0.7)
        await shown(here, "12")
        here.clock.advance(0.7)
        here.agents.go_on.set()
        await here.until_states(SENT)
        first, last = here.platform.edits
        assert first.at < last.at


@pytest.mark.parametrize(
    "more",
    [
        {"capabilities": {"webhook": True, "outbound": True}},
        {"stream": False},
    ],
)
async def test_elsewhere_only_the_final_text_is_sent(tmp_path, more) -> None:
    wants = more.pop("stream", True)
    async with stage(tmp_path, **more) as here:
        config = AccountConfig(delivery=DeliverySettings(stream=wants))
        await here.add_account("other", config)
        here.agents.said = ["the"]
        here.agents.go_on.set()
        await here.post(HELLO, account="other")
        await here.until_states(SENT)
        assert here.agents.can_show is False
        assert here.platform.texts() == ["the whole answer"]
        assert here.platform.edits == []


async def test_an_agent_that_says_nothing_before_its_end_is_sent_once(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.go_on.set()
        await here.post(HELLO)
        await here.until_states(SENT)
        assert here.platform.texts() == ["the whole answer"]
        assert here.platform.edits == []


async def test_further_replies_follow_in_order(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["o"]
        here.agents.replies = (Reply("one"), Reply("two"), Reply("three"))
        await here.post(HELLO)
        await shown(here, "o")
        here.agents.go_on.set()
        await here.until_states(SENT, SENT, SENT)
        assert here.platform.screen == {"p1": "one", "p2": "two", "p3": "three"}
        assert [arrival.ordinal for arrival in here.platform.arrivals] == [1, 2, 3]


async def test_the_next_message_waits_for_the_final_edit(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["a"]
        await here.post(HELLO)
        await shown(here, "a")
        await here.sends.send(SendRequest("chat", "main", "user", "ann", "news"), "k")
        await asyncio.sleep(0.05)
        assert here.platform.texts() == ["a"]
        here.agents.go_on.set()
        await here.until_states(SENT, SENT)
        assert here.platform.screen == {"p1": "the whole answer", "p2": "news"}


async def test_behind_a_waiting_delivery_nothing_is_shown_early(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.platform.fail(FaultKind.PROVIDER_UNAVAILABLE)
        await here.sends.send(SendRequest("chat", "main", "user", "ann", "first"), "k")
        await here.until(lambda: not here.platform.send_faults)
        here.agents.said = ["a"]
        await here.post(HELLO)
        await here.until(lambda: here.agents.turns)
        await asyncio.sleep(0.05)
        assert here.platform.texts() == []
        here.agents.go_on.set()
        await here.until_messages("answered")
        here.clock.advance(5)
        await here.until_states(SENT, SENT)
        assert here.platform.texts() == ["first", "the whole answer"]


async def test_after_a_crash_the_same_platform_message_is_edited(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        await here.post(HELLO)
        await shown(here, "the")
        await here.until(lambda: here.agents.turns)

        async def known() -> bool:
            return (await only_delivery(here)).provider_message_id == "p1"

        await here.until(known)
        platform, clock = here.platform, here.clock
    again = Writer()
    again.said = ["the whole"]
    async with stage(tmp_path, platform=platform, clock=clock, agents=again) as here:
        await shown(here, "the whole")
        again.go_on.set()
        await here.until_states(SENT)
        assert platform.screen == {"p1": "the whole answer"}
        assert len(platform.arrivals) == 1


async def test_after_a_crash_an_agent_that_does_not_stream_ends_it_too(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        await here.post(HELLO)
        await shown(here, "the")

        async def known() -> bool:
            return (await only_delivery(here)).provider_message_id == "p1"

        await here.until(known)
        platform, clock = here.platform, here.clock
    async with stage(tmp_path, platform=platform, clock=clock, agents=Agents()) as here:
        await here.until_states(SENT)
        assert platform.screen == {"p1": "hi"}
        assert len(platform.arrivals) == 1


async def test_a_first_frame_without_answer_is_parked_and_never_repeated(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.platform.lose_next_answer()
        here.agents.said = ["the"]
        await here.post(HELLO)
        await here.until_states(UNKNOWN)
        here.agents.go_on.set()
        await here.until_messages("answered")
        here.clock.advance(120)
        await asyncio.sleep(0.05)
        assert await here.states() == [UNKNOWN]
        assert len(here.platform.arrivals) == 1
        out = await here.store.ledger.messages(MessageFilter(direction="out"), 10, "")
        assert [message.text for message in out.items] == ["the whole answer"]


async def test_where_the_platform_folds_repeats_the_whole_is_sent_under_the_same_key(
    tmp_path,
) -> None:
    async with stage(tmp_path, idempotency_window_s=300) as here:
        here.platform.lose_next_answer()
        here.agents.said = ["the"]
        await here.post(HELLO)
        await here.until(lambda: here.platform.arrivals)
        here.agents.go_on.set()
        await here.until_states(SENT)  # the platform called it a duplicate: it had arrived
        assert len(here.platform.arrivals) == 1


async def test_a_first_frame_that_certainly_failed_is_simply_sent_at_the_end(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.platform.fail(FaultKind.PROVIDER_UNAVAILABLE)
        here.agents.said = ["the"]
        await here.post(HELLO)
        await here.until(lambda: not here.platform.send_faults)
        here.agents.go_on.set()
        await here.until_states(SENT)
        assert here.platform.texts() == ["the whole answer"]
        attempts = (await here.store.ledger.delivery((await only_delivery(here)).delivery_id))[1]
        assert [one.outcome for one in attempts] == ["not_sent", "sent"]


async def test_lost_frames_do_not_matter_and_the_final_edit_is_tried_again(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        await here.post(HELLO)
        await shown(here, "the")
        here.platform.edit_faults.append(Fault(FaultKind.TIMEOUT, "no", "unknown"))
        here.agents.say("the whole")
        here.clock.advance(0.7)
        await here.until(lambda: not here.platform.edit_faults)
        here.platform.edit_faults.append(Fault(FaultKind.TIMEOUT, "no", "unknown"))
        here.agents.go_on.set()
        await here.until_messages("answered")
        await here.until(lambda: not here.platform.edit_faults)
        here.clock.advance(5)
        await here.until_states(SENT)
        assert here.platform.screen == {"p1": "the whole answer"}


async def test_a_platform_that_asks_to_wait_is_left_alone_for_that_time(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        await here.post(HELLO)
        await shown(here, "the")
        here.platform.edit_faults.append(
            Fault(FaultKind.RATE_LIMITED, "slow", retry_after_s=5.0, is_retryable=True)
        )
        here.agents.say("the whole")
        here.clock.advance(0.7)
        await here.until(lambda: not here.platform.edit_faults)
        here.clock.advance(2)
        await asyncio.sleep(0.05)
        assert here.platform.edits == []
        here.clock.advance(3.1)
        await shown(here, "the whole")
        here.agents.go_on.set()
        await here.until_states(SENT)


async def test_what_cannot_be_shown_by_an_edit_comes_as_a_message_of_its_own(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        await here.post(HELLO)
        await shown(here, "the")
        # This platform folds by ordinal: the first try of its own collides, the next has another.
        here.platform.edit_faults.extend([Fault(FaultKind.TOO_LARGE, "too long for a card")] * 2)
        here.agents.go_on.set()
        await here.until_states(SENT)
        assert here.platform.texts() == ["the", "the whole answer"]


async def test_a_failing_agent_ends_in_an_apology_in_the_same_place(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        here.agents.fails = AgentFailed("gone", is_permanent=True)
        await here.post(HELLO)
        await shown(here, "the")
        here.agents.go_on.set()
        await here.until_states(SENT)
        assert len(here.platform.arrivals) == 1
        assert "Sorry" in here.platform.screen["p1"]


async def test_an_agent_that_ends_with_nothing_leaves_what_was_seen(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        here.agents.replies = ()
        await here.post(HELLO)
        await shown(here, "the")
        here.agents.go_on.set()
        await here.until_states(SENT)
        assert here.platform.screen == {"p1": "the"}


async def test_stop_ends_it_in_the_same_place(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        await here.post(HELLO)
        await shown(here, "the")
        await here.post({"id": "2", "peer": "ann", "text": "/stop"})
        await here.until_states(SENT)
        assert "Stopped" in here.platform.screen["p1"]
        assert len(here.platform.arrivals) == 1


async def test_a_turn_that_breaks_inside_ends_its_delivery(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.agents.said = ["the"]
        here.agents.replies = (Reply("x", attachments=(Attachment("image", blob_id="f" * 32),)),)
        await here.post(HELLO)
        await shown(here, "the")

        async def broken(account_uid, replies):
            raise RuntimeError("bug")

        here.attachments.media.sendable = broken
        here.agents.go_on.set()
        await here.until_messages("failed")
        await here.until_states(FAILED)
        await here.sends.send(SendRequest("chat", "main", "user", "ann", "news"), "k")
        await here.until_states(FAILED, SENT)


async def test_a_parked_account_shows_nothing_and_answers_later(tmp_path) -> None:
    async with stage(tmp_path) as here:
        here.platform.throttle(10)
        await here.sends.send(SendRequest("chat", "main", "user", "bob", "x"), "k")
        await here.until(lambda: not here.platform.send_faults)
        await asyncio.sleep(0.02)
        here.agents.said = ["the"]
        await here.post(HELLO)
        await here.until(lambda: here.agents.turns)
        await asyncio.sleep(0.05)
        assert here.platform.texts() == []
        here.agents.go_on.set()
        await here.until_messages("answered")
        here.clock.advance(11)
        await here.until_states(SENT, SENT)
        assert sorted(here.platform.texts()) == ["the whole answer", "x"]
