"""Whether claims and dedupe cost the same with a thousand rows as with a hundred thousand.

    python -m benchmarks.store_growth [--sizes 1000,100000] [--million] [--engine sqlite,postgres]

Each store is filled with `size` waiting messages and `size` waiting deliveries over size / 10
conversations, the messages in 16 accounts, and as many dedupe keys. Then: claims of heads (turns and
deliveries), duplicates, and new messages, in turns, so that noise meets all alike. For SQLite CPU microseconds of the writer's
thread for one; for PostgreSQL, whose work is done elsewhere, the microseconds that passed, without its fsync.
"""

import argparse
import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import uvloop

from benchmarks import machine
from benchmarks.store_group_commit import CLOCK, GRANT, UID, Store, WriterCpu, unit
from tests.postgres_server import postgres, stop_postgres
from wunder.model.delivery import DeliveryState, Settlement
from wunder.model.ids import At
from wunder.model.message import MessageState
from wunder.model.turn import TurnCommit
from wunder.store.policy import StorePolicy
from wunder.store.postgres.address import Address
from wunder.store.postgres.store import open_store as open_postgres
from wunder.store.sqlite.store import open_store

ROUNDS, AT_ONCE = 30, 16

TEXT = "x" * 200
#: One statement a table: a million rows in seconds.
_FILL = """
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :size)
"""
#: Turns wait in 16 accounts, and are claimed fairly between them; deliveries are claimed of one.
_LANES = """
INSERT INTO channel_lanes (kind, account_uid, peer_kind, peer_id, next_seq, waiting, ready_at)
SELECT :kind, :uid, 'user', 'old-' || i, 11, 10, :now FROM n WHERE i < :size / 10
"""
_OF_A_LANE = ":uid || '-' || (i % (:size / 10) % 16)"
_MESSAGES = f"""
INSERT INTO channel_messages (message_id, direction, account_uid, peer_kind, peer_id, channel, account_id,
  text, platform_message_id, state, lane_id, lane_seq, turn_id, sent_at, received_at, created_at)
SELECT lower(hex(randomblob(16))), 'in', {_OF_A_LANE}, 'user', 'old-' || (i % (:size / 10)), 'bench', 'main',
  '{TEXT}', 'old-' || i, 'received',
  1 + i % (:size / 10), 1 + i / (:size / 10), lower(hex(randomblob(16))), :now, :now, :now FROM n
"""
_REPLIES = f"""
INSERT INTO channel_messages (message_id, direction, account_uid, peer_kind, peer_id, channel, account_id,
  text, created_at)
SELECT 'out-' || i, 'out', :uid, 'user', 'old-' || (i % (:size / 10)), 'bench', 'main',
  '{TEXT}', :now FROM n
"""
_DELIVERIES = """
INSERT INTO channel_outbox (delivery_id, message_id, account_uid, peer_kind, peer_id, channel, account_id,
  state, lane_id, lane_seq, expires_at, created_at)
SELECT lower(hex(randomblob(16))), 'out-' || i, :uid, 'user', 'old-' || (i % (:size / 10)), 'bench', 'main',
  'pending', 1 + :size / 10 + i % (:size / 10), 1 + i / (:size / 10), :now + 86400000, :now FROM n
"""
_KEYS = """
INSERT INTO channel_dedupe (dedupe_key, digest, message_id, keep_until)
SELECT randomblob(32), randomblob(32), lower(hex(randomblob(16))), :now + 1000000000 + i FROM n
"""


#: What the fill says otherwise on PostgreSQL.
_IN_POSTGRES = {
    "lower(hex(randomblob(16)))": "md5(random()::text || i)",
    "randomblob(32)": "decode(md5(random()::text) || md5(i::text), 'hex')",
}
#: What the fill left out: nobody looks for rows that the kept figures deny.
_FIGURES = ("channel_messages_received", "channel_outbox_pending", "channel_dedupe")


def fill(size: int) -> list[str]:
    """The statements that make so many rows of each kind."""
    given = {":size": str(size), ":uid": f"'{UID}'", ":now": str(CLOCK.now())}
    statements = []
    turns = _LANES.replace(":kind", "'turn'").replace(":uid", _OF_A_LANE)
    for sql in (turns, _LANES.replace(":kind", "'delivery'"), _MESSAGES, _REPLIES, _DELIVERIES, _KEYS):  # fmt: skip
        text = sql.replace("SELECT ", f"{_FILL} SELECT ", 1)
        for name, value in given.items():
            text = text.replace(name, value)
        statements.append(text)
    return statements


