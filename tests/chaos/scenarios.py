"""Everything that is done to gateways under load, each with what it runs on and how often.

A scenario breaks something while the flood goes on. The short form is for every build, the long one
for `make chaos`; the numbers are how often it breaks.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.cluster import LEASE_S, NODES, POSTGRES, SQLITE, Node, Setup, until_paused
from tests.chaos.flood import Place, Posted
from tests.chaos.small_disk import MIB, fill
from tests.chaos.verdict import waits_s
from tests.chaos.world import FOLDING, PLAIN, World

ALL = (SQLITE, POSTGRES, NODES)
ON_A_SERVER = (POSTGRES, NODES)
#: A COMMIT is 12 bytes on the wire, its answer 18; beyond that another statement is hit.
BYTES_OF_A_COMMIT = 32
#: So many accounts of either channel get a platform that hangs, one after the other.
HUNG = 3
#: 16 accounts with so many conversations each: more than a thousand.
CONVERSATIONS = 63
#: What no engine and no wire may stumble over; lone surrogates cannot cross the wire as JSON.
HOSTILE = (
    "\x00",
    "a\x00b\x00",
    "\ufffe\uffff",
    "\U0010ffff\U0001f9d1\u200d\U0001f692",
    "'; DROP TABLE channel_messages; --",
    "%s {} $1 ?1 :name \\",
    "\u202e\u2066\u0000right to left",
    '{"jsonrpc":"2.0","id":1,"result":{}}\n{"a":1}\r\n',
    "\x1b[2J\x07\x08\x7f\x85\u2028\u2029",
    "NULL",
    "\\u0000 \\x00 \\N \\.",
    "é" * 300,
)

Breakage = Callable[[World, int], Awaitable[str | None]]


@dataclass(frozen=True)
class Scenario:
    """One row of the table a setup."""

    name: str
    words: str
    breakage: Breakage
    setups: tuple[Setup, ...] = ALL
    short: int = 3
    long: int = 20
    #: No further breakage is begun after so long: a slow machine plays less, and says how much.
    budget_s: float = 45.0
    per_s: float = 40.0
    moods: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    #: After the flood has ended and everything is at rest.
    afterwards: Callable[[World], Awaitable[None]] | None = None
    #: How deliveries and messages may end otherwise than well: kept, shown, and so accounted for.
    keeps: tuple[str, ...] = ()
    #: Of all that was accepted so much at most, and one: chance may kill the same message four times.
    keeps_share: float = 1.0
    #: Bytes of the disk under the store; 0: the machine's own.
    disk_bytes: int = 0
    #: It cuts the wire between a gateway and PostgreSQL.
    is_wired: bool = False
    #: What is said about a run beside its figures.
    remark: Callable[[World], str] = lambda _world: ""


# --- processes that die ------------------------------------------------------------------------------


async def kill_gateways(world: World, times: int) -> None:
    """SIGKILL a gateway at a random instant, one time in six while it starts."""
    for _ in world.some(times):
        node = world.dice.choice(world.nodes)
        await world.some_time()
        world.broke()
        node.kill()
        if world.dice.random() < 1 / 6:
            await world.kill_while_starting(node)
        await world.start(node)


async def kill_plugins(world: World, times: int) -> None:
    """SIGKILL a plugin's process at a random instant."""
    for _ in world.some(times):
        await world.some_time(0.8)
        if pids := await asyncio.to_thread(world.plugin_pids):
            world.broke()
            with suppress(ProcessLookupError):
                os.kill(world.dice.choice(pids), signal.SIGKILL)


async def restart_all(world: World, rounds: int) -> None:
    """SIGTERM each gateway in turn, and start it again."""
    for _ in world.some(rounds):
        for node in world.nodes:
            await world.some_time()
            world.broke()
            await asyncio.to_thread(node.stop)
            await world.start(node)


# --- processes that stand still ----------------------------------------------------------------------


