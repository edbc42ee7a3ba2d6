"""Readiness: what drains a node, and what does not."""

from typing import Any, cast

from tests.unit.api.conftest import Door, OpenDoor, ParrotProvider, World, parrot
from wunder.api.parts import ApiPolicy
from wunder.errors import StoreFull
from wunder.model.runtime import RuntimeState


class BrokenPlugins:
    """Every plugin is broken."""

    def report(self, plugin_id: str) -> Any:
        return type("Report", (), {"state": RuntimeState.BROKEN})


async def readiness(door: Door) -> tuple[int, dict[str, Any]]:
    async with door.http.get("/readyz") as answer:
        return answer.status, await answer.json()


async def test_healthz_needs_nothing(door: Door) -> None:
    async with door.http.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "alive"})


async def test_rule_19_ready_when_store_writes_key_is_open_and_no_stop_began(
    door: Door, world: World
) -> None:
    status, body = await readiness(door)
    assert status == 200
    assert body["checks"] == {"store": "ok", "key": "ok", "stop": "ok"}


async def test_rule_19_not_ready_while_draining(door: Door, world: World) -> None:
    world.is_draining = True
    assert (await readiness(door))[0] == 503


async def test_rule_19_not_ready_without_the_key(door: Door, world: World) -> None:
    world.is_key_open = False
    assert (await readiness(door))[1]["checks"]["key"] == "closed"


async def test_rule_19_not_ready_when_the_store_cannot_write(door: Door, world: World) -> None:
    world.store.failure = StoreFull()
    status, body = await readiness(door)
    assert (status, body["checks"]["store"]) == (503, "full")


async def test_rule_19_not_ready_when_the_store_takes_too_long(
    open_door: OpenDoor, world: World
) -> None:
    door = await open_door(ApiPolicy(ready_probe_s=0.02))
    world.store.is_hanging = True
    status, body = await readiness(door)
    assert (status, body["checks"]["store"]) == (503, "slow")


async def test_rule_19_a_broken_plugin_does_not_drain_the_node(
    open_door: OpenDoor, world: World
) -> None:
    world.providers.serve(cast("Any", ParrotProvider(parrot(source="plugin"))))
    door = await open_door(plugin_host=BrokenPlugins())
    status, body = await readiness(door)
    assert (status, body["plugins"]) == (200, {"broken": 1})


async def test_asking_often_does_not_write_often(door: Door, world: World) -> None:
    for _ in range(5):
        await readiness(door)
    assert world.store.probes == 1
    world.clock.advance(1)
    await readiness(door)
    assert world.store.probes == 2


async def test_metrics_hold_the_counters_of_the_store(door: Door) -> None:
    async with door.http.get("/metrics") as answer:
        text = await answer.text()
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'wunder_store{figure="commits"} 0' in text


async def test_probes_are_read_only(door: Door) -> None:
    async with door.http.post("/readyz", data=b"x") as answer:
        assert answer.status == 405
