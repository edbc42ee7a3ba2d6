"""What a callback is answered with: nothing, the address check's echo, or sealed JSON."""

import json
import secrets
from dataclasses import dataclass

from wunder_channels.wechat.envelope import KeyPair, seal, sign
from wunder_sdk import ImmediateResponse, bytes_response, json_response
from wunder_sdk.loose_json import JsonObject

#: What a stream shows until there is an answer.
WAITING = "…"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes one answer differ from the next.

    Attributes:
        timestamp: Unix seconds.
        nonce: Digits of our own.
        random16: The first 16 bytes inside the envelope.
    """

    timestamp: int
    nonce: str
    random16: bytes

    @staticmethod
    def new(received_ms: int) -> "Stamp":
        """Draw one."""
        return Stamp(received_ms // 1000, str(secrets.randbelow(10**10)), secrets.token_bytes(16))


def accepted() -> ImmediateResponse:
    """Answer 200 with an empty body: received, nothing to say now (WeCom docs 90238)."""
    return bytes_response(b"", "text/plain")


def echo(plain: bytes) -> ImmediateResponse:
    """Answer the address check: the decrypted text as it is, no quotes, no newline."""
    return bytes_response(plain, "text/plain")


def sealed_json(document: JsonObject, pair: KeyPair, stamp: Stamp) -> ImmediateResponse:
    """Answer an AI bot's callback (WeCom docs 101033); its receive id is empty."""
    plain = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    encrypted = seal(plain.encode("utf-8", "replace"), pair.encoding_aes_key, "", stamp.random16)
    timestamp = str(stamp.timestamp)
    return json_response(
        {
            "encrypt": encrypted,
            "msgsignature": sign(pair.token, timestamp, stamp.nonce, encrypted),
            "timestamp": stamp.timestamp,
            "nonce": stamp.nonce,
        }
    )


def stream(stream_id: str, content: str, *, finish: bool) -> JsonObject:
    """Return what a stream shows now: always the whole text so far (WeCom docs 101031)."""
    shown = {"id": stream_id, "finish": finish, "content": content}
    return {"msgtype": "stream", "stream": shown}


def welcome(text: str) -> JsonObject:
    """Return the greeting for somebody who opens the chat: the only plain text a bot may say."""
    return {"msgtype": "text", "text": {"content": text}}
