"""Nothing is counted on a message's way or in a scrape: figures are kept, never asked for by `count(*)`."""

import ast
import re
from pathlib import Path

import pytest

from tests.journeys.http_gateway import http_gateway
from tests.journeys.test_http_main_job import HELLO, ready
from wunder.store.sqlite import connection

STORE = Path(connection.__file__).parents[1]
COUNTS = re.compile(r"\bcount\s*\(|\bsum\s*\(", re.IGNORECASE)
#: Where something is counted, and why that is on nobody's way.
BOUNDED = {
    "accounts.py": "how many accounts each channel ever had: when the book is read again",
    "attachments.py": "bytes of one account, when a file is about to be fetched",
    "backlog.py": "rarely, up to a bound, by the gate's own look",
    "backup.py": "a restored copy counts itself once",
    "fair_turns.py": "accounts that a claim goes round, at most as many as it claims",
    "leases.py": "nodes: a row a node",
    "loading.py": "an import verifies what it filled",
    "archive.py": "an export is verified",
    "pairing.py": "open codes of one account, up to the limit that it is compared with",
    "plugin_history.py": "values of one plugin and account, at most 1,000",
    "readiness.py": "heads of one account that are due, at most 16, by the index that holds only those",
    "replays.py": "a preview, for one administrator",
    "spool.py": "one account's spool, at most 1,000 rows, only when something is kept there",
    "spooling.py": "the same for the accounts of one batch",
    "tally.py": "new rows, a bounded step at a time, behind the traffic",
}


def test_every_statement_that_counts_says_why() -> None:
    found = set()
    for path in sorted(STORE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and COUNTS.search(node.value) and "SELECT" in node.value:
                found.add(path.name)
    assert found <= set(BOUNDED), f"count(*) off the hot path only: {found - set(BOUNDED)}"


async def test_a_message_and_a_scrape_count_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    plain = connection._connect

    def traced(*given):
        conn = plain(*given)
        conn.set_trace_callback(said.append)
        return conn

    monkeypatch.setattr(connection, "_connect", traced)
    async with http_gateway(tmp_path) as gateway:
        await ready(gateway)
        await gateway.webhook({"id": "m0", "peer": "u0", "text": "warm"})
        await gateway.until("channels/outbox", state="sent")
        said.clear()
        assert await gateway.webhook(HELLO) == 200
        await gateway.until("channels/outbox", state="sent", peer_id=HELLO["peer"])
        for path in ("/metrics", "/readyz", "/healthz"):
            async with gateway.http.get(path) as answer:
                assert answer.status == 200
                shown = await answer.text()
                assert 'wunder_admission{figure="messages_capacity"}' in shown or path != "/metrics"
    assert any("channel_messages" in statement for statement in said), "the trace works"
    assert [statement for statement in said if COUNTS.search(statement)] == []
