"""An open-loop sender: posts messages as they come due, and delivers again as platforms do."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiohttp

#: Seconds. Platforms wait longer between tries; the test would only be slower. With a shorter cap, what waits
#: while a gateway starts on a busy machine is a flood of its own: 400 tries a second of 40 messages.
AGAIN_FIRST_S, AGAIN_CAP_S = 0.05, 3.0
#: So long a platform waits for an answer before it delivers again.
POST_LIMIT_S = 5.0
POSTS_AT_ONCE = 400


@dataclass(frozen=True)
class Place:
    """One conversation: channel, account and peer."""

    channel: str
    account: str
    peer_kind: str
    peer: str


@dataclass
class Posted:
    """One message: its number in its conversation, when it was first posted, when accepted."""

    place: Place
    number: int
    first_at: float = 0.0
    accepted_at: float = 0.0
    tries: int = 0
    decoration: str = ""

    @property
    def id(self) -> str:
        """Unique, and says where it belongs: the echo of it can be judged by its text alone."""
        return f"{self.place.account}:{self.place.peer}:{self.number}"

    def document(self) -> dict[str, str]:
        """What the platform posts."""
        place = self.place
        said = {"id": self.id, "peer_kind": place.peer_kind, "peer": place.peer, "text": self.id}
        if self.decoration:
            said |= {"text": f"{self.id} {self.decoration}", "decoration": self.decoration}
        return said


@dataclass
class Flood:
    """Posts to `places` at random, `per_s` a second, whether or not anybody answers.

    Each try goes to any of the gateways that `urls` returns, as a load balancer would send it.
    """

    urls: Callable[[], Sequence[str]]
    places: list[Place]
    dice: random.Random
    per_s: float
    posted: list[Posted] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    #: So many messages travel in one request, shuffled, and half of them come again in another.
    a_request: int = 1
    decorate: Callable[[Posted], None] | None = None
    _numbers: Counter[Place] = field(default_factory=Counter)
    _accepted: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Post until `stop`, then until everything was accepted."""
        async with self._session() as http, asyncio.TaskGroup() as tasks:
            due = time.monotonic()
            while not stop.is_set():
                tasks.create_task(self._deliver(http, self._request()))
                due += self.dice.expovariate(self.per_s / self.a_request)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def post_all(self, places: Sequence[Place]) -> None:
        """Post one message to each place at the same moment, until all were accepted."""
        async with self._session() as http, asyncio.TaskGroup() as tasks:
            for place in places:
                tasks.create_task(self._deliver(http, [self._new(place)]))

    async def next_accepted(self) -> None:
        """Wait until one more message is accepted."""
        self._accepted.clear()
        await self._accepted.wait()

    @staticmethod
    def _session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=POSTS_AT_ONCE)
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=POST_LIMIT_S), connector=connector
        )

    def _new(self, place: Place) -> Posted:
        self._numbers[place] += 1
        message = Posted(place, self._numbers[place])
        if self.decorate is not None:
            self.decorate(message)
        self.posted.append(message)
        return message

    def _request(self) -> list[Posted]:
        """The messages of one request, all of one account; some of them were in another before."""
        if self.a_request == 1:
            return [self._new(self.dice.choice(self.places))]
        account = self.dice.choice(self.places)
        mine = [p for p in self.places if p.account == account.account]
        news = [self._new(self.dice.choice(mine)) for _ in range(self.a_request)]
        again = [
            m for m in self.posted[-4 * self.a_request :] if m.place.account == account.account
        ]
        batch = news + self.dice.sample(again, min(len(again), self.a_request // 2))
        batch += self.dice.choices(batch, k=self.a_request // 4)
        self.dice.shuffle(batch)
        return batch

    async def _deliver(self, http: aiohttp.ClientSession, messages: list[Posted]) -> None:
        place = messages[0].place
        path = f"/wunder/channel/{place.channel}/{place.account}/webhook"
        documents = [message.document() for message in messages]
        body = json.dumps(documents[0] if len(documents) == 1 else documents).encode()
        now = time.monotonic()
        for message in messages:
            message.first_at = message.first_at or now
        wait_s = AGAIN_FIRST_S
        while not await self._post(http, path, body, messages):
            await asyncio.sleep(wait_s * self.dice.uniform(0.5, 1.0))
            wait_s = min(AGAIN_CAP_S, wait_s * 2)

    async def _post(
        self, http: aiohttp.ClientSession, path: str, body: bytes, messages: list[Posted]
    ) -> bool:
        for message in messages:
            message.tries += 1
        try:
            async with http.post(self.dice.choice(self.urls()) + path, data=body) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.refusals[type(error).__name__] += 1
            return False
        if not 200 <= status < 300:
            self.refusals[str(status)] += 1
            return False
        now = time.monotonic()
        for message in messages:
            if not message.accepted_at:
                message.accepted_at = now
                self.accepted += 1
        self._accepted.set()
        return True