async def filled(engine: str, folder: str, size: int) -> Store:
    """A store with so many rows of each kind."""
    path = Path(folder) / f"{engine}{size}"
    if engine == "postgres":
        return await _filled_postgres(path, size)
    await (await open_store(path, CLOCK)).close()
    conn = sqlite3.connect(path / "wunder.db")
    for sql in fill(size):
        conn.execute(sql)
    for name in _FIGURES:
        conn.execute(f"INSERT OR REPLACE INTO meta VALUES ('count.{name}', '{size}')")
    conn.commit()
    conn.close()
    return await open_store(path, CLOCK)


async def _filled_postgres(path: Path, size: int) -> Store:
    url = await postgres().new_database()
    address = Address(url, StorePolicy())
    await (await open_postgres(address, path, CLOCK)).close()
    conn = await asyncpg.connect(url)
    # What an fsync takes does not depend on rows, and would hide what does.
    name = await conn.fetchval("SELECT current_database()")
    await conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    for sql in fill(size):
        for here, there in _IN_POSTGRES.items():
            sql = sql.replace(here, there)
        await conn.execute(sql)
    figures = msgspec.json.encode(dict.fromkeys(_FIGURES, size)).decode()
    await conn.execute("INSERT INTO meta VALUES ('count.the-fill', $1)", figures)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()
    return await open_postgres(address, path, CLOCK)


class Passed:
    """Seconds that passed, in place of a thread's CPU."""

    def __init__(self) -> None:
        self._began = 0.0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._began = time.perf_counter() - value


async def round_of(store: Store, cpu: WriterCpu | Passed, number: int) -> dict[str, float]:
    """One round on one store; writer's CPU microseconds for one of each."""
    took: dict[str, float] = {}

    async def measured(name: str, count: int, work: Any) -> Any:
        cpu.seconds = 0.0
        result = await work
        took[name] = cpu.seconds / count * 1e6
        return result

    grant = msgspec.structs.replace(GRANT, limit=AT_ONCE)
    now = CLOCK.now()
    turns = await measured("claim_turn", AT_ONCE, store.turns.claim(AT_ONCE, now))
    deliveries = await measured("claim_delivery", AT_ONCE, store.outbox.claim([grant], now))
    units = [unit(number * AT_ONCE + n) for n in range(AT_ONCE)]
    await measured("take_in", AT_ONCE, asyncio.gather(*map(store.intake.take_in, units)))
    again = [unit(number * AT_ONCE + n) for n in range(AT_ONCE)]
    await measured("duplicate", AT_ONCE, asyncio.gather(*map(store.intake.take_in, again)))
    # Puts the lanes back to work; not measured.
    for turn in turns:
        await store.turns.commit(TurnCommit(turn, MessageState.NO_ANSWER, now))
    done = [Settlement(d, DeliveryState.SENT, At(now), "sent") for d in deliveries]
    await store.outbox.settle(done)
    assert (len(turns), len(deliveries)) == (AT_ONCE, AT_ONCE)
    return took


async def grown(engine: str, sizes: list[int], cpu: WriterCpu) -> dict[int, dict[str, float]]:
    """Medians of all sizes, measured in turns."""
    meter = cpu if engine == "sqlite" else Passed()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        stores = {size: await filled(engine, folder, size) for size in sizes}
        rounds: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
        for number in range(ROUNDS):
            for size, store in stores.items():
                rounds[size].append(await round_of(store, meter, number))
        for store in stores.values():
            await store.close()
    names = rounds[sizes[0]][0]
    return {
        size: {name: statistics.median(r[name] for r in rounds[size]) for name in names}
        for size in sizes
    }


async def main() -> None:
    """Measure; print medians and ratios to the smallest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,100000")
    parser.add_argument("--million", action="store_true", help="add a store of a million rows")
    parser.add_argument("--engine", default="sqlite", help="sqlite, postgres, or both")
    given = parser.parse_args()
    sizes = [*map(int, given.sizes.split(",")), *([1_000_000] if given.million else [])]
    cpu = WriterCpu()
    medians: dict[str, Any] = {}
    ratios: dict[str, Any] = {}
    try:
        for engine in given.engine.split(","):
            found = medians[engine] = await grown(engine, sizes, cpu)
            fewest, most = found[sizes[0]], found[sizes[-1]]
            ratios[engine] = {name: round(most[name] / fewest[name], 2) for name in fewest}
            for name in fewest:
                cells = [
                    f"{size}: {found[size][name]:6.1f} us ({found[size][name] / fewest[name]:.2f}x)"
                    for size in sizes
                ]
                print(f"{engine:9}{name:15}", "   ".join(cells))
    finally:
        stop_postgres()
    report = {"machine": machine.facts(), "medians_us": medians, "ratios": ratios}
    print(msgspec.json.encode(report).decode())


if __name__ == "__main__":
    uvloop.run(main())
