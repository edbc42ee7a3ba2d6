"""Room 2: takes received messages, one at a time a conversation, and commits what answers them."""

import asyncio
from typing import TYPE_CHECKING

import msgspec

from wunder.conversation.turn import TurnRunner
from wunder.errors import FenceLost, StoreUnavailable
from wunder.model.conversation import Conversation
from wunder.model.message import MessageState
from wunder.model.turn import ClaimedTurn, TurnCommit
from wunder.observe.logs import get_logger
from wunder.observe.metrics import Metrics
from wunder.observe.outage import Outage
from wunder.ports import Clock, SendSlots, Turns, Waiters, WakeUp

if TYPE_CHECKING:
    from asyncio import TaskGroup
    from collections.abc import Sequence

log = get_logger(__name__)


class WorkerPolicy(msgspec.Struct, frozen=True):
    """How many turns run at once, and how often to look without being woken."""

    turns_at_once: int = 256
    claim_at_once: int = 64
    poll_s: float = 1.0
    store_retry_s: float = 0.5


class Beside(msgspec.Struct, frozen=True):
    """The neighbours that learn of a commit: room 3's hands, room 1's waiting webhooks."""

    slots: SendSlots
    waiters: Waiters


class Worker:
    """Claims, answers and commits. Also room 2's free hands (port Hands)."""

    def __init__(
        self,
        turns: Turns,
        runner: TurnRunner,
        beside: Beside,
        clock: Clock,
        metrics: Metrics,
        policy: WorkerPolicy,
    ) -> None:
        self._turns = turns
        self._runner = runner
        self._slots = beside.slots
        self._waiters = beside.waiters
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._free = 0  # nothing may be handed over before run() starts
        self._running: dict[str, ClaimedTurn] = {}
        self._asking: dict[Conversation, asyncio.Task[None]] = {}
        self._interrupted: set[Conversation] = set()
        self._wake = WakeUp()
        self._outage = Outage(log, "turns")
        self._tasks: TaskGroup | None = None
        self._is_draining = False
        self._is_behind = False
        self._expects_suspects = False
        self._is_alone = False

    # --- port Hands: what room 1 may use to have a message born `answering` ---------------------

    def reserve(self, wanted: int) -> int:
        """Reserve up to `wanted` turn slots; none while others wait for one (ADR 0067)."""
        return 0 if self._is_behind else self._take(wanted)

    def release(self, count: int) -> None:
        """Give slots back unused."""
        self._free += count

    def give(self, work: ClaimedTurn) -> None:
        """Run a turn that was claimed under a reserved slot."""
        if self._tasks is not None:
            self._running[work.turn_id] = work
            self._tasks.create_task(self._carry(work), name=f"turn {work.turn_id}")

    def wake(self) -> None:
        """Say that messages wait."""
        self._wake.set()

    def expect_suspects(self) -> None:
        """Say that a node died which had messages in hand that had been in a crash before."""
        self._expects_suspects = True
        self._wake.set()

    def interrupt(self, conversation: Conversation) -> bool:
        """End the running turn of a conversation (port Interrupter)."""
        task = self._asking.get(conversation)
        if task is None:
            return False
        self._interrupted.add(conversation)
        task.cancel()
        return True

    # --- the room's own work -------------------------------------------------------------------

    async def run(self) -> None:
        """Claim whatever waits until cancelled; suspects first, each alone."""
        async with asyncio.TaskGroup() as self._tasks:
            await self._run_suspects()
            self._free = self._policy.turns_at_once
            while True:
                if self._expects_suspects:
                    await self._run_suspects_alone()
                has_more = False
                with self._outage:
                    has_more = await self._claim_waiting()
                if not has_more:
                    await self._wake.pause(self._policy.poll_s)

    async def drain(self, limit_s: float) -> None:
        """Take nothing new, wait for running turns, give back what is left unfinished."""
        self._is_draining = True
        ends_at = self._clock.monotonic() + limit_s
        while self._running and self._clock.monotonic() < ends_at:
            await self._clock.sleep(0.02)
        left = list(self._running.values())
        if not left:
            return
        try:
            await self._turns.give_back(left)
            log.info("turns_given_back", count=len(left))
        except StoreUnavailable as error:  # whoever starts next finds them claimed by a life before
            log.warning("turns_not_given_back", count=len(left), reason=error.code)

    async def _run_suspects(self) -> None:
        """Run messages that were in two crashes: nothing else runs here meanwhile."""
        while True:
            try:
                suspect = await self._turns.claim_suspect(self._clock.now())
            except StoreUnavailable:
                await self._clock.sleep(self._policy.store_retry_s)
                continue
            if suspect is None:
                return
            log.warning("suspect_runs_alone", message_id=suspect.message.message_id)
            self._running[suspect.turn_id] = suspect
            await self._answer(suspect)

    async def _run_suspects_alone(self) -> None:
        """Let what runs here end and begin nothing else meanwhile; other nodes go on."""
        self._expects_suspects, self._is_alone = False, True
        while self._free < self._policy.turns_at_once:
            await self._clock.sleep(0.02)
        await self._run_suspects()
        self._is_alone = False

    def _take(self, wanted: int) -> int:
        granted = 0 if self._is_draining or self._is_alone else min(wanted, self._free)
        self._free -= granted
        return granted

    async def _claim_waiting(self) -> bool:
        granted = self._take(self._policy.claim_at_once)
        if not granted:
            self._is_behind = True
            return False
        claimed: Sequence[ClaimedTurn] = ()
        try:
            claimed = await self._turns.claim(granted, self._clock.now())
        finally:
            self.release(granted - len(claimed))
        for turn in claimed:
            self.give(turn)
        self._is_behind = len(claimed) == granted
        return self._is_behind

    async def _carry(self, turn: ClaimedTurn) -> None:
        try:
            await self._answer(turn)
        finally:
            self.release(1)
            self._wake.set()

    async def _answer(self, turn: ClaimedTurn) -> None:
        try:
            await self._commit(await self._ask(turn))
        except Exception:
            log.exception("turn_failed_inside", turn_id=turn.turn_id)
            # It broke in our own code: shown as failed, its lane free.
            now = self._clock.now()
            await self._commit(TurnCommit(turn, MessageState.FAILED, now, reason="internal"))
        finally:
            # One that lost its fence may run on beside the one that took its place.
            if self._running.get(turn.turn_id) is turn:
                del self._running[turn.turn_id]

    async def _ask(self, turn: ClaimedTurn) -> TurnCommit:
        """Work out the turn's answer; only this part may be interrupted, never its commit."""
        conversation = turn.message.conversation
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a turn runs in a task")
        self._asking[conversation] = task
        try:
            return await self._when_readable(turn)
        except asyncio.CancelledError:
            if conversation not in self._interrupted:
                raise
            task.uncancel()
            return self._runner.stopped(turn)
        finally:
            if self._asking.get(conversation) is task:
                del self._asking[conversation]
                self._interrupted.discard(conversation)

    async def _when_readable(self, turn: ClaimedTurn) -> TurnCommit:
        """A turn reads before it asks: a store that is away then is waited for, as at its commit."""
        while True:
            try:
                return await self._runner.answer(turn)
            except StoreUnavailable as error:
                log.warning("turn_not_readable_yet", turn_id=turn.turn_id, reason=error.code)
            await self._clock.sleep(self._policy.store_retry_s)

    async def _commit(self, commit: TurnCommit) -> None:
        """T2, however long the store takes: the agent's answer exists nowhere else yet."""
        account_uid = commit.turn.message.conversation.account_uid
        while True:
            grant = self._slots.reserve(account_uid) if commit.replies else None
            claimed = 0
            try:
                committed = await self._turns.commit(commit, grant)
                claimed = len(committed.claimed)
            except StoreUnavailable as error:
                log.warning("turn_not_stored_yet", turn_id=commit.turn.turn_id, reason=error.code)
                await self._clock.sleep(self._policy.store_retry_s)
                continue
            except FenceLost:
                log.warning("turn_lost_its_fence", turn_id=commit.turn.turn_id)
                return
            finally:
                if grant is not None and not claimed:
                    self._slots.release(grant)
            break
        for delivery in committed.claimed:
            self._slots.give(delivery)
        self._waiters.ended(commit.turn.message.message_id)
        if committed.queued > claimed:
            self._slots.wake(account_uid)
        self._metrics.turns.inc(commit.state)
