"""What traffic feels of retention: webhooks at a million old messages, with and without it, in turns.

    python -m benchmarks.retention [--messages 1000000] [--rate 60] [--seconds 15] [--rounds 3]
        [--engine sqlite,postgres]

A real gateway and a plugin process. A turn is a start of the gateway: for the first half of it retention
has not begun, in the second half it removes old rows. Webhooks are sent at a steady rate, and timed from
when each was due. At the end: the time of a scrape of /metrics, and the size of SQLite's log.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from benchmarks import console_api
from benchmarks.machine import percentile
from benchmarks.serving import install, serving
from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.new_channel import package
from tests.postgres_server import postgres, stop_postgres

KEY, CHANNEL = "salt", "bottle_post"
#: From the start of a gateway to a plugin that is ready and warm, on a busy machine too.
SETTLES_S = 8.0
LONG_AGO_MS = 200 * 86_400_000
_MESSAGES = """
INSERT INTO channel_messages (message_id, direction, account_uid, peer_kind, peer_id, channel, account_id,
  text, platform_message_id, state, created_at)
SELECT lpad(to_hex(i), 32, '0'), CASE i % 2 WHEN 1 THEN 'in' ELSE 'out' END, 'acc-' || (i % 50), 'user',
  'user-' || (i * 7919 % 20000), 'ch', 'acc', 'message ' || i || repeat(' order', (i % 20)::int), 'pm-' || i,
  CASE WHEN i % 2 = 1 THEN 'answered' ELSE '' END, $2::int8 - ($1::int8 - i) * 1000
FROM generate_series(1, $1::int8) i
"""
_DELIVERIES = """
INSERT INTO channel_outbox (delivery_id, message_id, account_uid, peer_kind, peer_id, channel, account_id,
  state, lane_id, lane_seq, expires_at, created_at)
SELECT 'd' || lpad(to_hex(i), 31, '0'), lpad(to_hex(i * 2), 32, '0'), 'acc-' || (i % 50), 'user',
  'user-' || (i % 20000), 'ch', 'acc', 'sent', i % 1000, i, $2, $2::int8 - ($1::int8 / 2 - i) * 2000
FROM generate_series(1, $1::int8 / 2) i
"""


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def fill(data_dir: Path, url: str, size: int) -> None:
    """Fill the store with messages and deliveries that are all older than anything is kept."""
    then = now_ms() - LONG_AGO_MS
    if not url:
        console_api.NOW = then
        console_api.fill(data_dir, size)
        return

    async def fill_postgres() -> None:
        conn = await asyncpg.connect(url)
        for sql in (_MESSAGES, _DELIVERIES):
            await conn.execute(sql, size, then)
        # The server's own work on so many new rows would be measured with it.
        await conn.execute("VACUUM (ANALYZE)")
        await conn.execute("CHECKPOINT")
        await conn.close()

    asyncio.run(fill_postgres())


async def post(gateway: GatewayProcess, rate: float, seconds: float, tag: str) -> list[float]:
    """Send at a steady rate; ms from when each was due to its 2xx."""
    url = f"{gateway.url}/wunder/channel/{CHANNEL}/main/webhook"
    took: list[float] = []

    async def one(http: aiohttp.ClientSession, number: int, due_s: float) -> None:
        note = {"id": f"{tag}-{number}", "from": f"p{number % 64}", "say": "hello"}
        body = json.dumps(note).encode()
        seal = {"X-Bottle": hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()}
        async with http.post(url, data=body, headers=seal) as answer:
            assert answer.status == 200, await answer.text()
        took.append((time.perf_counter() - due_s) * 1000)

    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as group,
    ):
        began_s = time.perf_counter()
        for number in range(int(rate * seconds)):
            due_s = began_s + number / rate
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            group.create_task(one(http, number, due_s))
    return took


def wait_until_ready(gateway: GatewayProcess) -> None:
    """Wait for the plugin, and for the first messages to have warmed everything."""
    while gateway.get(f"channel_plugins/{CHANNEL}")["runtime"]["state"] != "ready":
        time.sleep(0.1)
    asyncio.run(post(gateway, 20, 1, f"warm-{now_ms()}"))


def scraped_ms(gateway: GatewayProcess) -> float:
    """The slowest of ten scrapes."""
    took = []
    for _ in range(10):
        began_s = time.perf_counter()
        asyncio.run(_scrape(gateway.url))
        took.append((time.perf_counter() - began_s) * 1000)
    return max(took)


async def _scrape(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        assert "wunder_store" in await answer.text()


def removed(gateway: GatewayProcess) -> int:
    """How many old rows retention has removed so far, from the kept figures."""
    state = gateway.get("channels/monitor")["figures"]
    return sum(int(count) for name, count in state.items() if name.startswith("pruned_"))


def measure(engine: str, size: int, rate: float, seconds: float, rounds: int) -> dict[str, Any]:
    """Fill, then turn by turn."""
    url = asyncio.run(postgres().new_database()) if engine == "postgres" else ""
    settings = {"WUNDER_STORE_DATABASE_URL": url} if url else {}
    took: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        settings["WUNDER_RETENTION_EVERY_S"] = str(seconds + SETTLES_S)
        with serving(data_dir, **settings) as gateway:
            install(gateway, package(CHANNEL))
            form = {"shore": str(Path(folder) / "shore"), "key": KEY}
            account = {"channel": CHANNEL, "account_id": "main", "provider_config": form}
            gateway.call("POST", "channels/accounts", account)
            gateway.stop()
            fill(data_dir, url, size)
            wal = 0
            for number in range(rounds):
                begins_s = time.monotonic() + seconds + SETTLES_S
                gateway.start()
                wait_until_ready(gateway)
                for what in took:
                    if what == "with":
                        time.sleep(max(0.0, begins_s + 1 - time.monotonic()))
                    took[what] += asyncio.run(post(gateway, rate, seconds, f"{number}-{what}"))
                log = data_dir / "wunder.db-wal"
                wal = max(wal, log.stat().st_size if log.exists() else 0)
                scrape = scraped_ms(gateway)
                gone = removed(gateway)
                gateway.stop()
    found: dict[str, Any] = {"engine": engine, "messages": size, "removed_rows": gone}
    for what, times in took.items():
        found[what] = {f"p{p}_ms": round(percentile(times, p / 100), 1) for p in (50, 95, 99)}
    found["p99_ratio"] = round(found["with"]["p99_ms"] / found["without"]["p99_ms"], 2)
    found |= {"scrape_ms": round(scrape, 1), "wal_mib": round(wal / 1048576, 1)}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=60)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="sqlite,postgres")
    given = parser.parse_args()
    size, rate, seconds, rounds = given.messages, given.rate, given.seconds, given.rounds
    try:
        for engine in given.engine.split(","):
            print(json.dumps(measure(engine, size, rate, seconds, rounds), indent=1), flush=True)
    finally:
        stop_postgres()


if __name__ == "__main__":
    main()
