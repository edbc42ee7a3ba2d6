"""What a node says of itself, and what people see of all of them."""

import asyncio

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from wunder.errors import StoreUnavailable
from wunder.model.ids import At, PluginId
from wunder.upkeep.nodes import Members, Node, NodePlugin

OTHER = Node(
    "other", 3, "serving", "1.0", "h", "linux-amd64", "3.12.1", "http://o", 5, At(1), At(9)
)
PLUGIN = NodePlugin("other", PluginId("p"), "1.0.0", "ready", "ok", 0, 0, "", "", "", At(5))


class Table:
    """`nodes` in memory."""

    def __init__(self) -> None:
        self.node_id = "this"
        self.rows: dict[str, Node] = {"other": OTHER}
        self.schema = 5
        self.is_away = False
        self.hangs = False

    async def introduce(self, node: Node) -> None:
        self.rows[node.node_id] = node

    async def say(self, state: str, epoch: int, at: At) -> None:
        if self.is_away:
            raise StoreUnavailable
        if self.hangs:
            await asyncio.Event().wait()
        self.rows["this"] = msgspec.structs.replace(self.rows["this"], state=state, seen_at=at)

    async def schema_version(self) -> int:
        return self.schema

    async def all(self) -> list[Node]:
        return list(self.rows.values())

    async def plugins(self, plugin_id: PluginId | None = None) -> list[NodePlugin]:
        return [PLUGIN]


class Life:
    epoch = 7


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
async def members(table: Table) -> Members:
    made = Members(table, Life(), FakeClock(), "1.2.3")
    await made.introduce("http://here", "linux-amd64", 5)
    return made


async def test_every_node_is_shown_with_its_plugins(members: Members) -> None:
    other, this = await members.nodes()
    assert (other.node_id, other.is_this, other.plugins) == ("other", False, (PLUGIN,))
    assert (this.is_this, this.version, this.epoch, this.url) == (True, "1.2.3", 7, "http://here")
    assert (this.state, this.plugins) == ("serving", ())


@pytest.mark.parametrize(
    ("said", "is_alive", "shown"),
    [
        ("serving", True, "serving"),
        ("draining", True, "draining"),
        ("serving", False, "dead"),
        ("draining", False, "dead"),
        ("stopped", False, "stopped"),
    ],
)
async def test_who_neither_lives_nor_took_its_leave_is_dead(
    members: Members, table: Table, said: str, is_alive: bool, shown: str
) -> None:
    table.rows["other"] = msgspec.structs.replace(OTHER, state=said, is_alive=is_alive)
    assert (await members.nodes())[0].state == shown


async def test_this_node_is_seen_now(members: Members, table: Table) -> None:
    first = (await members.nodes())[1].seen_at
    members._clock.advance(5)  # type: ignore[attr-defined]
    assert (await members.nodes())[1].seen_at == first + 5_000


async def test_a_database_that_is_away_or_silent_keeps_nobody_from_stopping(
    members: Members, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wunder.upkeep.nodes._FAREWELL_S", 0.01)
    table.is_away = True
    await members.say("draining")
    table.is_away, table.hangs = False, True
    await members.say("stopped")
    assert table.rows["this"].state == "serving"


async def test_a_newer_schema_is_told_once(
    members: Members, table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    for schema in (5, 6, 6, 7):
        table.schema = schema
        await members.look_at_schema()
    assert capsys.readouterr().err.count("schema_is_newer") == 2
