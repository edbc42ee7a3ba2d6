"""A thousand conversations at once, all alike: no answer and no memory ever in another one."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.store_world import ENGINES, PLENTY, POLICY, give_back
from tests.fakes.channel_provider import FakeChannelProvider
from tests.fakes.clock import FakeClock
from tests.journeys.corridor import Agents, Corridor, corridor
from wunder.model.account import Account
from wunder.model.conversation import Conversation
from wunder.model.delivery import ClaimedDelivery
from wunder.model.provider import Sent
from wunder.model.turn import AgentTurn, Reply
from wunder.store.machine import Machine
from wunder.upkeep.admission import AdmissionPolicy

ACCOUNTS, CONVERSATIONS, ROUNDS, AT_ONCE = 16, 1_000, 3, 25
NAMES = [f"acc-{letter}" for letter in "abcdefghijklmnop"]
#: Joined, folded or cut, these would be taken for each other.
PEERS = ("ab", "a", "AB", "b", "a/b", "ab ", "a\u0301", "\u00e1", "1", "01", "%", "a%", "_")
THREADS = ("", "b", "c", "bc", "B")


def places() -> Iterator[tuple[str, dict[str, str]]]:
    """Account, and kind, peer and thread of a conversation."""
    for number in range(CONVERSATIONS):
        peer = PEERS[number // ACCOUNTS % len(PEERS)]
        thread = THREADS[number // ACCOUNTS // len(PEERS) % len(THREADS)]
        kind = "user" if number // ACCOUNTS % 2 else "group"
        yield NAMES[number % ACCOUNTS], {"kind": kind, "peer": peer, "thread": thread}


def name_of(account_id: str, place: dict[str, str]) -> str:
    return repr((account_id, place["kind"], place["peer"], place["thread"]))


def name_in(account_id: str, conversation: Conversation) -> str:
    return repr((account_id, conversation.peer_kind, conversation.peer_id, conversation.thread_id))


class Platform(FakeChannelProvider):
    """Writes down what arrives in which conversation."""

    def __init__(self) -> None:
        super().__init__("chat")
        self.said: dict[str, list[str]] = defaultdict(list)

    async def send_outbound(self, account: Account, delivery: ClaimedDelivery) -> Sent:
        sent = await super().send_outbound(account, delivery)
        conversation = delivery.message.conversation
        assert conversation.account_uid == account.uid
        self.said[name_in(account.row.account_id, conversation)].append(delivery.message.text)
        return sent


class Echoes(Agents):
    """Says where it was asked, after a while of its own, and remembers nothing of others."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = random.Random(7)
        self.strangers: list[tuple[str, str]] = []
        self.lines = 0
        self.answer_with = self.echo

    async def echo(self, turn: AgentTurn) -> tuple[Reply, ...]:
        me = name_in(turn.message.account_id, turn.message.conversation)
        for _ in range(self.dice.randrange(6)):
            await asyncio.sleep(0)
        self.lines += len(turn.history)
        self.strangers += [(me, one.text) for one in turn.history if not one.text.startswith(me)]
        return (Reply(f"{me} echo {turn.message.content.text}"),)


async def talk(here: Corridor, turn: int) -> None:
    """Everybody says one line, many in one request, all requests at once and in no order."""
    waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, (account_id, place) in enumerate(places()):
        text = f"{name_of(account_id, place)} line {turn}"
        item = {"id": f"{turn}-{number}", "text": text, "mentions_bot": True, **place}
        waiting[account_id].append(item)
    requests = []
    for account_id, items in waiting.items():
        random.Random(turn).shuffle(items)
        requests += [(account_id, items[at : at + AT_ONCE]) for at in range(0, len(items), AT_ONCE)]
    random.Random(turn).shuffle(requests)
    async with asyncio.TaskGroup() as tg:
        for account_id, items in requests:
            tg.create_task(here.post(*items, account=account_id))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("engine", sorted(ENGINES))
async def test_a_thousand_conversations_at_once_never_hear_each_other(
    tmp_path: Path, engine: str
) -> None:
    machine = Machine(free=lambda _path: PLENTY)

    async def opener(data_dir: Path, clock: FakeClock) -> Any:
        return await ENGINES[engine](data_dir, clock, POLICY, machine)

    names = [name_of(account_id, place) for account_id, place in places()]
    assert len(set(names)) == CONVERSATIONS
    platform, agents = Platform(), Echoes()
    folder = tmp_path / "data"
    room = AdmissionPolicy(messages_floor=50_000, messages_ceiling=50_000)
    async with corridor(
        folder, platform=platform, agents=agents, opener=opener, admission=room
    ) as here:
        for account_id in NAMES:
            await here.add_account(account_id)
        for turn in range(ROUNDS):
            await talk(here, turn)
        await here.until(lambda: len(platform.arrivals) >= CONVERSATIONS * ROUNDS)
    give_back(folder)
    heard = {name: [f"{name} echo {name} line {turn}" for turn in range(ROUNDS)] for name in names}
    assert platform.said == heard
    assert agents.strangers == []
    assert agents.lines == CONVERSATIONS * (0 + 2 + 4), "each remembers all of its own"