async def pause(world: World, times: int) -> None:
    """SIGSTOP a gateway at a random instant, for longer than its lease."""
    for _ in world.some(times):
        node = world.dice.choice(world.nodes)
        await world.some_time()
        world.broke()
        node.pause()
        await _outlive_the_lease(world, node)


async def pause_before_frame(world: World, times: int) -> None:
    """Stop a gateway after a delivery was marked and before its frame is written."""
    for _ in world.some(times):
        node = world.dice.choice(world.nodes)
        node.pause_before_next_frame()
        world.breaks.append(await until_paused(node, 20))
        await _outlive_the_lease(world, node)


async def pause_before_answer(world: World, times: int) -> None:
    """Stop a gateway while the platform has its messages and has not answered yet."""
    for _ in world.some(times):
        node = world.dice.choice(world.nodes)
        await asyncio.to_thread(world.platform.tell, takes_s=[0.8, 1.2])
        await asyncio.sleep(1.2)
        world.broke()
        node.pause()
        await asyncio.to_thread(world.platform.tell, takes_s=[0.0, 0.03])
        await _outlive_the_lease(world, node)


async def _outlive_the_lease(world: World, node: Node) -> None:
    await asyncio.sleep(LEASE_S * world.dice.uniform(1.5, 2.2))
    node.resume()
    async with asyncio.timeout(20):
        await world.flood.next_accepted()
    await world.some_time()


# --- the database ------------------------------------------------------------------------------------


async def cut_commits(world: World, bytes_to_try: int) -> None:
    """Cut the connection after each number of bytes of a COMMIT and its answer."""
    for number in world.some(bytes_to_try):
        wire = world.dice.choice(world.nodes).wire
        assert wire is not None
        # All of them in the long form; in the short one spread over the same stretch.
        passing = number * BYTES_OF_A_COMMIT // bytes_to_try
        before = wire.cuts
        wire.goes_down_with_the_cut = world.dice.random() < 0.5
        wire.cut_after = passing
        async with asyncio.timeout(60):
            while wire.cuts == before:  # noqa: ASYNC110 - counted by the wire
                await asyncio.sleep(0.01)
        world.broke()
        await world.some_time(0.4)
        wire.is_down = False


async def kill_server(world: World, times: int) -> None:
    """SIGKILL the database server and all its processes, or cut its power; start it again."""
    server = world.cluster.server
    assert server is not None
    for number in world.some(times):
        await world.some_time()
        world.broke()
        await asyncio.to_thread(server.stop if number % 2 else server.kill)
        await world.some_time(2.0)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(30):
            await world.flood.next_accepted()


async def cut_off(world: World, times: int) -> None:
    """Cut one gateway off from the database for longer than its lease: loudly, then in silence."""
    for number in world.some(times):
        node = world.dice.choice(world.nodes)
        wire = node.wire
        assert wire is not None
        await world.some_time()
        world.broke()
        if number % 2:
            wire.is_down = True
            wire.cut()
        else:
            wire.fall_silent()
        await asyncio.sleep(LEASE_S * world.dice.uniform(1.5, 2.2))
        wire.is_down = False
        wire.speak_again()
        async with asyncio.timeout(30):
            await world.flood.next_accepted()


# --- time, load and neighbours -----------------------------------------------------------------------


async def jump_clocks(world: World, times: int) -> None:
    """Put the wall clock of a gateway, or of all, an hour forward or back, while much waits."""
    for number in world.some(times):
        some = world.nodes if number % 2 else [world.dice.choice(world.nodes)]
        await asyncio.to_thread(world.platform.tell, is_down=True)
        await asyncio.sleep(0.7)
        world.broke()
        for node in some:
            node.set_clock(-3600.0 if number % 3 == 2 else 3600.0)
        await asyncio.to_thread(world.platform.tell, is_down=False)
        await asyncio.sleep(1.5)


