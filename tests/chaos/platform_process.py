"""A flaky platform in a process of its own: takes messages, writes down what it took, and misbehaves.

Run: `python platform_process.py --journal FILE --seed N`. It prints `{"port": ..}` and serves lines of
JSON until its stdin closes. What arrives is on paper before anything else can go wrong.
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
REFUSED, THROTTLED, ANSWER_LOST, SLOW = 0.20, 0.05, 0.06, 0.05
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

    async def take(self, asked: Json) -> Json | None:
        """Answer one send; None hangs up without an answer, though the message was taken."""
        roll = self._dice.random()
        if roll < REFUSED and self._refusals[asked["key"]] < REFUSALS_A_KEY:
            self._refusals[asked["key"]] += 1
            self._write("refused", asked)
            return {"refused": self._dice.choice(["down", "fault"])}
        roll -= REFUSED
        if 0 <= roll < THROTTLED:
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
        if THROTTLED <= roll < THROTTLED + ANSWER_LOST:
            return None
        is_slow = self._dice.random() < SLOW
        await asyncio.sleep(
            self._dice.uniform(0.2, 0.5) if is_slow else self._dice.uniform(0, 0.03)
        )
        return {"id": self._ids[asked["key"]]}

    def _write(self, what: str, asked: Json) -> None:
        line = {"at": time.monotonic(), "what": what, **asked}
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()


async def serve(platform: Platform) -> None:
    """Serve until stdin closes."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                answer = await platform.take(json.loads(line))
                if answer is None:
                    break
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    with open(given.journal, "a", encoding="utf-8") as journal:
        asyncio.run(serve(Platform(journal, given.seed)))


if __name__ == "__main__":
    main()
