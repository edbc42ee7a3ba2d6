"""A claim reads as many lanes as it takes, however many are ready."""

import asyncpg
import pytest

from tests.postgres_server import postgres
from wunder.store.postgres import lanes
from wunder.store.postgres.statements import numbered

_READY_AT_ONCE = """
INSERT INTO channel_lanes (kind, account_uid, peer_kind, peer_id, next_seq, waiting, ready_at)
SELECT kind, 'acc-1', 'user', 'p' || n, 2, 1, 1000
FROM generate_series(1, 5000) n, (VALUES ('turn'), ('delivery')) kinds (kind)
"""


@pytest.mark.parametrize("name", ["_DUE_TURNS", "_DUE_DELIVERIES"])
async def test_of_lanes_that_became_ready_at_once_only_those_taken_are_read(name: str) -> None:
    conn = await asyncpg.connect(await postgres().new_database())
    await conn.execute(_READY_AT_ONCE)
    await conn.execute("ANALYZE channel_lanes")
    first = 0 if name == "_DUE_TURNS" else "acc-1"
    statement = numbered(getattr(lanes, name))
    rows = await conn.fetch(f"EXPLAIN {statement}", first, 2000, 40)
    await conn.close()
    plan = "\n".join(row[0] for row in rows)
    assert "Sort" not in plan, plan
    assert "Seq Scan" not in plan, plan
