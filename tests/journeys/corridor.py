"""The three rooms on the real SQLite store, with a small platform at the end: no network, no processes."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeProviders
from tests.fakes.sealer import FakeSealer
from tests.waiting import until
from wunder.attachments.fetching import Whereabouts
from wunder.attachments.files import BlobFiles
from wunder.attachments.library import Library
from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.room import AttachmentRoom
from wunder.conversation.turn import Directory as TurnDirectory
from wunder.conversation.turn import TurnPolicy, TurnRunner
from wunder.conversation.worker import Beside, Worker, WorkerPolicy
from wunder.inbound.inline import InlineDesk, InlinePolicy
from wunder.inbound.intake import IntakeDesk
from wunder.inbound.spool import Spool, SpoolPolicy, SpoolWorker
from wunder.inbound.webhook import Directory as WebhookDirectory
from wunder.inbound.webhook import WaitingRooms, Webhooks
from wunder.model.account import Account, AccountConfig, AccountRow
from wunder.model.binding import ANY, Binding
from wunder.model.delivery import DeliveryState
from wunder.model.provider import RawRequest, WebhookAnswer
from wunder.model.turn import AgentTurn, Reply
from wunder.observe.metrics import Metrics
from wunder.outbound.attempt import Attempt
from wunder.outbound.dispatcher import Dispatcher, DispatcherPolicy
from wunder.outbound.outcome import OutcomeReporter
from wunder.outbound.parking import ParkingPolicy
from wunder.outbound.queue import SendDesk
from wunder.outbound.retry import RetryPolicy
from wunder.outbound.slots import SlotPolicy, Slots
from wunder.store.sqlite.store import SqliteStore, open_store
from wunder.streaming.policy import StreamPolicy
from wunder.streaming.stage import Stage
from wunder.upkeep.admission import AdmissionPolicy
from wunder.upkeep.doors import Doors
from wunder.upkeep.ledger import DeliveryFilter, MessageFilter
from wunder.upkeep.room import Around, Upkeep, UpkeepPolicy


class Book:
    """Accounts and bindings of a test."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.bindings: list[Binding] = []

    def get(self, account_uid):
        return self.accounts.get(account_uid)

    def named(self, channel, account_id):
        rows = self.accounts.values()
        return next((a for a in rows if a.row.account_id == account_id), None)

    def only(self, channel):
        return self.enabled(channel)[0] if len(self.accounts) == 1 else None

    def enabled(self, channel):
        return [a for a in self.accounts.values() if a.row.status == "enabled"]

    def of(self, channel, account_id):
        return self.bindings


class Agents:
    """One agent for everybody: echoes, or does what the test says."""

    history_lines = 20

    def __init__(self) -> None:
        self.turns: list[AgentTurn] = []
        self.answer_with: Callable[[AgentTurn], Awaitable[tuple[Reply, ...]]] | None = None

    def get(self, agent_id):
        return self

    def default_id(self):
        return "echo"

    async def accept_replies(self, turn_id, token, replies):
        return False

    async def answer(self, turn: AgentTurn) -> tuple[Reply, ...]:
        self.turns.append(turn)
        if self.answer_with is not None:
            return await self.answer_with(turn)
        return (Reply(turn.message.content.text),)


