"""What every RetentionTable promises: what is old goes in small steps, what lives stays, figures follow."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.contracts.store_world import DAY_MS, UID, World
from tests.contracts.test_audit_log import entry
from tests.contracts.test_outbox_desk import finished
from tests.contracts.test_pairing_table import all_pairings, decide, knock
from wunder.model.delivery import DeliveryState
from wunder.model.ids import At, MessageId
from wunder.model.intake import NewQuarantine, SpoolVerdict, Taken
from wunder.model.message import MessageState
from wunder.model.trail import Event
from wunder.people.tables import AuditFilter
from wunder.store.reads import Reads
from wunder.upkeep.jobs import NewJob
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter
from wunder.upkeep.retention import Kept

S = DeliveryState


async def prune(world: World, kept: Kept, days: float = 90, limit: int = 50) -> int:
    """Go through one kind once; how many rows went."""
    before = At(world.now - int(days * DAY_MS))
    cursor: int | None = 0
    total = steps = 0
    while cursor is not None:
        done = await world.store.upkeep.retention.prune(kept, before, cursor, limit)
        assert done.rows <= limit * 40
        total, cursor, steps = total + done.rows, done.cursor, steps + 1
        assert steps < 200, "never ends"
    return total


async def both(world: World, days: float = 90, limit: int = 50) -> tuple[int, int]:
    gone = await prune(world, Kept.DELIVERIES, days, limit)
    return gone, await prune(world, Kept.MESSAGES, days, limit)


async def messages(world: World) -> list[str]:
    return [one.text for one in (await world.store.ledger.messages(MessageFilter(), 200, "")).items]


async def deliveries(world: World) -> int:
    return len((await world.store.ledger.deliveries(DeliveryFilter(), 200, "")).items)


async def test_what_ended_long_ago_goes_with_all_that_belongs_to_it(world: World) -> None:
    old = await finished(world, S.SENT, "old")
    root = (await world.delivery(old)).root_message_id
    world.clock.advance(91 * 86_400)
    new = await finished(world, S.SENT, "new", peer="p2")
    assert await both(world) == (1, 1)
    assert await messages(world) == ["new", "question"]
    assert await world.store.ledger.delivery(old) is None
    assert root is not None and await world.store.ledger.trail(root) == []
    assert await world.state(new) is S.SENT
    assert len(await world.attempts(new)) == 1


async def test_figures_follow_and_say_what_went(world: World) -> None:
    await finished(world, S.SENT)
    await finished(world, S.FAILED, peer="p2")
    world.clock.advance(91 * 86_400)
    await both(world)
    figures = world.store.health.figures()
    assert figures["channel_outbox_sent"] == figures["channel_outbox_failed"] == 0
    assert figures["channel_messages_answered"] == figures["channel_messages_out"] == 0
    assert figures["pruned_channel_outbox_sent"] == figures["pruned_channel_outbox_failed"] == 1
    assert figures["pruned_channel_messages_answered"] == 2


async def test_steps_are_small_and_go_on_where_they_were(world: World) -> None:
    for number in range(7):
        await finished(world, S.SENT, peer=f"p{number}")
    world.clock.advance(91 * 86_400)
    before = At(world.now - 90 * DAY_MS)
    table = world.store.upkeep.retention
    first = await table.prune(Kept.DELIVERIES, before, 0, 3)
    assert first.rows == 3 and first.cursor is not None
    second = await table.prune(Kept.DELIVERIES, before, first.cursor, 3)
    assert second.rows == 3 and second.cursor is not None
    last = await table.prune(Kept.DELIVERIES, before, second.cursor, 3)
    assert (last.rows, last.cursor) == (1, None)


@pytest.mark.parametrize("state", [S.PENDING, S.HELD])
async def test_a_delivery_that_lives_stays_however_old(world: World, state: DeliveryState) -> None:
    (delivery_id,) = await world.queue("x", ttl_ms=1_000 * DAY_MS)
    given = {"retry_s": 1.0} if state is S.PENDING else {}
    await world.settle(await world.claim_one(), state, **given)
    world.clock.advance(400 * 86_400)
    assert await both(world) == (0, 0)
    assert sorted(await messages(world)) == ["question", "x"], "nor does what it answers"
    if state is S.HELD:
        await world.store.outbox_desk.release_held(None, world.now, "ann")
    assert await world.sends_in_order() == ["x"]
    assert (await world.delivery(delivery_id)).state is S.SENT


async def test_a_delivery_under_way_stays_with_its_attempt(world: World) -> None:
    await world.queue("x", ttl_ms=1_000 * DAY_MS)
    claimed = await world.claim_one()
    world.clock.advance(400 * 86_400)
    assert await both(world) == (0, 0)
    assert await prune(world, Kept.ATTEMPTS, 1) == 0
    await world.settle(claimed)
    assert await world.state(claimed.delivery_id) is S.SENT


async def test_a_message_that_waits_or_is_being_answered_stays(world: World) -> None:
    await world.take(world.new("waits", "p1"))
    turn = await world.turn("answering", "p2")
    world.clock.advance(400 * 86_400)
    assert await both(world) == (0, 0)
    await world.answer(turn, "late")
    assert len(await world.store.turns.claim(9, world.now)) == 1


async def test_what_waits_in_one_thread_keeps_nothing_of_another(world: World) -> None:
    await world.answer(await world.turn("quiet", thread="t1"))
    await world.answer(await world.turn("waits", thread="t2"), "x", ttl_ms=1_000 * DAY_MS)
    world.clock.advance(91 * 86_400)
    assert await both(world) == (0, 1)
    assert sorted(await messages(world)) == ["waits", "x"]


class _Meanwhile:
    """Reads, and lets something happen between the look and the step that removes what was seen."""

    def __init__(self, reads: Reads, happens: Callable[[], Awaitable[object]]) -> None:
        self._reads = reads
        self._happens = happens

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        found = await self._reads.rows(sql, *values)
        await self._happens()
        return found


async def test_a_session_that_goes_on_while_it_is_looked_at_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.answer(await world.turn("first"), "x", session_id="s1")
    world.clock.advance(200 * 86_400)
    table: Any = world.store.upkeep.retention

    async def goes_on() -> None:
        await world.answer(await world.turn("second"), "y", session_id="s1")

    monkeypatch.setattr(table, "_reader", _Meanwhile(table._reader, goes_on))
    before = At(world.now - 180 * DAY_MS)
    assert (await table.prune(Kept.SESSIONS, before, 0, 50)).rows == 0
    assert (await world.turn("third")).session_id == "s1"
    assert world.store.health.figures()["channel_sessions"] == 1


async def test_what_ended_anew_while_it_was_looked_at_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery_id = await finished(world, S.FAILED)
    root = (await world.delivery(delivery_id)).root_message_id
    assert root is not None
    new = world.new("later routed", "p2", state=MessageState.UNROUTED)
    await world.take(new)
    world.clock.advance(91 * 86_400)
    table: Any = world.store.upkeep.retention

    async def sent_again() -> None:
        await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
        await world.settle(await world.claim_one())

    async def answered_now() -> None:
        await world.store.turns.reroute([new.message.message_id], world.now)
        (turn,) = await world.store.turns.claim(9, world.now)
        await world.answer(turn)

    before, reads = At(world.now - 90 * DAY_MS), table._reader
    monkeypatch.setattr(table, "_reader", _Meanwhile(reads, sent_again))
    assert (await table.prune(Kept.DELIVERIES, before, 0, 50)).rows == 0
    assert await world.state(delivery_id) is S.SENT
    monkeypatch.setattr(table, "_reader", _Meanwhile(reads, answered_now))
    assert (await table.prune(Kept.MESSAGES, before, 0, 50)).rows == 1, "the other one alone"
    assert (await world.message_state(new.message.message_id))[0] == MessageState.ANSWERED


async def test_a_replayed_delivery_counts_from_its_new_end(world: World) -> None:
    delivery_id = await finished(world, S.FAILED)
    world.clock.advance(80 * 86_400)
    await world.store.outbox_desk.replay([delivery_id], world.now, "ann")
    await world.settle(await world.claim_one())
    world.clock.advance(20 * 86_400)
    assert (await both(world))[0] == 0
    assert await world.state(delivery_id) is S.SENT
    world.clock.advance(71 * 86_400)
    assert (await both(world))[0] == 1


async def test_keys_against_repeats_outlive_the_message(world: World) -> None:
    new = world.new(platform_id="pm", keep_ms=14 * DAY_MS)
    taken = await world.take(new, claim=1)
    await world.answer(taken.claimed[0])
    world.clock.advance(2 * 86_400)
    assert await prune(world, Kept.MESSAGES, 1) == 1
    again = world.new(platform_id="pm")
    repeated = await world.take(again, claim=1)
    assert repeated.results == {again.message.message_id: Taken.DUPLICATE}
    assert repeated.claimed == ()


async def test_late_evidence_of_what_went_is_no_trouble(world: World) -> None:
    delivery_id = await finished(world, S.UNKNOWN)
    world.clock.advance(91 * 86_400)
    await both(world)
    await world.receipt("pm-late", "delivered")
    assert await world.store.ledger.delivery(delivery_id) is None
    assert await world.store.outbox_desk.replay([delivery_id], world.now, "ann") == []


async def test_details_go_before_their_messages(world: World) -> None:
    old = await finished(world, S.SENT, "old")
    root = (await world.delivery(old)).root_message_id
    world.clock.advance(31 * 86_400)
    assert await prune(world, Kept.ATTEMPTS, 30) == 1
    assert await prune(world, Kept.TRAIL, 30) > 0
    assert await world.attempts(old) == []
    assert root is not None and await world.store.ledger.trail(root) == []
    assert len(await messages(world)) == 2
    await finished(world, S.SENT, "new", peer="p2")
    assert await prune(world, Kept.ATTEMPTS, 30) == 0, "what was looked at is not looked at again"
    world.clock.advance(31 * 86_400)
    assert await prune(world, Kept.ATTEMPTS, 30) == 1


async def test_events_quarantine_jobs_and_sessions_go_by_age(world: World) -> None:
    world.store.events.record(Event("plugin_started", world.now))
    await world.store.events.flush()
    await world.store.intake.take_in(world.unit(quarantine=[NewQuarantine("malformed", b"x")]))
    new = NewJob("j1", "replay", {"ids": ["x"]}, 1, 1, "ann", world.now)
    await world.store.upkeep.jobs.add(new)
    await finished(world, S.SENT)
    kinds = (Kept.EVENTS, Kept.QUARANTINE, Kept.JOBS, Kept.SESSIONS)
    assert [await prune(world, kind, 30) for kind in kinds] == [0, 0, 0, 0]
    world.clock.advance(31 * 86_400)
    assert [await prune(world, kind, 30) for kind in kinds] == [1, 1, 0, 1], (
        "a job that waits stays"
    )
    await world.store.upkeep.jobs.cancel("j1", At(world.now - 40 * DAY_MS))
    assert await prune(world, Kept.JOBS, 30) == 1
    figures = world.store.health.figures()
    assert figures["channel_events"] == figures["channel_quarantine"] == 0
    assert figures["jobs_cancelled"] == figures["channel_sessions"] == 0


async def test_a_request_that_nobody_parsed_for_days_is_set_aside(world: World) -> None:
    request = world.spooled()
    await world.store.intake.spool(request)
    later = At(world.now + 30 * DAY_MS)
    await world.store.intake.settle_spooled(request, SpoolVerdict.NOT_READY, later, "not_ready")
    world.clock.advance(6 * 86_400)
    assert await prune(world, Kept.SPOOL, 7) == 0
    world.clock.advance(2 * 86_400)
    assert await prune(world, Kept.SPOOL, 7) == 1
    figures = world.store.health.figures()
    assert (figures["channel_spool"], figures["channel_quarantine"]) == (0, 1)


async def test_codes_that_are_over_go_and_decisions_stay(world: World) -> None:
    await world.store.accounts.add(world.account())
    await knock(world)
    await knock(world, peer="p2")
    second, _first = await all_pairings(world)
    await decide(world, second)
    assert await prune(world, Kept.PAIRINGS, 1) == 0
    world.clock.advance(2 * 86_400)
    assert await prune(world, Kept.PAIRINGS, 1) == 1
    assert [one.state for one in await all_pairings(world)] == ["approved"]
    await world.store.accounts.remove(UID, world.now)
    assert await prune(world, Kept.PAIRINGS, 1) == 1, "an account takes its decisions along"
    assert world.store.health.figures()["channel_pairings_approved"] == 0


async def test_traffic_between_two_steps_loses_nothing(world: World) -> None:
    for number in range(6):
        await finished(world, S.SENT, peer=f"p{number}")
    world.clock.advance(91 * 86_400)
    table, before = world.store.upkeep.retention, At(world.now - 90 * DAY_MS)
    first = await table.prune(Kept.DELIVERIES, before, 0, 3)
    (fresh,) = await world.queue("fresh", peer="p0")
    assert first.cursor is not None
    await table.prune(Kept.DELIVERIES, before, first.cursor, 50)
    await prune(world, Kept.MESSAGES)
    assert await world.sends_in_order() == ["fresh"]
    assert await world.state(fresh) is S.SENT
    assert await deliveries(world) == 1


async def test_a_message_sent_first_goes_with_its_trail(world: World) -> None:
    delivery_id = await world.send_first("hello")
    await world.settle(await world.claim_one())
    message_id = MessageId((await world.delivery(delivery_id)).message_id)
    world.clock.advance(91 * 86_400)
    assert await prune(world, Kept.DELIVERIES) == 1
    assert await world.store.ledger.message(message_id) is None
    assert await world.store.ledger.trail(message_id) == []


async def test_what_a_reroute_brought_back_to_life_stays(world: World) -> None:
    turn = await world.turn("again?")
    await world.answer(turn, state=MessageState.FAILED)
    world.clock.advance(91 * 86_400)
    before = At(world.now - 90 * DAY_MS)
    await world.store.turns.reroute([turn.message.message_id], world.now)
    done = await world.store.upkeep.retention.prune(Kept.MESSAGES, before, 0, 50)
    assert done.rows == 0
    assert len(await world.store.turns.claim(9, world.now)) == 1


async def test_the_audit_goes_by_age_too(world: World) -> None:
    await world.store.audit.add([entry(world.now), entry(world.now + 2 * DAY_MS)])
    pruned = await world.store.upkeep.retention.prune(Kept.AUDIT, At(world.now + DAY_MS), 0, 50)
    assert pruned.rows == 1
    [left] = (await world.store.audit.entries(AuditFilter(), 50, "")).items
    assert left.at == world.now + 2 * DAY_MS
