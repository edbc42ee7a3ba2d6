"""What every Intake promises: T1, the keys, the spool and the quarantine (delivery semantics)."""

import asyncio

import msgspec
import pytest

from tests.contracts import raw_rows
from tests.contracts.store_world import DAY_MS, UID, World
from wunder.errors import StoreFull
from wunder.model.ids import AccountUid, At, MessageId, new_id
from wunder.model.intake import NewQuarantine, SpoolVerdict, Taken
from wunder.model.message import Attachment, Content, Location, MessageState
from wunder.model.trail import StepName
from wunder.upkeep.ledger import MessageFilter

# --- identity and keys ------------------------------------------------------------------------


async def test_a_message_is_stored_as_it_came(world: World) -> None:
    new = world.new("你好 👋", "p1", thread="t9", meta={"hook": "https://x/1"})
    taken = await world.take(new, claim=1)
    assert taken.results == {new.message.message_id: Taken.ACCEPTED}
    assert taken.claimed[0].message == new.message
    await world.die_and_return()
    (again,) = await world.store.turns.claim(9, world.now)
    assert again.message == new.message


async def test_the_same_event_again_is_a_duplicate(world: World) -> None:
    first = world.new(platform_id="pm")
    await world.take(first)
    again = world.new(platform_id="pm")
    taken = await world.take(again)
    assert taken.results == {again.message.message_id: Taken.DUPLICATE}
    assert taken.claimed == ()
    assert await world.store.ledger.message(again.message.message_id) is None


async def test_the_same_event_twice_in_one_request_is_folded(world: World) -> None:
    first, again = world.new(platform_id="pm"), world.new(platform_id="pm")
    taken = await world.take(first, again, claim=9)
    assert taken.results[first.message.message_id] is Taken.ACCEPTED
    assert taken.results[again.message.message_id] is Taken.DUPLICATE
    assert len(taken.claimed) == 1


async def test_running_the_same_unit_again_is_a_no_op(world: World) -> None:
    unit = world.unit(world.new(), world.new("two"))
    first = await world.store.intake.take_in(unit)
    again = await world.store.intake.take_in(unit)
    assert again.results == first.results
    assert world.store.health.figures()["channel_messages_received"] == 2
    (message_id, *_) = first.results
    assert (await world.steps(message_id)).count(StepName.ACCEPTED) == 1


async def test_the_same_key_with_other_content_is_kept_and_alerted(world: World) -> None:
    first = world.new("one", platform_id="pm")
    await world.take(first)
    other = world.new("two", platform_id="pm")
    taken = await world.take(other)
    assert taken.results == {other.message.message_id: Taken.COLLISION}
    (event,) = (await world.store.events.events("", UID, 9, "")).items
    assert (event.name, event.level) == ("message_collided", "error")
    assert world.store.health.figures()["channel_quarantine"] == 1
    kept = await raw_rows.run(world, "SELECT dedupe_key, message_id FROM channel_quarantine")
    assert kept == [(other.dedupe_key, first.message.message_id)], "whom it collided with"


async def test_conversations_are_compared_byte_by_byte(world: World) -> None:
    peers = ["Ann", "ann", "ann ", "\uff21\uff2e\uff2e", "a\u0301nn", "\u00e1nn"]
    taken = await world.take(*(world.new(peer=p, platform_id="same") for p in peers), claim=9)
    assert set(taken.results.values()) == {Taken.ACCEPTED}
    assert len(taken.claimed) == len(peers), "each has a lane of its own"


async def test_threads_and_kinds_are_conversations_of_their_own(world: World) -> None:
    taken = await world.take(
        world.new(platform_id="same"),
        world.new(platform_id="same", thread="t"),
        world.new(platform_id="same", kind="group"),
        world.new(platform_id="same", uid=AccountUid("acc-2")),
        claim=9,
    )
    assert len(taken.claimed) == 4