@dataclass
class Corridor:
    """What a test holds in its hands."""

    store: SqliteStore
    clock: FakeClock
    platform: FakeChannelProvider
    providers: FakeProviders
    book: Book
    agents: Agents
    webhooks: Webhooks
    spool: SpoolWorker
    worker: Worker
    dispatcher: Dispatcher
    slots: Slots
    sends: SendDesk
    attachments: AttachmentRoom
    upkeep: Upkeep
    tasks: list[asyncio.Task] = field(default_factory=list)

    async def post(self, *items: dict, account: str | None = "main", **headers) -> WebhookAnswer:
        request = RawRequest(
            "POST",
            "/wunder/channel/chat/webhook",
            (),
            tuple(headers.items()),
            json.dumps(items).encode(),
            "127.0.0.1",
            self.clock.now(),
        )
        return await self.webhooks.receive("chat", account, request)

    async def until(self, condition) -> None:
        """Let everything run until `condition` holds."""
        await until(condition)

    async def states(self) -> list[DeliveryState]:
        page = await self.store.ledger.deliveries(DeliveryFilter(), 200, "")
        return [row.state for row in reversed(page.items)]

    async def until_states(self, *wanted: DeliveryState) -> None:
        async def reached() -> bool:
            return await self.states() == list(wanted)

        await self.until(reached)

    async def message_states(self) -> list[str]:
        page = await self.store.ledger.messages(MessageFilter(direction="in"), 200, "")
        return [row.state for row in reversed(page.items)]

    async def until_messages(self, *wanted: str) -> None:
        async def reached() -> bool:
            return await self.message_states() == list(wanted)

        await self.until(reached)

    async def add_account(self, account_id: str, config: AccountConfig | None = None) -> Account:
        row = AccountRow(
            account_uid=f"{account_id:0<32}",
            channel="chat",
            account_id=account_id,
            display_name=account_id,
            status="enabled",
            config=config or AccountConfig(),
            secrets=b"",
            rev=1,
            secret_rev=1,
            webhook_key=f"key-{account_id}",
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        await self.store.accounts.add(row)
        self.book.accounts[row.account_uid] = Account(row, {})
        return self.book.accounts[row.account_uid]


@asynccontextmanager
async def corridor(
    data_dir: Path,
    *,
    clock: FakeClock | None = None,
    platform: FakeChannelProvider | None = None,
    agents: Agents | None = None,
    attachment_policy: AttachmentPolicy | None = None,
    admission: AdmissionPolicy | None = None,
    is_running: bool = True,
    opener: Callable[[Path, FakeClock], Awaitable[SqliteStore]] = open_store,
    **channel,
):
    """Open the store in `data_dir` and run the rooms on it; a second time means: after a restart."""
    clock = clock or FakeClock()
    platform = platform or FakeChannelProvider("chat", **channel)
    store = await opener(data_dir, clock)
    providers, book, agents, metrics = (
        FakeProviders(platform),
        Book(),
        agents or Agents(),
        Metrics(),
    )
    retry = RetryPolicy()
    slots = Slots(book, providers, clock, SlotPolicy(), ParkingPolicy())
    attempt = Attempt(book, providers, clock, retry, random.Random(7), lambda _epoch: True)
    reporter = OutcomeReporter(book, slots, store.events, metrics, retry)
    dispatcher = Dispatcher(
        store.outbox, attempt, slots, reporter, clock, DispatcherPolicy(poll_s=0.02)
    )
    kept = AttachmentRoom(
        store.attachments,
        Library(BlobFiles(data_dir), None, 0),
        b"k" * 32,
        lambda: "http://gateway",
        clock,
        attachment_policy or AttachmentPolicy(poll_s=0.02, free_floor_bytes=0),
    )
    kept.watch(Whereabouts(book, providers, store.events))
    platform.blobs = kept.blobs
    stage = Stage(
        store.streams,
        book,
        providers,
        dispatcher,
        clock,
        StreamPolicy(first_after_s=0, poll_s=0.01),
    )
    directory = TurnDirectory(book, book, agents, providers, kept.media, stage)
    runner = TurnRunner(store.turns, directory, clock, metrics, TurnPolicy())
    inline = InlineDesk(store.outbox, clock, InlinePolicy(poll_s=0.01))
    beside = Beside(dispatcher, inline)
    worker = Worker(store.turns, runner, beside, clock, metrics, WorkerPolicy(poll_s=0.02))
    desk = IntakeDesk(store.intake, worker, worker, clock, metrics)
    spool = Spool(store.intake, FakeSealer(), clock, store.events, SpoolPolicy())
    doors = Doors(store.events, clock, worker.wake, store.health.figures)
    policy = UpkeepPolicy(admission=admission or AdmissionPolicy())
    around = Around(lambda: len(book.accounts), store.intake, FakeSealer())
    upkeep = Upkeep(store.upkeep, doors, around, policy)
    rooms = WaitingRooms(upkeep.gate, spool, inline)
    webhooks = Webhooks(WebhookDirectory(book, providers), rooms, desk, store.events, metrics)
    here = Corridor(
        store=store,
        clock=clock,
        platform=platform,
        providers=providers,
        book=book,
        agents=agents,
        webhooks=webhooks,
        spool=SpoolWorker(spool, desk, book, providers, upkeep.gate),
        worker=worker,
        dispatcher=dispatcher,
        slots=slots,
        sends=SendDesk(store.outbox, book, dispatcher, kept.media, clock),
        attachments=kept,
        upkeep=upkeep,
    )
    for row in await store.accounts.all():
        book.accounts[row.account_uid] = Account(row, {})
    if not book.accounts:
        await here.add_account("main")
    book.bindings.append(Binding("b1", ANY, ANY, ANY, ANY, "echo"))
    try:
        async with asyncio.TaskGroup() as tg:
            if is_running:
                parts = (
                    dispatcher.run(),
                    worker.run(),
                    here.spool.run(),
                    store.run(),
                    kept.run(),
                    stage.run(),
                )
                here.tasks = [tg.create_task(part) for part in parts]
            yield here
            for task in here.tasks:
                task.cancel()
    finally:
        await store.close()
