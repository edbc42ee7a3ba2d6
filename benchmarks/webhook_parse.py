"""CPU to verify and parse one webhook of 1 KB, for each channel, in this process.

    python -m benchmarks.webhook_parse [--rounds 15] [--messages 100]

Different messages, as the platforms' stand-ins sign and seal them, go through the SDK's dispatcher as
in the gateway: signature, decryption where there is one, JSON or XML, our message. What is measured is
this process's CPU time; a channel's figure is the median of its rounds.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.standins.kinds import FEISHU, QQ, WECHAT_MP, WECOM, WHATSAPP, Kind
from wunder.model.ids import At
from wunder.model.provider import RawRequest
from wunder.providers.builtin import bundled_channels, load_channel
from wunder.providers.translation import to_wire_request
from wunder_sdk.dispatch import Dispatcher
from wunder_sdk.testing import FakeHost
from wunder_wire import methods

BODY_BYTES = 1_024
KINDS = (FEISHU, WECOM, WECHAT_MP, WHATSAPP, QQ)


def requests(kind: Kind, count: int, now_ms: int) -> list[methods.HttpRequest]:
    """Write `count` webhooks of about 1 KB."""
    standin: Any = kind.standin()
    made = []
    for number in range(count):
        person, size = kind.person(number), 0
        while True:
            recorded = kind.write(
                standin, person, f"{number} " + "天气 " * (size // 7), now_ms / 1e3
            )
            if len(recorded.body) >= BODY_BYTES or size > BODY_BYTES:
                break
            size += 56
        asked = RawRequest(
            recorded.method,
            "/",
            tuple(parse_qsl(recorded.query)),
            tuple(recorded.headers.items()),
            recorded.body,
            "203.0.113.1",
            At(now_ms),
        )
        made.append(to_wire_request(asked, as_bytes=True))
    return made


async def measure(kind: Kind, rounds: int, count: int) -> dict[str, float]:
    """Return the CPU of a webhook in microseconds, and how large they were."""
    now_ms = int(time.time() * 1000)
    folder = next(
        one.folder for one in bundled_channels() if one.manifest.plugin_id == kind.channel
    )
    dispatcher: Dispatcher[Any] = Dispatcher(load_channel(folder)(), FakeHost(now_ms))
    account = methods.Account("main", 1, kind.account("http://127.0.0.1:9"), {}, kind.channel)
    calls = [methods.ParseParams(account, one) for one in requests(kind, count, now_ms)]
    for one in calls:
        found = await dispatcher.call("channel.parse_inbound", one)
        if len(found.messages) != 1:
            raise SystemExit(f"{kind.channel}: {found.ignored}")
    took_us = []
    for _ in range(rounds):
        began = time.process_time_ns()
        for one in calls:
            await dispatcher.call("channel.parse_inbound", one)
        took_us.append((time.process_time_ns() - began) / 1e3 / len(calls))
    await dispatcher.close()
    sizes = [len(one.http.body_b64) for one in calls]
    return {"cpu_us": statistics.median(took_us), "least_us": min(took_us),
            "body_bytes": statistics.median(sizes)}  # fmt: skip


def signature_us(rounds: int) -> float:
    """Return the CPU of one Ed25519 signature over 1 KB: what QQ's webhooks cannot cost less than."""
    key, message, took_us = Ed25519PrivateKey.generate(), bytes(BODY_BYTES), []
    for _ in range(rounds):
        began = time.process_time_ns()
        for _ in range(100):
            key.sign(message)
        took_us.append((time.process_time_ns() - began) / 1e3 / 100)
    return statistics.median(took_us)


def main() -> None:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--messages", type=int, default=100)
    args = parser.parse_args()
    figures = {
        kind.channel: asyncio.run(measure(kind, args.rounds, args.messages)) for kind in KINDS
    }
    signed_us = signature_us(args.rounds)
    figures[QQ.channel] |= {
        "signature_us": signed_us,
        "over_signature_us": figures[QQ.channel]["cpu_us"] - signed_us,
    }
    json.dump({"figures": figures}, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