async def test_keys_outlive_their_message_for_as_long_as_told(world: World) -> None:
    await world.take(world.new(platform_id="pm", keep_ms=20 * DAY_MS))
    world.clock.advance(19 * 86_400)
    await world.store.sweep()
    (result,) = (await world.take(world.new(platform_id="pm"))).results.values()
    assert result is Taken.DUPLICATE


async def test_keys_are_forgotten_after_their_time(world: World) -> None:
    await world.take(world.new(platform_id="pm", keep_ms=14 * DAY_MS))
    world.clock.advance(15 * 86_400)
    await world.store.sweep()
    assert world.store.health.figures()["channel_dedupe"] == 0
    (result,) = (await world.take(world.new(platform_id="pm"))).results.values()
    assert result is Taken.ACCEPTED


# --- what may not enter a table ---------------------------------------------------------------


async def test_nul_and_lone_surrogates_become_replacement_characters(world: World) -> None:
    new = world.new("a\x00b\ud800c", meta={"k\x00": "v\udfff", "n": 2**70})
    (turn,) = (await world.take(new, claim=1)).claimed
    assert turn.message.content.text == "a\ufffdb\ufffdc"
    assert turn.message.meta == {"k\ufffd": "v\ufffd", "n": 2**63 - 1}


async def test_times_beyond_64_bits_are_clamped(world: World) -> None:
    new = world.new()
    wild = msgspec.structs.replace(new.message, sent_at=At(10**30))
    (turn,) = (await world.take(msgspec.structs.replace(new, message=wild), claim=1)).claimed
    assert turn.message.sent_at == 2**63 - 1


async def test_one_bad_row_goes_to_quarantine_and_the_rest_is_taken_in(world: World) -> None:
    good, bad = world.new("good"), world.new("bad", meta={"x": object()})
    taken = await world.take(good, bad)
    assert taken.results == {
        good.message.message_id: Taken.ACCEPTED,
        bad.message.message_id: Taken.QUARANTINED,
    }
    assert world.store.health.figures()["channel_quarantine"] == 1


async def test_a_bad_row_never_fails_its_neighbours_in_the_group_commit(world: World) -> None:
    bad = world.unit(world.new(meta={"x": object()}))
    units = [world.unit(world.new(peer=f"p{n}")) for n in range(20)]
    taken = await asyncio.gather(*map(world.store.intake.take_in, [*units[:10], bad, *units[10:]]))
    assert [set(t.results.values()) for t in taken].count({Taken.ACCEPTED}) == 20
    assert set(taken[10].results.values()) == {Taken.QUARANTINED}


# --- states at birth ---------------------------------------------------------------------------


async def test_a_message_is_born_answering_while_hands_are_free(world: World) -> None:
    messages = [world.new(peer=f"p{n}") for n in range(3)]
    taken = await world.take(*messages, claim=2)
    assert [t.message.message_id for t in taken.claimed] == [
        m.message.message_id for m in messages[:2]
    ]
    assert all(turn.claims == 1 and not turn.is_alone for turn in taken.claimed)
    states = [(await world.message_state(m.message.message_id))[0] for m in messages]
    assert states == ["answering", "answering", "received"]


async def test_a_message_waits_behind_the_running_turn_of_its_conversation(world: World) -> None:
    await world.turn("first")
    taken = await world.take(world.new("second"), claim=9)
    assert taken.claimed == ()
    assert await world.store.turns.claim(9, world.now) == []


async def test_messages_not_to_be_answered_are_stored_and_hold_no_lane(world: World) -> None:
    quiet = world.new("chatter", state=MessageState.NO_ANSWER, reason="not_mentioned")
    asked = world.new("question")
    taken = await world.take(quiet, asked, claim=9)
    assert [t.message.content.text for t in taken.claimed] == ["question"]
    stored = await world.store.ledger.message(quiet.message.message_id)
    assert stored is not None
    assert (stored.state, stored.reason, stored.text) == ("no_answer", "not_mentioned", "chatter")


