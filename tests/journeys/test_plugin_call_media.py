"""Promise P8, attachments: bytes cross the pipes of a real plugin in both directions, whole."""

import base64
import hashlib
import json
import textwrap

import pytest

from tests.journeys.test_plugin_call import run

MANIFEST = {
    "plugin_id": "postman",
    "name": "Postman",
    "version": "0.1.0",
    "api_version": 1,
    "runtime": "python>=3.11",
    "entry": {"any": "app"},
    "capabilities": {"outbound": True, "fetch_attachment": True, "edit": True},
}
PLUGIN = """
    import hashlib
    from wunder_sdk import Channel, SendResult, ProviderRejected

    class Postman(Channel):
        async def fetch_attachment(self, account, attachment, blob):
            if attachment.media_id == "gone":
                raise ProviderRejected("gone")
            blob.mime = "video/mp4"
            for at in range(10):
                await blob.write(bytes([at]) * 100_000)

        async def send_outbound(self, account, send):
            whole = hashlib.sha256()
            async for chunk in account.blobs.read(send.message.attachments[0].blob_id):
                whole.update(chunk)
            return SendResult(provider_message_id=whole.hexdigest())

        async def edit_outbound(self, account, edit):
            if edit.provider_message_id != "m1" or edit.seq < 1:
                raise ProviderRejected("no such message")
"""
VIDEO = b"".join(bytes([at]) * 100_000 for at in range(10))
ACCOUNT = {"account_id": "a", "rev": 1, "config": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "postman"
    (path / "app").mkdir(parents=True)
    (path / "plugin.json").write_text(json.dumps(MANIFEST))
    (path / "app/plugin.py").write_text(textwrap.dedent(PLUGIN))
    return path


def fetch(media_id: str, transfer: str) -> dict:
    attachment = {"kind": "video", "media_id": media_id}
    params = {"account": ACCOUNT, "attachment": attachment, "transfer_id": transfer}
    return {"id": transfer, "method": "channel.fetch_attachment", "params": params}


def message(**more) -> dict:
    peer = {"kind": "user", "id": "ann"}
    return {"channel": "postman", "account_id": "a", "peer": peer, "text": "x", **more}


def send(blob_id: str) -> dict:
    carried = message(attachments=[{"kind": "file", "blob_id": blob_id}])
    params = {"account": ACCOUNT, "message": carried, "idempotency_key": "k"}
    return {"id": "send", "method": "channel.send_outbound", "params": params}


def edit(shown_as: str) -> dict:
    params = {
        "account": ACCOUNT,
        "provider_message_id": shown_as,
        "message": message(),
        "final": True,
        "seq": 3,
        "idempotency_key": "k@3",
    }
    return {"id": "edit", "method": "channel.edit_outbound", "params": params}


def answers(folder, *lines) -> list[dict]:
    done = run(folder, lines)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.process
def test_what_was_fetched_is_whole_and_can_be_sent_on(folder) -> None:
    fetched, sent = answers(folder, fetch("m1", "t1"), send("t1"))
    digest = hashlib.sha256(VIDEO).hexdigest()
    assert fetched["result"] == {"size": 1_000_000, "sha256": digest, "mime": "video/mp4"}
    assert sent["result"]["provider_message_id"] == digest


@pytest.mark.process
def test_a_name_may_carry_its_own_bytes_and_an_unknown_one_is_refused(folder) -> None:
    own = "data:;base64," + base64.b64encode(b"hello").decode()
    sent, refused, gone = answers(folder, send(own), send("nothing"), fetch("gone", "t2"))
    assert sent["result"]["provider_message_id"] == hashlib.sha256(b"hello").hexdigest()
    assert refused["error"]["data"]["kind"] == "forbidden"
    assert gone["error"]["data"]["kind"] == "provider_rejected"


@pytest.mark.process
def test_edits_cross_the_wire(folder) -> None:
    edited, refused = answers(folder, edit("m1"), edit("m2"))
    assert edited["result"] == {}
    assert refused["error"]["data"]["kind"] == "provider_rejected"
