"""A flaky platform in a process of its own: takes messages, writes down what it took, and misbehaves.

Run: `python platform_process.py --journal FILE --seed N --port P`. It prints `{"port": ..}` and serves lines of
JSON. Each line on its stdin, `{"moods": ..}`, changes how it behaves; it ends when its stdin closes.
What arrives is on paper before anything else can go wrong.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import IO, Any

Json = dict[str, Any]

#: Shares of sends, in the order in which they are rolled. Choice: enough of each in a minute.
MOODS: Json = {
    "refused": 0.20,  # 500: not taken
    "throttled": 0.05,  # 429 with a time to wait
    "answer_lost": 0.06,  # taken, and the connection reset
    "slow": 0.05,
    "takes_s": [0.0, 0.03],
    "slow_s": [0.2, 0.5],
    "hung": {},  # account -> seconds that each of its sends takes
    "is_down": False,  # nobody listens
}
#: A platform that fails the same message for ever would use up its retries: not what is tested here.
REFUSALS_A_KEY = 3


class Platform:
    """Takes messages. With `folds` a repeated key is the same message again, else another one."""

    def __init__(self, journal: IO[str], seed: int) -> None:
        self._journal = journal
        self._dice = random.Random(seed)
        self._lines = itertools.count()
        self._ids: dict[str, str] = {}
        self._refusals: Counter[str] = Counter()
        self.moods = dict(MOODS)

    async def take(self, asked: Json) -> Json | None:
        """Answer one send; None hangs up without an answer, though the message was taken."""
        moods = self.moods
        roll = self._dice.random()
        if roll < moods["refused"]:
            if self._refusals[asked["key"]] < REFUSALS_A_KEY:
                self._refusals[asked["key"]] += 1
                self._write("refused", asked)
                return {"refused": self._dice.choice(["down", "fault"])}
        elif roll < moods["refused"] + moods["throttled"]:
            self._write("throttled", asked)
            scope = self._dice.choice(["peer", "peer", "account"])
            return {"refused": "slow_down", "after_ms": self._dice.randint(20, 150), "scope": scope}
        if asked["folds"] and asked["key"] in self._ids:
            self._write("folded", asked)
            if self._dice.random() < 0.5:
                return {"refused": "duplicate"}
            return {"id": self._ids[asked["key"]]}
        self._ids[asked["key"]] = f"p-{next(self._lines)}"
        self._write("arrived", asked)
        if self._dice.random() < moods["answer_lost"]:
            return None
        await asyncio.sleep(self._takes_s(asked["account"]))
        return {"id": self._ids[asked["key"]]}

    def _takes_s(self, account: str) -> float:
        if account in self.moods["hung"]:
            return float(self.moods["hung"][account])
        span = "slow_s" if self._dice.random() < self.moods["slow"] else "takes_s"
        return self._dice.uniform(*self.moods[span])

    def _write(self, what: str, asked: Json) -> None:
        line = {"at": time.monotonic(), "what": what, **asked}
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()


class Door:
    """Where the platform listens: one port, which may be closed and opened again."""

    def __init__(self, platform: Platform, port: int) -> None:
        self._platform = platform
        self._server: asyncio.Server | None = None
        self._port = port

    async def open(self) -> None:
        """Listen."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._speak, "127.0.0.1", self._port, backlog=1024
            )

    def close(self) -> None:
        """Refuse whoever comes; who is inside may stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                answer = await self._platform.take(json.loads(line))
                if answer is None:
                    break
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()


async def serve(platform: Platform, port: int) -> None:
    """Serve until stdin closes."""
    door = Door(platform, port)
    await door.open()
    _say({"port": port})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        platform.moods |= json.loads(line)["moods"]
        if platform.moods["is_down"]:
            door.close()
        else:
            await door.open()
        _say({"moods": platform.moods})
    door.close()


def _say(document: Json) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    with open(given.journal, "a", encoding="utf-8") as journal:
        asyncio.run(serve(Platform(journal, given.seed), given.port))


if __name__ == "__main__":
    main()
