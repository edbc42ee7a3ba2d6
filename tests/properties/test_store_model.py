"""Lanes, claims, crashes and receipts against a model that a child could check."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.contracts.store_world import (
    UID,
    Opener,
    World,
    database_of,
    give_back,
    open_postgres,
    open_sqlite,
)
from tests.fakes.clock import FakeClock
from wunder.errors import FenceLost
from wunder.model.delivery import ClaimedDelivery, DeliveryState, Evidence
from wunder.model.ids import AccountUid, DeliveryId
from wunder.model.turn import ClaimedTurn
from wunder.store.readiness import POISON_CLAIMS

if TYPE_CHECKING:
    from wunder.store.postgres.store import PostgresStore

S = DeliveryState
#: Two peers of one account, and one of another.
ACCOUNT = {"a": UID, "b": UID, "c": AccountUid("acc-2")}
PEERS = st.sampled_from(sorted(ACCOUNT))
ENDS = st.sampled_from([S.SENT, S.FAILED, S.UNKNOWN, S.EXPIRED, S.CANCELLED])


class Lanes(RuleBasedStateMachine):
    """Per peer: messages waiting, the running turn, deliveries waiting, the one under way."""

    opener: Opener = staticmethod(open_sqlite)

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.count = 0
        self.turns: dict[str, list[str]] = {p: [] for p in "abc"}
        self.running: dict[str, ClaimedTurn] = {}
        self.claims: dict[str, int] = {}
        self.outbox: dict[str, list[str]] = {p: [] for p in "abc"}
        self.sending: dict[str, ClaimedDelivery] = {}
        self.ended: dict[str, tuple[str, DeliveryId, DeliveryState]] = {}
        #: The attempt that ended each delivery: proof of it may come at any time.
        self.tried: dict[DeliveryId, str] = {}
        self.retrying: set[str] = set()
        #: Lanes shut for a call that may still be running: until when, and whose.
        self.resting: dict[str, tuple[int, DeliveryId]] = {}
        #: Which node has a running turn, a delivery under way, in hand.
        self.at = 0
        self.answering_at: dict[str, int] = {}
        self.sending_at: dict[str, int] = {}

    def run(self, awaitable):
        return self.loop.run_until_complete(awaitable)

    @initialize()
    def open(self) -> None:
        path = Path(self.folder.name) / "data"
        self.world: World = self.run(World(self.opener, path, FakeClock()).open())

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.run(self.world.store.close())
            give_back(self.world.dir)
        self.loop.close()
        self.folder.cleanup()

    def name(self) -> str:
        self.count += 1
        return f"t{self.count}"

    # --- turns ----------------------------------------------------------------------------------

    @rule(peer=PEERS, hands=st.integers(0, 1))
    def take_in(self, peer: str, hands: int) -> None:
        text = self.name()
        taken = self.run(
            self.world.take(
                self.world.new(text, peer, platform_id=text, uid=ACCOUNT[peer]), claim=hands
            )
        )
        is_free = not self.turns[peer]
        self.turns[peer].append(text)
        self.claims[text] = 0
        assert len(taken.claimed) == (1 if hands and is_free else 0)
        for turn in taken.claimed:
            self.claims[text] = 1
            self.begin(peer, turn)

    @rule(limit=st.integers(1, 4))
    def claim_turns(self, limit: int) -> None:
        heads = {
            p: q[0]
            for p, q in self.turns.items()
            if q and p not in self.running and self.claims[q[0]] < 2
        }
        claimed = self.run(self.world.store.turns.claim(limit, self.world.now))
        assert len(claimed) == min(limit, len(heads))
        waiting = Counter(ACCOUNT[p] for p in heads)
        served = Counter(turn.message.conversation.account_uid for turn in claimed)
        for uid, heads_of_it in waiting.items():
            assert served[uid] >= min(heads_of_it, limit // len(waiting)), "an equal share"
        for turn in claimed:
            peer = turn.message.conversation.peer_id
            assert turn.message.content.text == heads[peer]
            self.claims[heads[peer]] += 1
            assert turn.claims == self.claims[heads[peer]]
            self.begin(peer, turn)

    @rule()
    def claim_a_suspect(self) -> None:
        suspects = {
            p
            for p, q in self.turns.items()
            if q and p not in self.running and self.claims[q[0]] >= 2
        }
        turn = self.run(self.world.store.turns.claim_suspect(self.world.now))
        assert (turn is not None) == bool(suspects)
        if turn is not None:
            peer = turn.message.conversation.peer_id
            assert peer in suspects
            self.claims[self.turns[peer][0]] += 1
            self.begin(peer, turn)

    def begin(self, peer: str, turn: ClaimedTurn) -> None:
        self.running[peer], self.answering_at[peer] = turn, self.at

    @precondition(lambda self: self.running)
    @rule(data=st.data(), replies=st.integers(0, 3), has_slot=st.booleans())
    def answer(self, data: st.DataObject, replies: int, has_slot: bool) -> None:
        peer = data.draw(st.sampled_from(sorted(self.running)))
        turn = self.running.pop(peer)
        self.turns[peer].pop(0)
        texts = [self.name() for _ in range(replies)]
        is_free = not self.outbox[peer] and not self.rests(peer)
        grant = self.world.grant(uid=ACCOUNT[peer]) if has_slot else None
        done = self.run(self.world.answer(turn, *texts, grant=grant, session_id=f"s{peer}"))
        self.outbox[peer] += texts
        assert len(done.claimed) == (1 if texts and is_free and has_slot else 0)
        for delivery in done.claimed:
            assert delivery.message.text == texts[0]
            self.mark(peer, delivery)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        peer = data.draw(st.sampled_from(sorted(self.running)))
        turn = self.running.pop(peer)
        self.claims[turn.message.content.text] -= 1
        self.run(self.world.store.turns.give_back([turn]))

    # --- deliveries -------------------------------------------------------------------------------

    @rule(limit=st.integers(1, 4), uid=st.sampled_from(sorted(set(ACCOUNT.values()))))
    def claim_deliveries(self, limit: int, uid: AccountUid) -> None:
        heads = {
            p: q[0]
            for p, q in self.outbox.items()
            if q and p not in self.sending and p not in self.retrying and not self.rests(p)
            if ACCOUNT[p] == uid
        }
        claimed = self.run(self.world.claim(limit, uid=uid))
        assert len(claimed) == min(limit, len(heads))
        for delivery in claimed:
            peer = delivery.message.conversation.peer_id
            assert delivery.message.text == heads[peer]
            self.mark(peer, delivery)

    def mark(self, peer: str, delivery: ClaimedDelivery) -> None:
        self.sending[peer], self.sending_at[peer] = delivery, self.at

    def rests(self, peer: str) -> bool:
        until, _of = self.resting.get(peer, (0, ""))
        return until > self.world.now

    def end(self, text: str, peer: str, delivery: ClaimedDelivery, state: DeliveryState) -> None:
        self.ended[text] = (peer, delivery.delivery_id, state)
        self.tried[delivery.delivery_id] = delivery.attempt_id

    def arrived(self, text: str) -> None:
        """It turns out that a delivery reached the platform: nobody need wait for its call."""
        peer, delivery_id, _ = self.ended[text]
        self.ended[text] = (peer, delivery_id, S.SENT)
        if peer in self.resting and self.resting[peer][1] == delivery_id:
            del self.resting[peer]

    @precondition(lambda self: self.sending)
    @rule(data=st.data(), state=ENDS, wants_next=st.booleans())
    def settle(self, data: st.DataObject, state: DeliveryState, wants_next: bool) -> None:
        peer = data.draw(st.sampled_from(sorted(self.sending)))
        delivery = self.sending.pop(peer)
        text = self.outbox[peer].pop(0)
        following = self.run(self.world.settle(delivery, state, take_next=wants_next))
        self.end(text, peer, delivery, state)
        assert len(following) == (1 if wants_next and self.outbox[peer] else 0)
        for one in following:
            assert one.message.text == self.outbox[peer][0]
            self.mark(peer, one)

    @precondition(lambda self: self.sending)
    @rule(data=st.data())
    def retry_later(self, data: st.DataObject) -> None:
        peer = data.draw(st.sampled_from(sorted(self.sending)))
        self.run(self.world.settle(self.sending.pop(peer), S.PENDING, retry_s=10))
        self.retrying.add(peer)

    @rule(seconds=st.sampled_from([11, 61]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds)
        self.retrying.clear()

    @precondition(
        lambda self: any(s in (S.FAILED, S.UNKNOWN, S.EXPIRED) for *_, s in self.ended.values())
    )
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        can = sorted(
            t for t, (*_, s) in self.ended.items() if s in (S.FAILED, S.UNKNOWN, S.EXPIRED)
        )
        text = data.draw(st.sampled_from(can))
        peer, delivery_id, _ = self.ended.pop(text)
        desk = self.world.store.outbox_desk
        assert self.run(desk.replay([delivery_id], self.world.now, "x")) == [delivery_id]
        self.outbox[peer].append(text)

    @precondition(lambda self: self.not_sent())
    @rule(data=st.data())
    def hear_late(self, data: st.DataObject) -> None:
        text = data.draw(st.sampled_from(self.not_sent()))
        _, delivery_id, _ = self.ended[text]
        proof = Evidence(self.tried[delivery_id], f"p-{text}", self.world.now)
        assert self.run(self.world.store.outbox.confirm(proof))
        assert self.run(self.world.state(delivery_id)) is S.SENT
        self.arrived(text)

    def not_sent(self) -> list[str]:
        return sorted(text for text, (*_, state) in self.ended.items() if state is not S.SENT)

    # --- the end of a process -----------------------------------------------------------------------

    @rule()
    def die(self) -> None:
        self.run(self.world.die_and_return())
        self.lose(self.at, rests_s=0)

    def lose(self, node: int, rests_s: float) -> None:
        """What a node had in hand is put right by whoever noticed that it is gone."""
        for peer in [p for p in self.running if self.answering_at[p] == node]:
            lost = self.running.pop(peer)
            if lost.is_alone and lost.claims >= POISON_CLAIMS:
                self.turns[peer].pop(0)
                self.outbox[peer].append(self.world.policy.apology)
        for peer in [p for p in self.sending if self.sending_at[p] == node]:
            text, delivery = self.outbox[peer].pop(0), self.sending.pop(peer)
            self.end(text, peer, delivery, S.UNKNOWN)
            if rests_s:
                until = self.world.now + int(rests_s * 1000)
                self.resting[peer] = (until, delivery.delivery_id)

    @invariant()
    def counters_agree(self) -> None:
        if not hasattr(self, "world"):
            return
        self.look()
        figures = self.world.store.health.figures()
        waiting = sum(map(len, self.turns.values())) - len(self.running)
        assert figures.get("channel_messages_received", 0) == waiting
        assert figures.get("channel_messages_answering", 0) == len(self.running)
        pending = sum(map(len, self.outbox.values())) - len(self.sending)
        assert figures.get("channel_outbox_pending", 0) == pending
        assert figures.get("channel_outbox_sending", 0) == len(self.sending)

    def look(self) -> None:
        """One node always knows its figures."""


class LanesOnPostgres(Lanes):
    """The same play on the other engine."""

    opener: Opener = staticmethod(open_postgres)


class LanesOnNodes(LanesOnPostgres):
    """The same play by three nodes on one database, which die, fall silent and come back late."""

    def __init__(self) -> None:
        super().__init__()
        #: What silent nodes still believe to have in hand: peer and turn; text, peer and delivery.
        self.late_turns: list[tuple[int, ClaimedTurn]] = []
        self.late_sends: list[tuple[int, str, ClaimedDelivery]] = []

    @initialize()
    def open(self) -> None:
        clock = FakeClock()
        self.nodes: list[World] = []
        for number in range(3):
            place = Path(self.folder.name) / f"node{number}"
            if self.nodes:
                database_of(place, of=self.nodes[0].dir)
            self.nodes.append(self.run(World(self.opener, place, clock).open()))
        self.world = self.nodes[0]

    def teardown(self) -> None:
        first, *others = getattr(self, "nodes", [None])
        for world in others:
            self.run(world.store.close())
        if first is not None:
            self.world = first
        super().teardown()

    def look(self) -> None:
        """Each step is another node's; it looks around first."""
        self.at = (self.at + 1) % len(self.nodes)
        self.world = self.nodes[self.at]
        self.run(self.look_after_leases(self.world))

    @staticmethod
    async def look_after_leases(world: World) -> None:
        look: Any = world.store
        await look.look_after_leases()

    @rule(silent=st.integers(0, 2))
    def fall_silent(self, silent: int) -> None:
        """A node is not heard of for longer than its lease; the one at work takes over."""
        if silent == self.at:
            return
        self.late_turns += [
            (silent, turn)
            for peer, turn in self.running.items()
            if self.answering_at[peer] == silent
        ]
        self.late_sends += [
            (silent, self.outbox[peer][0], delivery)
            for peer, delivery in self.sending.items()
            if self.sending_at[peer] == silent
        ]
        self.run(self.end_lease(self.nodes[silent]))
        self.run(self.look_after_leases(self.world))
        self.lose(silent, self.world.policy.tombstone_s)

    @staticmethod
    async def end_lease(world: World) -> None:
        conn = await asyncpg.connect(database_of(world.dir))
        node_id = cast("PostgresStore", world.store).life.node_id
        await conn.execute("UPDATE channel_leases SET lease_until = 1 WHERE node_id = $1", node_id)
        await conn.close()

    @precondition(lambda self: self.late_turns)
    @rule()
    def answer_too_late(self) -> None:
        node, turn = self.late_turns.pop()
        with pytest.raises(FenceLost):
            self.run(self.nodes[node].answer(turn, "from the past"))

    @precondition(lambda self: self.late_sends)
    @rule(has_arrived=st.booleans())
    def settle_too_late(self, has_arrived: bool) -> None:
        node, text, delivery = self.late_sends.pop()
        _, delivery_id, state = self.ended.get(text, ("", None, None))
        if delivery_id != delivery.delivery_id or state is not S.UNKNOWN:
            return  # a person sent it again meanwhile
        outcome = S.SENT if has_arrived else S.FAILED
        assert self.run(self.nodes[node].settle(delivery, outcome)) == []
        state = S.SENT if has_arrived else S.UNKNOWN
        assert self.run(self.world.state(delivery.delivery_id)) is state
        if has_arrived:
            self.arrived(text)


#: A play that is cut off in the middle looks to hypothesis as if it had gone another way.
PLAY_LIMIT_S = 240
TestLanes = pytest.mark.timeout(PLAY_LIMIT_S)(Lanes.TestCase)
TestLanes.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLanesOnPostgres = pytest.mark.timeout(PLAY_LIMIT_S)(LanesOnPostgres.TestCase)
TestLanesOnPostgres.settings = settings(TestLanes.settings, max_examples=8)
TestLanesOnNodes = pytest.mark.timeout(PLAY_LIMIT_S)(LanesOnNodes.TestCase)
TestLanesOnNodes.settings = settings(TestLanes.settings, max_examples=4, stateful_step_count=30)