async def test_refused_messages_are_stored_without_body(world: World) -> None:
    denied = world.new(
        "secret", state=MessageState.REFUSED, reason="denied", meta={"quote": "secret"}
    )
    body = msgspec.structs.replace(
        denied.message.content,
        attachments=(Attachment("file", name="secret.pdf"),),
        location=Location(1.0, 2.0, "secret place"),
    )
    message = msgspec.structs.replace(denied.message, content=body)
    await world.take(msgspec.structs.replace(denied, message=message))
    stored = await world.store.ledger.message(denied.message.message_id)
    assert stored is not None
    assert (stored.state, stored.reason, stored.text) == ("refused", "denied", "")
    (row,) = await raw_rows.run(world, "SELECT * FROM channel_messages")
    assert "secret" not in repr(row), "nothing of what was said is in any column"


async def test_a_mixed_batch_commits_in_one_transaction(world: World) -> None:
    unit = world.unit(
        world.new("good"),
        world.new("denied", state=MessageState.REFUSED),
        quarantine=[NewQuarantine("unparsable", b"{" * 100_000)],
    )
    await world.store.intake.take_in(unit)
    figures = world.store.health.figures()
    assert figures["channel_messages_received"] == 1
    assert figures["channel_messages_refused"] == 1
    assert figures["channel_quarantine"] == 1


async def test_the_quarantine_of_an_account_is_bounded(world: World) -> None:
    world.policy = msgspec.structs.replace(world.policy, quarantine_rows=5)
    await world.die_and_return()
    items = [NewQuarantine(f"r{n}", b"x") for n in range(12)]
    for item in items:
        await world.store.intake.take_in(world.unit(quarantine=[item]))
    assert world.store.health.figures()["channel_quarantine"] == 5


async def test_the_trail_tells_arrival_parsing_and_acceptance(world: World) -> None:
    new = world.new()
    await world.take(new)
    steps = await world.store.ledger.trail(new.message.message_id)
    assert [s.step for s in steps] == [StepName.RECEIVED, StepName.PARSED, StepName.ACCEPTED]
    assert {(s.plugin_id, s.version, s.account_uid, s.account_id) for s in steps} == {
        ("ch", "1.0.0", UID, "main")
    }


# --- disk ----------------------------------------------------------------------------------------


async def test_below_the_free_space_limit_intake_is_refused_and_outcomes_commit(
    world: World,
) -> None:
    turn = await world.turn()
    world.free_bytes = 10
    with pytest.raises(StoreFull):
        await world.take(world.new())
    with pytest.raises(StoreFull):
        await world.store.intake.spool(world.spooled())
    assert (await world.answer(turn, "still answered")).queued == 1
    world.free_bytes = 10**12
    await world.take(world.new())


# --- spool -----------------------------------------------------------------------------------------


async def test_spooled_requests_come_back_oldest_first_one_an_account(world: World) -> None:
    first, second = world.spooled("b"), world.spooled("b")
    other = world.spooled("a")
    for request in (first, second, other):
        assert await world.store.intake.spool(request)
    assert await world.store.intake.due_spooled(world.now, 9) == [first, other]
    assert await world.store.intake.due_spooled(world.now, 1) == [first]


async def test_a_postponed_request_holds_its_account_and_nobody_else(world: World) -> None:
    first, second, other = world.spooled("a"), world.spooled("a"), world.spooled("b")
    for request in (first, second, other):
        await world.store.intake.spool(request)
    later = At(world.now + 5_000)
    await world.store.intake.settle_spooled(first, SpoolVerdict.LATER, later, "not_ready")
    assert await world.store.intake.due_spooled(world.now, 9) == [other]
    world.clock.advance(5)
    (again, _) = await world.store.intake.due_spooled(world.now, 9)
    assert (again.spool_id, again.tries) == (first.spool_id, 1)
    assert again.received_at == first.received_at, "freshness is judged by the first arrival"


