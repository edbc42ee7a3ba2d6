"""One or more real gateways on one store; the test may pause them, kill them and cut their wires."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.staged_gateway import STOP_BEFORE_FRAME, prepare, set_clock
from tests.journeys.gateway_process import GatewayProcess
from tests.ports import own_port
from tests.postgres_server import PostgresServer, postgres
from tests.unit.store.postgres.proxy import Proxy

PROGRAM = Path(__file__).with_name("staged_gateway.py")
ROOT = Path(__file__).resolve().parents[2]
KEY_FILE = Path("keys/master.key")
#: Shorter than in production, so that a minute holds many take-overs; the rules are the same.
LEASE_S = 3.0
#: On a machine that is busy with much else.
START_LIMIT_S = 120.0
#: A gateway whose database does not answer when it starts ends, and says so; a service manager starts it again.
STARTS = 5
GAVE_UP = "the database does not answer"


@dataclass(frozen=True)
class Setup:
    """What a scenario runs on."""

    engine: str
    nodes: int = 1

    @property
    def name(self) -> str:
        """For tables and for the names of tests."""
        return self.engine if self.nodes == 1 else f"{self.engine}-{self.nodes}-nodes"


@dataclass(frozen=True)
class Ground:
    """What a scenario puts under the store: a folder for the data directories, a server of its own."""

    data: Path | None = None
    server: PostgresServer | None = None
    #: Between nodes and server: it is carried by the test's own loop, so only who cuts it has it.
    is_wired: bool = False


SQLITE, POSTGRES, NODES = Setup("sqlite"), Setup("postgres"), Setup("postgres", 3)


class Node:
    """A gateway, where its stage manager listens, and its wire to the database."""

    def __init__(self, folder: Path, gateway: GatewayProcess, wire: Proxy | None) -> None:
        self.stage = folder
        self.gateway = gateway
        self.wire = wire
        self.is_up = False
        prepare(folder)
        # Platforms and balancers know only one address.
        gateway.settings["WUNDER_SERVER_PORT"] = str(own_port())
        gateway.start_limit_s = START_LIMIT_S
        gateway.program = (sys.executable, str(PROGRAM), str(folder))

    def start(self) -> None:
        """Start it as a service manager would, and wait until it answers; always on the same port."""
        for starts_left in reversed(range(STARTS)):
            try:
                self.gateway.start()
                break
            except AssertionError:
                if GAVE_UP not in self.gateway.tail(1) or not starts_left:
                    raise
        self.is_up = True

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is said."""
        self.is_up = False
        self.gateway.kill()

    def stop(self) -> None:
        """SIGTERM, and wait for a good end."""
        self.is_up = False
        assert self.gateway.stop() == 0, self.gateway.tail()

    def pause(self) -> None:
        """SIGSTOP: it stands still wherever it is."""
        os.kill(self.gateway.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.gateway.pid, signal.SIGCONT)

    @property
    def is_paused(self) -> bool:
        """True while it stands still."""
        stat = Path(f"/proc/{self.gateway.pid}/stat").read_text("ascii", "replace")
        return stat.rpartition(")")[2].split()[0] == "T"

    def pause_before_next_frame(self) -> None:
        """Have it stop itself between the mark of the next delivery and its frame."""
        (self.stage / STOP_BEFORE_FRAME).touch()

    def set_clock(self, offset_s: float) -> None:
        """Put its wall clock forward or back."""
        set_clock(self.stage, offset_s)


@dataclass
class Cluster:
    """The nodes of one store. The first has installed what all of them run."""

    nodes: list[Node]
    server: PostgresServer | None

    @property
    def first(self) -> Node:
        """The node that is there in every setup."""
        return self.nodes[0]

    def desk(self) -> GatewayProcess:
        """A gateway that answers questions now."""
        return next(node.gateway for node in self.nodes if node.is_up)

    def urls(self) -> list[str]:
        """Where webhooks go: a balancer that has not noticed yet who is away."""
        return [node.gateway.url for node in self.nodes]

    async def lose_the_store(self) -> None:
        """Take away the file, or point everybody to an empty database; no node may be up."""
        assert not self.up()
        if self.server is None:
            for path in self.first.gateway.data_dir.glob("wunder.db*"):
                path.unlink()
            return
        database = (await self.server.empty_database()).rpartition("@")[2]
        for node in self.nodes:
            assert node.wire is None
            node.gateway.settings["WUNDER_STORE_DATABASE_URL"] = f"postgresql://wunder@{database}"

    def data_of_server(self) -> Path:
        """Where the database server keeps its files."""
        assert self.server is not None
        return self.server.data

    def up(self) -> list[Node]:
        """Those that were not killed or stopped."""
        return [node for node in self.nodes if node.is_up]


@asynccontextmanager
async def cluster(
    tmp_path: Path, setup: Setup, settings: dict[str, str], ground: Ground
) -> AsyncIterator[Cluster]:
    """Make the nodes; start the first, whose key the others are given. Ends all that still run."""
    server = (ground.server or postgres()) if setup.engine == "postgres" else None
    database = await server.new_database() if server else ""
    async with AsyncExitStack() as ends:
        found = Cluster([], server)
        for number in range(setup.nodes):
            own, wire = dict(settings), None
            if server is not None:
                own["WUNDER_STORE_DATABASE_URL"] = database
                own["WUNDER_STORE_LEASE_S"] = str(LEASE_S)
            if server is not None and ground.is_wired:
                wire = Proxy(_short_folder(ends), server.dir / ".s.PGSQL.5432")
                await wire.start()
                ends.push_async_callback(wire.stop)
                through = database.replace(str(server.dir), str(wire.folder))
                own["WUNDER_STORE_DATABASE_URL"] = through
            gateway = GatewayProcess((ground.data or tmp_path) / f"data{number}", **own)
            found.nodes.append(Node(tmp_path / f"stage{number}", gateway, wire))
        ends.push_async_callback(_end_all, found)
        await asyncio.to_thread(found.first.start)
        async with asyncio.TaskGroup() as starting:
            for node in found.nodes[1:]:
                _give_key(found.first, node)
                starting.create_task(asyncio.to_thread(node.start))
        yield found


def _give_key(first: Node, other: Node) -> None:
    """All nodes of a database open its secrets with one key; an operator copies it."""
    target = other.gateway.data_dir / KEY_FILE
    target.parent.mkdir(parents=True, mode=0o700)
    shutil.copy(first.gateway.data_dir / KEY_FILE, target)
    target.chmod(0o600)


async def _end_all(found: Cluster) -> None:
    async with asyncio.TaskGroup() as ending:
        for node in found.up():
            node.resume()
            ending.create_task(asyncio.to_thread(node.gateway.stop))


def _short_folder(ends: AsyncExitStack) -> Path:
    """The path of a socket has at most 107 bytes."""
    return Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="wcx", dir="/tmp")))


async def until_paused(node: Node, limit_s: float) -> float:
    """Wait until a node has stopped itself; when that was noticed."""
    async with asyncio.timeout(limit_s):
        while not node.is_paused:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    return time.monotonic()
