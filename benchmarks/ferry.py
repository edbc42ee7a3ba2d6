"""The channels that the benchmarks speak through: one on the SDK with HTTP, one of the stdlib alone."""

import json
from typing import Any

from wunder.plugins.pack import pack_files

#: Webhook body: {"id", "from", "text"}; sends POST to the account's `platform`.
SDK_FERRY = """
from wunder_sdk import Channel, ChannelMessage, ParseResult, Peer, Sender, SendResult


class Ferry(Channel):
    async def parse_inbound(self, account, http):
        event = http.json()
        peer, sender = Peer("user", event["from"]), Sender(event["from"])
        where = (account.channel, account.account_id, peer, event["id"], sender, http.received_ms)
        return ParseResult(messages=(ChannelMessage(*where, text=event["text"]),))

    async def send_outbound(self, account, send):
        note = {"to": send.peer.id, "text": send.text, "key": send.idempotency_key}
        answer = await account.http.post(account.config["platform"], json=note)
        return SendResult(provider_message_id=str(answer.json()["id"]))
"""
#: The same without HTTP: the platform is nowhere.
SDK_ECHO = """
from wunder_sdk import Channel, ChannelMessage, ParseResult, Peer, Sender, SendResult


class Echo(Channel):
    async def parse_inbound(self, account, http):
        event = http.json()
        peer, sender = Peer("user", event["from"]), Sender(event["from"])
        where = (account.channel, account.account_id, peer, event["id"], sender, http.received_ms)
        return ParseResult(messages=(ChannelMessage(*where, text=event["text"]),))

    async def send_outbound(self, account, send):
        return SendResult(provider_message_id=send.idempotency_key)
"""
#: Hangs in every call: a bad neighbour.
SDK_HUNG = """
import asyncio
from wunder_sdk import Channel


class Hung(Channel):
    async def parse_inbound(self, account, http):
        await asyncio.sleep(3600)

    async def send_outbound(self, account, send):
        await asyncio.sleep(3600)
"""


def package(plugin_id: str, program: str, **more: Any) -> bytes:
    """Pack one of the programs above."""
    manifest = {
        "plugin_id": plugin_id,
        "name": plugin_id,
        "version": "1.0.0",
        "api_version": 1,
        "entry": {"any": "app"},
        "runtime": "python>=3.11",
        "capabilities": {"webhook": True, "outbound": True},
        "permissions": {"network": [], "filesystem": "none", "command": False},
        **more,
    }
    files = {"plugin.json": json.dumps(manifest).encode(), "app/plugin.py": program.encode()}
    return pack_files(files).content