async def burst(world: World, seconds: int) -> str:
    """Ten times what the platform takes in a second: 64 at once a channel, 2 s each."""
    capacity = 64 * len(world.nodes)
    await asyncio.to_thread(world.platform.tell, takes_s=[2.0, 2.0], slow=0, refused=0, throttled=0)
    world.broke()
    world.flood.per_s = capacity * 10
    await asyncio.sleep(seconds)
    world.flood.per_s = 5.0
    refused = {str(name): count for name, count in world.flood.refusals.items()}
    await asyncio.to_thread(world.platform.tell, takes_s=[0.5, 0.5])
    return f"{capacity * 10}/s for {seconds} s; refused and delivered again: {refused or 0}"


def p99_of_the_others(world: World) -> str:
    """How long messages of accounts took whose platform never hung."""
    waits = waits_s(world.flood.posted, world.journal)
    hung = {f"{channel}-{number}" for channel in (FOLDING, PLAIN) for number in range(HUNG)}
    others = sorted(wait for account, some in waits.items() if account not in hung for wait in some)
    return f"p99 of the other accounts {others[len(others) * 99 // 100]:.2f} s"


async def hang_accounts(world: World, rounds: int) -> None:
    """The platform takes 5 s for each message of one account of either channel."""
    for number in world.some(rounds):
        await asyncio.sleep(1)
        world.broke()
        hung = {f"{channel}-{number % HUNG}": 5.0 for channel in (FOLDING, PLAIN)}
        await asyncio.to_thread(world.platform.tell, hung=hung)
        await asyncio.sleep(6)
        await asyncio.to_thread(world.platform.tell, hung={})


async def hang_plugins(world: World, rounds: int) -> None:
    """SIGSTOP a plugin's process for 4 s."""
    for _ in world.some(rounds):
        await world.some_time()
        pids = await asyncio.to_thread(world.plugin_pids)
        pid = world.dice.choice(pids)
        world.broke()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(4)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def platform_away(world: World, rounds: int) -> None:
    """Nobody listens at the platform for some seconds."""
    for _ in world.some(rounds):
        await world.some_time()
        world.broke()
        await asyncio.to_thread(world.platform.tell, is_down=True)
        await asyncio.sleep(3)
        await asyncio.to_thread(world.platform.tell, is_down=False)


# --- what comes in -----------------------------------------------------------------------------------


async def hostile_batches(world: World, seconds: int) -> None:
    """Batches of 64 messages, one in eight with hostile strings and numbers in every field."""

    def decorate(message: Posted) -> None:
        if world.dice.random() < 1 / 8:
            message.decoration = world.dice.choice(HOSTILE)

    world.flood.decorate = decorate
    world.flood.a_request = 64
    world.broke()
    await asyncio.sleep(seconds)


async def shuffled_batches(world: World, seconds: int) -> None:
    """Shuffled batches of 16, half of whose messages come again in others, a quarter twice in one."""
    world.flood.a_request = 16
    world.broke()
    await asyncio.sleep(seconds)


async def many_conversations(world: World, rounds: int) -> None:
    """A message in each of 1,008 conversations at the same moment."""
    some = {(place.channel, place.account) for place in world.flood.places}
    places = [
        Place(channel, account, "user", f"somebody-{number}")
        for channel, account in sorted(some)
        for number in range(CONVERSATIONS)
    ]
    world.broke()
    for _ in world.some(rounds):
        await world.flood.post_all(world.dice.sample(places, len(places)))


# --- disks and backups ------------------------------------------------------------------------------


async def fill_disk(world: World, times: int) -> None:
    """Fill the disk under the store for three seconds; PostgreSQL may not survive that."""
    for _ in world.some(times):
        await world.some_time()
        place = world.ground.data or world.cluster.data_of_server()
        filler = await asyncio.to_thread(fill, place)
        world.broke()
        await asyncio.sleep(3)
        filler.unlink()
        if world.cluster.server is not None and not world.cluster.server.is_running:
            await asyncio.to_thread(world.cluster.server.start)
        async with asyncio.timeout(30):
            await world.flood.next_accepted()


