"""Two versions serve one database: the program of every earlier schema, and this one that migrates under it."""

import asyncio
import itertools
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.journeys.earlier_program import program_with_schema
from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.test_acceptance_1 import install, throw, washed_ashore
from tests.journeys.test_moving import take_key
from tests.postgres_server import postgres
from tests.waiting import wait_for
from wunder.store.postgres.migrations import steps

pytestmark = pytest.mark.process
KNOWN = steps()[-1].number
#: The first whose program knew of other nodes; tests/unit/store/postgres/test_migrations.py has those before.
OLDEST = 6
PEOPLE = ("ann", "bob", "cai")


class Talk:
    """People who write without a pause, each repeating a note until some node takes it, and now and then once more."""

    def __init__(self) -> None:
        self.nodes: list[GatewayProcess] = []
        self.taken: dict[str, list[str]] = defaultdict(list)
        self.by_node: dict[str, int] = defaultdict(int)
        self._is_over = threading.Event()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Let them write while the block runs."""
        talking = [threading.Thread(target=self._write, args=(who,)) for who in PEOPLE]
        for one in talking:
            one.start()
        try:
            yield
        finally:
            self._is_over.set()
            for one in talking:
                one.join(60)

    def goes_on_at(self, *nodes: GatewayProcess) -> None:
        """Write to these from now on; wait until each took in some."""
        self.nodes = list(nodes)
        seen = {node.url: self.by_node[node.url] + 9 for node in nodes}
        wait_for(lambda: all(self.by_node[url] >= wanted for url, wanted in seen.items()))

    def _write(self, who: str) -> None:
        for number in itertools.count():
            text = f"{who} {number}"
            while not self._took(number, who, text):
                if self._is_over.wait(0.02):
                    return
            self.taken[who].append(text)
            if number % 3 == 0:
                self._took(number + 1, who, text)
            if self._is_over.wait(0.02):
                return

    def _took(self, turn: int, who: str, text: str) -> bool:
        node = self.nodes[turn % len(self.nodes)]
        try:
            status, _ = throw(node, "main", {"id": text, "from": who, "say": text})
        except OSError:
            return False
        self.by_node[node.url] += status == 200
        return status == 200


def heard(shore: Path) -> dict[str, list[str]]:
    """What each person was answered, in order."""
    said: dict[str, list[str]] = defaultdict(list)
    for note in washed_ashore(shore):
        said[note["to"]].append(note["text"])
    return said


@pytest.mark.timeout(180)
@pytest.mark.parametrize("version", range(OLDEST, KNOWN))
def test_the_program_of_an_earlier_schema_serves_on_while_this_one_migrates_and_comes_beside_it(
    version: int, tmp_path: Path
) -> None:
    url = asyncio.run(postgres().empty_database())
    shore, talk = tmp_path / "shore.jsonl", Talk()
    before = GatewayProcess(tmp_path / "before", WUNDER_STORE_DATABASE_URL=url)
    before.program = program_with_schema(version, tmp_path / "program")
    after = GatewayProcess(tmp_path / "after", WUNDER_STORE_DATABASE_URL=url)
    with ExitStack() as ended:
        ended.callback(after.stop)
        ended.enter_context(before)
        take_key(before.data_dir, after.data_dir)
        install(before, shore)
        talk.nodes = [before]
        with talk.going_on():
            talk.goes_on_at(before)
            standing = json.loads(after.command("migrate", "--json"))
            assert (standing["schema_version"], standing["reached"]) == (version, KNOWN)
            talk.goes_on_at(before)
            after.start()
            talk.goes_on_at(before, after)
            assert after.get("/readyz")
            talk.goes_on_at(before)
            after.stop()
            talk.goes_on_at(before)
            after.start()
            talk.goes_on_at(after)
            before.stop()
            talk.goes_on_at(after)
        wait_for(lambda: heard(shore) == talk.taken)
        for state in ("pending", "sending", "unknown", "failed", "expired", "held"):
            assert after.get("channels/outbox", state=state)["items"] == []