async def test_the_spool_of_an_account_is_bounded_in_rows(world: World) -> None:
    world.policy = msgspec.structs.replace(world.policy, spool_rows=3)
    await world.die_and_return()
    kept = [await world.store.intake.spool(world.spooled("a")) for _ in range(5)]
    assert kept == [True, True, True, False, False]
    assert await world.store.intake.spool(world.spooled("b"))


@pytest.mark.parametrize(("size", "of_each"), [(100, 3), (300, 2)], ids=["rows", "bytes"])
async def test_the_spool_of_an_account_is_bounded_for_requests_that_come_at_once(
    world: World, size: int, of_each: int
) -> None:
    world.policy = msgspec.structs.replace(world.policy, spool_rows=3, spool_bytes=750)
    await world.die_and_return()
    requests = [world.spooled(uid, size) for uid in ("a", "b") * 6]
    kept = await asyncio.gather(*map(world.store.intake.spool, requests))
    assert [sum(kept[::2]), sum(kept[1::2])] == [of_each, of_each]
    assert world.store.health.figures()["channel_spool"] == 2 * of_each
    assert len(await world.store.intake.due_spooled(world.now, 9)) == 2


async def test_requests_are_kept_beside_messages_of_the_same_commit(world: World) -> None:
    await world.store.intake.spool(world.spooled("other"))
    taken, *kept = await asyncio.gather(
        world.take(world.new(), claim=1),
        *(world.store.intake.spool(world.spooled(uid)) for uid in ("a", "b", "a")),
    )
    assert kept == [True] * 3
    assert len(taken.claimed) == 1
    assert len(await world.store.intake.due_spooled(world.now, 9)) == 3


async def test_the_spool_of_an_account_is_bounded_in_bytes(world: World) -> None:
    world.policy = msgspec.structs.replace(world.policy, spool_bytes=250)
    await world.die_and_return()
    kept = [await world.store.intake.spool(world.spooled("a", size=100)) for _ in range(3)]
    assert kept == [True, True, False]


async def test_what_was_spooled_is_gone_with_the_messages_it_gave(world: World) -> None:
    request = world.spooled()
    await world.store.intake.spool(request)
    await world.store.intake.take_in(world.unit(world.new(), spool_id=request.spool_id))
    assert await world.store.intake.due_spooled(world.now, 9) == []
    assert world.store.health.figures()["channel_spool"] == 0


async def test_a_refused_spooled_request_is_gone(world: World) -> None:
    request = world.spooled()
    await world.store.intake.spool(request)
    await world.store.intake.settle_spooled(
        request, SpoolVerdict.REFUSED, world.now, "signature_invalid"
    )
    assert await world.store.intake.due_spooled(world.now, 9) == []
    assert "channel_quarantine" not in world.store.health.figures()


async def test_a_spooled_request_that_crashes_its_parser_is_set_aside(world: World) -> None:
    request = world.spooled()
    await world.store.intake.spool(request)
    await world.store.intake.settle_spooled(
        request, SpoolVerdict.QUARANTINED, world.now, "crashed_twice"
    )
    assert await world.store.intake.due_spooled(world.now, 9) == []
    assert world.store.health.figures()["channel_quarantine"] == 1


# --- search ------------------------------------------------------------------------------------------


async def test_a_message_is_found_by_text_name_and_ids(world: World) -> None:
    new = world.new("100% sure_thing", content=Content(text="100% sure_thing"))
    await world.take(new, world.new("other"))
    for text in ("100%", "sure_", "Ann", new.message.platform_message_id, new.message.message_id):
        page = await world.store.ledger.messages(MessageFilter(text=text), 9, "")
        assert new.message.message_id in [m.message_id for m in page.items], text
    assert (await world.store.ledger.messages(MessageFilter(text="1000"), 9, "")).items == ()
    assert await world.store.ledger.message(MessageId(new_id())) is None