async def back_up(world: World, seconds: int) -> None:
    """Back up while the platform is away and much waits; then everything goes on, into the gap."""
    await asyncio.sleep(seconds)
    await asyncio.to_thread(world.platform.tell, is_down=True)
    await asyncio.sleep(1)
    gateway = world.nodes[0].gateway
    await asyncio.to_thread(gateway.command, "backup", str(world.backup))
    await asyncio.to_thread(world.platform.tell, is_down=False)
    await asyncio.sleep(seconds)


async def restore(world: World) -> None:
    """Lose the store and put the backup in its place: nothing may leave by itself."""
    for node in world.nodes:
        await asyncio.to_thread(node.stop)
    await world.cluster.lose_the_store()
    gateway = world.nodes[0].gateway
    await asyncio.to_thread(gateway.command, "restore", str(world.backup), "--yes")
    before = len(world.arrived())
    for node in world.nodes:
        await asyncio.to_thread(node.start)
    await asyncio.sleep(3)
    assert len(world.arrived()) == before, "something left by itself"


SCENARIOS = (
    Scenario("kill -9 of a gateway", "at a random instant, also while it starts", kill_gateways,
             short=6, long=100, budget_s=240, keeps=("failed", "message failed: poison"),
             keeps_share=0.002),
    Scenario("kill -9 of a plugin", "at a random instant", kill_plugins, short=6, long=100),
    Scenario("rolling restart", "SIGTERM and start, one gateway after the other", restart_all,
             short=1, long=6, moods={"answer_lost": 0.0}),
    Scenario("gateway paused past its lease", "SIGSTOP at a random instant, SIGCONT", pause,
             short=1, long=6),
    Scenario("paused between mark and frame", "SIGSTOP past the lease, SIGCONT", pause_before_frame,
             short=1, long=6),
    Scenario("paused between frame and answer", "SIGSTOP past the lease, SIGCONT",
             pause_before_answer, short=1, long=6),
    Scenario("connection cut around COMMIT", "after each byte of it and of its answer", cut_commits,
             ON_A_SERVER, short=6, long=BYTES_OF_A_COMMIT, is_wired=True),
    Scenario("kill -9 of PostgreSQL", "all its processes, or its power cut; started again",
             kill_server, ON_A_SERVER, short=2, long=10),
    Scenario("gateway cut off from PostgreSQL", "past its lease, loudly or in silence", cut_off,
             ON_A_SERVER, short=2, long=6, is_wired=True),
    Scenario("clock set by an hour", "forward or back, of one gateway or all", jump_clocks,
             short=3, long=10),
    Scenario("burst", "ten times what the platform takes", burst, short=1, long=3,
             moods={"answer_lost": 0.0}),
    Scenario("one hung account", "its platform takes 5 s a message", hang_accounts,
             short=1, long=3, remark=p99_of_the_others),
    Scenario("one hung plugin", "SIGSTOP for 4 s", hang_plugins, short=1, long=5),
    Scenario("platform away", "nobody listens for 3 s", platform_away, short=1, long=5),
    Scenario("hostile strings", "in every field, in batches of 64", hostile_batches,
             short=3, long=10, per_s=160),
    Scenario("shuffled batches", "with repeats within and between them", shuffled_batches,
             short=3, long=10, per_s=80),
    Scenario("1,008 conversations at once", "each gets its own answers only", many_conversations,
             short=1, long=5, per_s=5),
    Scenario("restore of a backup", "made while much waited; what waited then is held", back_up,
             short=1, long=10, afterwards=restore, keeps=("held", "message failed")),
    Scenario("disk full", "for 3 s, then room again", fill_disk, (SQLITE, POSTGRES),
             short=1, long=5, disk_bytes=256 * MIB),
)  # fmt: skip


def named(name: str) -> Scenario:
    """The scenario of a name."""
    return next(one for one in SCENARIOS if one.name == name)
