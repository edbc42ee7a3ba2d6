"""An open-loop sender: posts messages as they come due, and delivers again as platforms do."""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

#: Seconds. Platforms wait longer between tries; the test would only be slower.
AGAIN_FIRST_S, AGAIN_CAP_S = 0.05, 0.8
POST_LIMIT_S = 15.0


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

    @property
    def id(self) -> str:
        """Unique, and says where it belongs: the echo of it can be judged by its text alone."""
        return f"{self.place.account}:{self.place.peer}:{self.number}"


@dataclass
class Flood:
    """Posts to `places` at random, `per_s` a second, whether or not anybody answers."""

    url: str
    places: list[Place]
    dice: random.Random
    per_s: float
    posted: list[Posted] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    _accepted: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Post until `stop`, then until everything was accepted."""
        numbers: Counter[Place] = Counter()
        limit = aiohttp.ClientTimeout(total=POST_LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(limit=200)) as http,
            asyncio.TaskGroup() as tasks,
        ):
            due = time.monotonic()
            while not stop.is_set():
                place = self.dice.choice(self.places)
                numbers[place] += 1
                message = Posted(place, numbers[place])
                self.posted.append(message)
                tasks.create_task(self._deliver(http, message))
                due += self.dice.expovariate(self.per_s)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def next_accepted(self) -> None:
        """Wait until one more message is accepted."""
        self._accepted.clear()
        await self._accepted.wait()

    async def _deliver(self, http: aiohttp.ClientSession, message: Posted) -> None:
        place = message.place
        url = f"{self.url}/wunder/channel/{place.channel}/{place.account}/webhook"
        body = json.dumps(
            {
                "id": message.id,
                "peer_kind": place.peer_kind,
                "peer": place.peer,
                "text": message.id,
            }
        ).encode()
        message.first_at = time.monotonic()
        wait_s = AGAIN_FIRST_S
        while not await self._post(http, url, body, message):
            await asyncio.sleep(wait_s * self.dice.uniform(0.5, 1.0))
            wait_s = min(AGAIN_CAP_S, wait_s * 2)

    async def _post(
        self, http: aiohttp.ClientSession, url: str, body: bytes, message: Posted
    ) -> bool:
        message.tries += 1
        try:
            async with http.post(url, data=body) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.refusals[type(error).__name__] += 1
            return False
        if not 200 <= status < 300:
            self.refusals[str(status)] += 1
            return False
        message.accepted_at = time.monotonic()
        self.accepted += 1
        self._accepted.set()
        return True
