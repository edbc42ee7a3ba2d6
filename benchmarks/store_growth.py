"""Whether claims and dedupe cost the same with a thousand rows as with a hundred thousand.

    python -m benchmarks.store_growth [--sizes 1000,100000] [--million]

Each store is filled with `size` waiting messages and `size` waiting deliveries over size / 10
conversations, and as many dedupe keys. Then: claims of heads (turns and deliveries), duplicates, and
new messages, in turns, so that noise meets all alike. CPU microseconds of the writer's thread for one.
"""

import argparse
import asyncio
import os
import sqlite3
import statistics
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks import machine
from benchmarks.store_group_commit import CLOCK, GRANT, UID, WriterCpu, unit
from wunder.model.delivery import DeliveryState, Settlement
from wunder.model.ids import At
from wunder.model.message import MessageState
from wunder.model.turn import TurnCommit
from wunder.store.sqlite.store import SqliteStore, open_store

ROUNDS, AT_ONCE = 30, 16

#: One statement a table: a million rows in seconds.
_FILL = """
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :size)
"""
_LANES = """
INSERT INTO channel_lanes (kind, account_uid, peer_kind, peer_id, next_seq, waiting, ready_at)
SELECT :kind, :uid, 'user', 'old-' || i, 11, 10, :now FROM n WHERE i < :size / 10
"""
_MESSAGES = """
INSERT INTO channel_messages (message_id, direction, account_uid, peer_kind, peer_id, channel, account_id,
  text, platform_message_id, state, lane_id, lane_seq, turn_id, sent_at, received_at, created_at)
SELECT lower(hex(randomblob(16))), 'in', :uid, 'user', 'old-' || (i % (:size / 10)), 'bench', 'main',
  printf('%.*c', 200, 'x'), 'old-' || i, 'received',
  1 + i % (:size / 10), 1 + i / (:size / 10), lower(hex(randomblob(16))), :now, :now, :now FROM n
"""
_REPLIES = """
INSERT INTO channel_messages (message_id, direction, account_uid, peer_kind, peer_id, channel, account_id,
  text, created_at)
SELECT 'out-' || i, 'out', :uid, 'user', 'old-' || (i % (:size / 10)), 'bench', 'main',
  printf('%.*c', 200, 'x'), :now FROM n
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


async def filled(folder: str, size: int) -> SqliteStore:
    """A store with so many rows of each kind."""
    path = Path(folder) / f"s{size}"
    await (await open_store(path, CLOCK)).close()
    conn = sqlite3.connect(path / "wunder.db")
    given: dict[str, Any] = {"size": size, "uid": UID, "now": CLOCK.now()}
    for kind in ("turn", "delivery"):
        conn.execute(
            _LANES.replace("SELECT :kind", f"{_FILL} SELECT :kind"), {**given, "kind": kind}
        )
    for sql in (_MESSAGES, _REPLIES, _DELIVERIES, _KEYS):
        conn.execute(sql.replace("SELECT ", f"{_FILL} SELECT ", 1), given)
    conn.commit()
    conn.close()
    return await open_store(path, CLOCK)


async def round_of(store: SqliteStore, cpu: WriterCpu, number: int) -> dict[str, float]:
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


async def main() -> None:
    """Measure all sizes in turns; print medians and ratios to the smallest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,100000")
    parser.add_argument("--million", action="store_true", help="add a store of a million rows")
    given = parser.parse_args()
    sizes = [*map(int, given.sizes.split(",")), *([1_000_000] if given.million else [])]
    cpu = WriterCpu()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        stores = {size: await filled(folder, size) for size in sizes}
        rounds: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
        for number in range(ROUNDS):
            for size, store in stores.items():
                rounds[size].append(await round_of(store, cpu, number))
        for store in stores.values():
            await store.close()
    names = rounds[sizes[0]][0]
    medians = {
        size: {name: statistics.median(r[name] for r in rounds[size]) for name in names}
        for size in sizes
    }
    for name in names:
        cells = [
            f"{size}: {medians[size][name]:6.1f} us ({medians[size][name] / medians[sizes[0]][name]:.2f}x)"
            for size in sizes
        ]
        print(f"{name:15}", "   ".join(cells))
    print(msgspec.json.encode({"machine": machine.facts(), "medians_us": medians}).decode())


if __name__ == "__main__":
    uvloop.run(main())
