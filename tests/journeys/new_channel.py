"""A channel the repository has never heard of, written from docs/protocol/v1.md with the stdlib only."""

import io
import json
import zipfile

PROGRAM = r'''#!/usr/bin/env python3
"""Bottle post: webhook JSON {"id","from","say"} signed with the account's key; sends into a file."""
import base64, hashlib, hmac, json, os, sys

def parse(params):
    account, http = params["account"], params["http"]
    body = base64.b64decode(http["body_b64"])
    headers = {name.lower(): value for name, value in http["headers"]}
    wanted = hmac.new(account["secrets"]["key"].encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(headers.get("x-bottle", ""), wanted):
        raise Refusal(-32010, "the cork is not ours")
    note = json.loads(body)
    message = {"channel": account.get("channel", "bottle_post"), "account_id": account["account_id"],
               "peer": {"kind": "user", "id": note["from"]}, "message_id": note["id"],
               "sender": {"id": note["from"]}, "type": "text", "text": note["say"],
               "attachments": [], "ts": http["received_ms"]}
    return {"messages": [message]}

def send(params):
    path = params["account"]["config"]["shore"]
    with open(path, "a", encoding="utf-8") as shore:
        shore.write(json.dumps({"to": params["message"]["peer"]["id"], "text": params["message"]["text"],
                                "key": params["idempotency_key"]}) + "\n")
    return {"provider_message_id": params["idempotency_key"]}

class Refusal(Exception):
    pass

METHODS = {
    "plugin.handshake": lambda p: {"protocol": 1, "cookie": p["cookie"],
        "plugin": {"plugin_id": p["plugin"]["plugin_id"], "version": p["plugin"]["version"]},
        "capabilities": {"webhook": True, "outbound": True}},
    "plugin.health": lambda p: {"status": "ok", "checks": []},
    "plugin.shutdown": lambda p: {"drained": True},
    "channel.validate_account_config": lambda p: {"ok": True, "errors": [], "warnings": []},
    "channel.parse_inbound": parse,
    "channel.send_outbound": send,
}
for line in sys.stdin:
    call = json.loads(line)
    if "id" not in call:
        continue
    answer = {"jsonrpc": "2.0", "id": call["id"]}
    try:
        answer["result"] = METHODS[call["method"]](call.get("params") or {})
    except KeyError as error:
        answer["error"] = {"code": -32601, "message": f"no {error}"}
    except Refusal as refusal:
        answer["error"] = {"code": refusal.args[0], "message": refusal.args[1]}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    if call["method"] == "plugin.shutdown":
        break
'''
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["shore", "key"],
    "properties": {
        "shore": {"type": "string", "title": "Shore"},
        "key": {"type": "string", "title": "Key", "writeOnly": True},
    },
}


def manifest(plugin_id: str, version: str = "1.0.0", **more) -> dict:
    return {
        "plugin_id": plugin_id,
        "name": "Bottle post",
        "version": version,
        "api_version": 1,
        "entry": {"any": "bin/any/plugin"},
        "capabilities": {"webhook": True, "outbound": True},
        "permissions": {"network": [], "filesystem": "none", "command": False},
        **more,
    }


def package(plugin_id: str, version: str = "1.0.0", **more) -> bytes:
    """Zip it by hand, as an author without our tools would."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("plugin.json", json.dumps(manifest(plugin_id, version, **more))),
            ("bin/any/plugin", PROGRAM),
            ("schemas/account.schema.json", json.dumps(SCHEMA)),
            ("README.md", "# Bottle post\n"),
        ):
            archive.writestr(
                zipfile.ZipInfo(name), text
            )  # without the time: the same bytes each time
    return out.getvalue()
