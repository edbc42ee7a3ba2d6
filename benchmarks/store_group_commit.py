"""What a message costs the store, and how many rows share an fsync, at 1 to 256 in flight.

    python -m benchmarks.store_group_commit [--messages 4000] [--in-flight 1,16,64,256] [--engine postgres]

A message here is the store's whole part of one: T1 (born claimed), T2 (its reply born sending), T4.
SQLite: everybody writes to one file with synchronous=FULL. PostgreSQL: a private server on this
machine, fsync on, its own CPU not in the figures. `writer_us` is CPU of the writer's thread a message;
it swings less than messages a second on a shared machine. Goal: >= 30 rows an fsync at 64.
"""

import argparse
import asyncio
import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks import machine
from tests.postgres_server import postgres, stop_postgres
from wunder.model.conversation import Conversation
from wunder.model.delivery import DeliveryState, ReleaseRef, SendGrant, Settlement
from wunder.model.ids import (
    AccountId,
    AccountUid,
    AgentId,
    At,
    ChannelId,
    MessageId,
    PlatformMessageId,
    PluginId,
    RequestId,
    SessionId,
    dedupe_key,
    derived_id,
    ordered_id,
)
from wunder.model.intake import AccountIntake, IntakeUnit, NewMessage
from wunder.model.message import Content, InboundMessage, MessageState, Sender
from wunder.model.turn import Reply, TurnCommit
from wunder.observe.clock import SystemClock
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.store import PostgresStore
from wunder.store.postgres.store import open_store as open_postgres
from wunder.store.postgres.writer import Writer as PostgresWriter
from wunder.store.sqlite.store import SqliteStore, open_store
from wunder.store.sqlite.writer import Writer

UID, CHANNEL, LABEL = AccountUid("a" * 32), ChannelId("bench"), AccountId("main")
RELEASE = ReleaseRef(PluginId("bench"), "1.0.0")
GRANT = SendGrant(UID, RELEASE)
TEXT = "x" * 500
PEERS = 1_000
DAY_MS = 86_400_000
CLOCK = SystemClock()
Store = SqliteStore | PostgresStore


def unit(number: int) -> IntakeUnit:
    """One webhook request with one message, of one of a thousand people."""
    now = CLOCK.now()
    request_id = RequestId(ordered_id(now))
    conversation = Conversation(UID, "user", f"peer-{number % PEERS}")
    message = InboundMessage(
        message_id=MessageId(derived_id(request_id, "message")),
        conversation=conversation,
        channel=CHANNEL,
        account_id=LABEL,
        platform_message_id=PlatformMessageId(f"pm-{number}"),
        sender=Sender(conversation.peer_id, "Ann"),
        content=Content(text=TEXT),
        sent_at=now,
        received_at=now,
    )
    key = dedupe_key(conversation.key, "message", message.platform_message_id)
    digest = hashlib.sha256(TEXT.encode()).digest()
    new = NewMessage(message, key, digest, At(now + 14 * DAY_MS))
    part = AccountIntake(UID, CHANNEL, LABEL, RELEASE, (new,))
    return IntakeUnit(request_id, now, now, now, (part,))


async def one(store: Store, number: int) -> None:
    """The store's part of one message."""
    taken = await store.intake.take_in(unit(number), 1)
    for turn in taken.claimed:
        now = CLOCK.now()
        session = turn.session_id or SessionId(derived_id(turn.message.message_id, "session"))
        commit = TurnCommit(
            turn,
            MessageState.ANSWERED,
            now,
            (Reply(TEXT),),
            At(now + DAY_MS),
            session,
            AgentId("e"),
        )
        for delivery in (await store.turns.commit(commit, GRANT)).claimed:
            done = Settlement(
                delivery,
                DeliveryState.SENT,
                CLOCK.now(),
                "sent",
                provider_message_id=f"out-{number}",
                take_next=True,
            )
            await store.outbox.settle([done])


class WriterCpu:
    """CPU seconds of the writer's thread, taken around each batch."""

    def __init__(self) -> None:
        self.seconds = 0.0
        for kind in (Writer, PostgresWriter):
            self._time(kind)

    def _time(self, kind: Any) -> None:
        run = kind._commit_batch  # noqa: SLF001 - measured from outside, not changed

        def timed(writer: Any, jobs: Any) -> None:
            began = time.thread_time()
            run(writer, jobs)
            self.seconds += time.thread_time() - began

        kind._commit_batch = timed  # noqa: SLF001 - see above


async def opened(engine: str, data_dir: Path) -> Store:
    """A new store of this engine."""
    if engine == "sqlite":
        return await open_store(data_dir, CLOCK)
    return await open_postgres(
        Address(await postgres().new_database(), StorePolicy()), data_dir, CLOCK
    )


async def run(engine: str, in_flight: int, messages: int, cpu: WriterCpu) -> dict[str, Any]:
    """One store, `messages` messages, so many at a time."""
    with tempfile.TemporaryDirectory() as folder:
        store = await opened(engine, Path(folder) / "data")
        for number in range(64):
            await one(store, -number - 1)
        before, cpu.seconds = store.health.figures(), 0.0
        numbers = iter(range(messages))
        took: list[float] = []

        async def worker() -> None:
            for number in numbers:
                began = time.perf_counter()
                await one(store, number)
                took.append(time.perf_counter() - began)

        used, began = time.process_time(), time.perf_counter()
        async with asyncio.TaskGroup() as tg:
            for _ in range(in_flight):
                tg.create_task(worker())
        seconds, used = time.perf_counter() - began, time.process_time() - used
        after = store.health.figures()
        await store.close()
    commits = after["commits"] - before["commits"]
    took.sort()
    return {
        "engine": engine,
        "in_flight": in_flight,
        "messages_per_s": round(messages / seconds),
        "units_per_s": round(3 * messages / seconds),
        "rows_per_fsync": round((after["rows"] - before["rows"]) / commits, 1),
        "units_per_fsync": round((after["units"] - before["units"]) / commits, 1),
        "p50_ms": round(took[len(took) // 2] * 1e3, 2),
        "p99_ms": round(took[len(took) * 99 // 100] * 1e3, 2),
        "cpu_us": round(used / messages * 1e6, 1),
        "writer_us": round(cpu.seconds / messages * 1e6, 1),
    }


async def main() -> None:
    """Measure and print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4_000)
    parser.add_argument("--in-flight", default="1,16,64,256")
    parser.add_argument("--engine", default="sqlite", help="sqlite, postgres, or both by turns")
    given = parser.parse_args()
    engines = given.engine.split(",")
    cpu, results = WriterCpu(), []
    facts = machine.facts()
    for in_flight in map(int, given.in_flight.split(",")):
        messages = given.messages if in_flight > 1 else given.messages // 4
        for engine in engines:
            results.append(await run(engine, in_flight, messages, cpu))
            print(" ".join(f"{name}={value}" for name, value in results[-1].items()), flush=True)
    stop_postgres()
    ratio = results[-1]["messages_per_s"] / results[0]["messages_per_s"]
    print(f"group commit over one at a time: {ratio:.1f}x; fsync p50 {facts['fsync_p50_us']} us")
    print(msgspec.json.encode({"machine": facts, "results": results}).decode())


if __name__ == "__main__":
    uvloop.run(main())
