"""The operators' probes: alive, ready, figures; they need no token and show no names of people."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from wunder.api.asgi import SECURITY_HEADERS, Receive, Scope, Send, answer
from wunder.api.parts import ApiParts
from wunder.errors import StoreBroken, StoreFull, StoreUnavailable
from wunder.model.ids import PluginId
from wunder.model.runtime import RuntimeState
from wunder.observe.metrics import CONTENT_TYPE

_JSON = (b"content-type", b"application/json")
#: A probe commits a row; strangers asking often must not become fsyncs. Choice.
_PROBE_HOLDS_S = 1.0


class Probes:
    """`/healthz`, `/readyz`, `/metrics`."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._asking = asyncio.Lock()
        self._store_said = ""
        self._asked_at = 0.0
        parts.metrics.watch(figures=parts.store.figures, plugin_states=self._states)

    @staticmethod
    async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
        """Say that the process answers."""
        await answer(send, 200, [_JSON, *SECURITY_HEADERS], b'{"status":"alive"}')

    async def readyz(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say whether traffic may come (rule 19): the store writes, the key is open, no stop begun.

        Plugins are in the body only: one bad plugin must not drain the fleet.
        """
        checks = {
            "store": await self._store(),
            "key": "ok" if self._parts.is_key_open() else "closed",
            "stop": "draining" if self._parts.is_draining() else "ok",
        }
        is_ready = all(value == "ok" for value in checks.values())
        body: dict[str, Any] = {
            "status": "ready" if is_ready else "not_ready",
            "checks": checks,
            "plugins": self._plugins(),
        }
        retry = [] if is_ready else [(b"retry-after", b"1")]
        await answer(
            send,
            200 if is_ready else 503,
            [_JSON, *SECURITY_HEADERS, *retry],
            msgspec.json.encode(body),
        )

    async def metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write every figure in Prometheus' text format."""
        lines = self._parts.metrics.render()
        await answer(
            send, 200, [(b"content-type", CONTENT_TYPE.encode()), *SECURITY_HEADERS], lines
        )

    async def _store(self) -> str:
        clock = self._parts.clock
        async with self._asking:
            if not self._store_said or clock.monotonic() - self._asked_at >= _PROBE_HOLDS_S:
                self._store_said = await self._ask_store()
                self._asked_at = clock.monotonic()
            return self._store_said

    async def _ask_store(self) -> str:
        try:
            async with asyncio.timeout(self._parts.policy.ready_probe_s):
                await self._parts.store.probe()
        except TimeoutError:
            return "slow"
        except StoreFull:
            return "full"
        except StoreUnavailable:
            return "unavailable"
        except StoreBroken:
            return "broken"
        return "ok"

    def _plugins(self) -> dict[str, int]:
        """How many plugins are in each state; their names need a token."""
        return dict(Counter(state.value for state in self._states()))

    def _states(self) -> Iterator[RuntimeState]:
        for facts in self._parts.providers.known():
            if facts.source == "plugin":
                report = self._parts.plugin_host.report(PluginId(facts.release.plugin_id))
                if report is not None:
                    yield report.state
