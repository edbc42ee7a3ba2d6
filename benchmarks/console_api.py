"""What an open console costs: every list at a million messages, and fifty pages that only listen.

    python -m benchmarks.console_api [--messages 1000000] [--calls 20] [--pages 50] [--seconds 20]

A real gateway on a filled store, asked over HTTP by one client. p95 over the calls of each list, with
filters that match all, few and no rows; then the gateway's CPU while pages listen and nothing happens.
Lists look through so much at a call and say where to go on: a page that finds nothing counts as well.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.machine import cpu_s, percentile
from benchmarks.serving import serving
from tests.journeys.gateway_process import GatewayProcess

NOW = 1_800_000_000_000
#: 20,000 peers, 50 accounts, one message in 5,000 failed, one needle in the first thousand.
_FILL = """
INSERT INTO channel_messages (message_id, direction, account_uid, peer_kind, peer_id, channel, account_id,
  peer_name, sender_name, text, platform_message_id, state, session_id, session_seq, received_at, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :size)
SELECT printf('%032x', i), CASE i % 2 WHEN 1 THEN 'in' ELSE 'out' END, 'acc-' || (i % 50), 'user',
  'user-' || (i * 7919 % 20000), 'ch' || (i % 3), 'acc-' || (i % 50), 'Name ' || (i * 7919 % 20000), '',
  CASE i WHEN 777 THEN 'needle' ELSE printf('message %d about an order and %.*c', i, i % 120, 'x') END,
  'pm-' || i, CASE WHEN i % 5000 = 1 THEN 'failed' WHEN i % 2 THEN 'answered' ELSE '' END,
  's-' || (i * 7919 % 20000), i, :now - (:size - i) * 1000, :now - (:size - i) * 1000 FROM n
"""
_DELIVERIES = """
INSERT INTO channel_outbox (delivery_id, message_id, account_uid, peer_kind, peer_id, channel, account_id,
  state, lane_id, lane_seq, expires_at, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :size / 2)
SELECT printf('d%031x', i), printf('%032x', i * 2), 'acc-' || (i % 50), 'user', 'user-' || (i % 20000),
  'ch' || (i % 3), 'acc-' || (i % 50), CASE WHEN i % 2000 = 0 THEN 'failed' ELSE 'sent' END, i % 1000, i,
  :now + 86400000, :now - (:size / 2 - i) * 2000 FROM n
"""
_SESSIONS = """
INSERT INTO channel_sessions (session_id, account_uid, peer_kind, peer_id, channel, account_id, created_at,
  last_message_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 20000)
SELECT 's-' || i, 'acc-' || (i % 50), 'user', 'user-' || i, 'ch' || (i % 3), 'acc-' || (i % 50), :now,
  :now - i * 7919 % 100000 FROM n
"""
_EVENTS = """
INSERT INTO channel_events (name, at, level, plugin_id, account_uid)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 50000)
SELECT 'plugin_ready', :now, 'info', 'p' || (i % 10), 'acc-' || (i % 50) FROM n
"""
_AUDIT = """
INSERT INTO audit (at, actor, action, subject)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 100000)
SELECT :now, 'user:u' || (i % 20), 'account_changed', 'ch/acc-' || (i % 50) FROM n
"""
LISTS = {
    "messages": "channels/messages",
    "messages, common text": "channels/messages?text=order",
    "messages, rare text": "channels/messages?text=needle",
    "messages, no such text": "channels/messages?text=zzzz",
    "messages by id": f"channels/messages?text={777:032x}",
    "messages by name": "channels/messages?text=Name+777",
    "messages of an account": "channels/messages?account_id=acc-7",
    "messages of a peer": "channels/messages?peer_id=user-77",
    "messages of a session": "channels/messages?session_id=s-77",
    "messages that failed": "channels/messages?state=failed",
    "messages of last week": f"channels/messages?since={NOW - 700_000_000}&until={NOW - 600_000_000}",
    "messages, page in the middle": "channels/messages?cursor=500000",
    "deliveries": "channels/outbox",
    "deliveries that wait": "channels/outbox?state=pending",
    "deliveries that failed": "channels/outbox?state=failed",
    "deliveries to nobody": "channels/outbox?peer_id=nobody",
    "sessions": "channels/sessions",
    "events": "channels/events",
    "events of a plugin": "channels/events?plugin_id=p3",
    "audit": "audit",
    "audit of one person": "audit?actor=user:u7",
    "accounts": "channels/accounts",
    "plugins": "channel_plugins",
    "monitor": "channels/monitor",
}


def fill(data_dir: Path, size: int) -> None:
    """Fill the store of a gateway that is not running; kept counters follow at its next start."""
    conn = sqlite3.connect(data_dir / "wunder.db", isolation_level=None)
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("BEGIN")
    for sql in (_FILL, _DELIVERIES, _SESSIONS, _EVENTS, _AUDIT):
        conn.execute(sql, {"size": size, "now": NOW})
    conn.execute("COMMIT")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


def asked(gateway: GatewayProcess, path: str, calls: int) -> dict[str, float]:
    """Ask a list so often; ms."""
    took = []
    gateway.get(path)
    for _ in range(calls):
        began = time.perf_counter()
        gateway.get(path)
        took.append((time.perf_counter() - began) * 1000)
    return {"p50_ms": percentile(took, 0.5), "p95_ms": percentile(took, 0.95)}


async def listening(gateway: GatewayProcess, pages: int, seconds: float) -> dict[str, float]:
    """Open so many streams, let nothing happen; CPU of the gateway in percent of one core."""
    headers = {"Authorization": f"Bearer {gateway.token}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with AsyncExitStack() as opened:
        http = await opened.enter_async_context(
            aiohttp.ClientSession(headers=headers, connector=connector)
        )
        alone = await idle(gateway, seconds)
        url = f"{gateway.url}/wunder/admin/events"
        for number in range(pages):
            # Each browser is somebody else; a token may open 16.
            answer = await opened.enter_async_context(http.get(url)) if number < 16 else None
            if answer is None:
                token = gateway.call("POST", "tokens", {"name": f"n{number}", "scopes": ["read"]})
                own = {"Authorization": f"Bearer {token['token']}"}
                answer = await opened.enter_async_context(http.get(url, headers=own))
            assert answer.status == 200, await answer.text()
        await asyncio.sleep(1)
        return {"without_percent": alone, "with_percent": await idle(gateway, seconds)}


async def idle(gateway: GatewayProcess, seconds: float) -> float:
    """CPU of the gateway while nobody asks for anything, percent of one core."""
    before, began = cpu_s(gateway.pid), time.perf_counter()
    await asyncio.sleep(seconds)
    return (cpu_s(gateway.pid) - before) / (time.perf_counter() - began) * 100


def measure(size: int, calls: int, pages: int, seconds: float) -> dict[str, Any]:
    """Fill, serve, ask, listen."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        with serving(data_dir) as gateway:
            gateway.stop()
            fill(data_dir, size)
            gateway.start()
            lists = {name: asked(gateway, path, calls) for name, path in LISTS.items()}
            pages_cost = asyncio.run(listening(gateway, pages, seconds))
    worst = max(lists, key=lambda name: lists[name]["p95_ms"])
    return {
        "messages": size,
        "lists": lists,
        "worst_list": worst,
        "worst_p95_ms": lists[worst]["p95_ms"],
        "pages": {"open": pages, **pages_cost},
        "pages_cost_percent": pages_cost["with_percent"] - pages_cost["without_percent"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    print(json.dumps(measure(given.messages, given.calls, given.pages, given.seconds), indent=1))


if __name__ == "__main__":
    main()
