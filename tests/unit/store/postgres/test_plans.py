"""A claim reads as many lanes as it takes, however many are ready."""

import re

import asyncpg
import pytest

from tests.postgres_server import postgres
from wunder.store.postgres import fair_turns, lanes
from wunder.store.postgres.statements import numbered

_READY_AT_ONCE = """
INSERT INTO channel_lanes (kind, account_uid, peer_kind, peer_id, next_seq, waiting, ready_at)
SELECT kind, 'acc-' || n % 16, 'user', 'p' || n, 2, 1, 1000
FROM generate_series(1, 5000) n, (VALUES ('turn'), ('delivery')) kinds (kind)
"""


STATEMENTS = {
    "a suspect": (lanes._DUE_TURNS, 0),
    "deliveries": (lanes._DUE_DELIVERIES, "acc-1"),
    "turns": (fair_turns._FAIR, "acc-1"),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_of_lanes_that_became_ready_at_once_only_those_taken_are_read(name: str) -> None:
    conn = await asyncpg.connect(await postgres().new_database())
    await conn.execute(_READY_AT_ONCE)
    await conn.execute("ANALYZE channel_lanes")
    sql, first = STATEMENTS[name]
    rows = await conn.fetch(f"EXPLAIN ANALYZE {numbered(sql)}", first, 2000, 40)
    await conn.close()
    plan = "\n".join(row[0] for row in rows)
    assert "Sort" not in plan, plan
    assert "Seq Scan" not in plan, plan
    read = re.findall(r"Scan using channel_lanes_ready.*rows=(\d+) loops=(\d+)\)", plan)
    assert sum(int(rows) * int(loops) for rows, loops in read) <= 40 + 2 * 16, plan
