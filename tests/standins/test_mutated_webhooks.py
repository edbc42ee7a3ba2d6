"""Whatever bytes reach a webhook, the answer is clean and nothing forged is stored."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.standins.kinds import KINDS, WECOM_BOT, WECOM_DESK, Kind
from tests.vectors.replay import Recorded, replay

TEXT = "the only words"
CLEAN = frozenset({200, 400, 401, 403, 404, 405, 413, 415})
MUTATIONS = st.one_of(
    st.tuples(st.just("bytes"), st.binary(max_size=2_000), st.integers(0, 7)),
    st.tuples(st.just("cut"), st.integers(0, 10_000), st.integers(0, 7)),
    st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(0, 7)),
    st.tuples(st.just("query"), st.text(max_size=200), st.integers(0, 7)),
    st.tuples(st.just("header"), st.text(st.characters(max_codepoint=255), max_size=80), st.integers(0, 7)),
)  # fmt: skip


def mutated(one: Recorded, how: str, what: object, bit: int) -> Recorded:
    """Change one thing about a request."""
    body, query, headers = one.body, one.query, dict(one.headers)
    if isinstance(what, bytes):
        body = what
    elif how == "cut" and isinstance(what, int):
        body = body[: what % max(len(body), 1)]
    elif how == "flip" and isinstance(what, int) and body:
        at = what % len(body)
        body = body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :]
    elif how == "query":
        query = f"{query}&{what}" if bit % 2 else str(what).encode("utf-8", "replace").hex()
    elif headers:
        name = sorted(headers)[bit % len(headers)]
        headers[name] = str(what).replace("\r", "").replace("\n", "")
    return Recorded(one.method, query, headers, body)


#: The customer service asks its platform whatever a genuine callback says; its envelope is WeCom's.
@pytest.mark.parametrize(
    "kind", [WECOM_BOT, *(one for one in KINDS if one is not WECOM_DESK)], ids=str
)
def test_any_change_of_a_genuine_request_is_refused_cleanly_or_changes_nothing(
    kind: Kind, tmp_path: Path
) -> None:
    now_s = int(time.time())
    genuine = kind.write(kind.standin(), kind.person(1), TEXT, now_s)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        here = runner.run(stack.enter_async_context(replay(tmp_path, kind.channel, now_s * 1000)))
        runner.run(here.add_account(kind.account("http://127.0.0.1:9")))
        statuses: set[int] = set()

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(MUTATIONS)
        def check(mutation: tuple[str, object, int]) -> None:
            here.clock.advance(1)
            status, body = runner.run(here.post(mutated(genuine, *mutation)))
            statuses.add(status)
            assert status in CLEAN and TEXT.encode() not in body

        try:
            check()
            stored = runner.run(here.stored())
            assert all(row.text == TEXT for row in stored)
            assert runner.run(here.post(genuine)) == (200, kind.ack)
            assert len(statuses - {200}) > 0
        finally:
            runner.run(stack.aclose())
