"""A channel whose platform is flaky, as a stdlib-only plugin: many sends at once, honest outcomes."""

import io
import json
import zipfile
from typing import Any

PROGRAM = r'''#!/usr/bin/env -S python3 -I -S
"""Webhook JSON {"id","peer_kind","peer","text"} or a list; sends lines of JSON to the platform's port."""
import base64, json, os, socket, sys, threading

WRITING = threading.Lock()
ERRORS = {  # what the platform says -> code, kind, retryable, outcome
    "down": (-32015, "provider_unavailable", True, "not_sent"),
    "fault": (-32603, "internal", True, "not_sent"),
    "slow_down": (-32014, "rate_limited", True, "not_sent"),
    "duplicate": (-32019, "duplicate", False, "unknown"),
    "no_answer": (-32018, "outcome_unknown", False, "unknown"),
}

class Failure(Exception):
    pass

def failure(name, **more):
    code, kind, retryable, outcome = ERRORS[name]
    data = {"kind": kind, "retryable": retryable, "outcome": outcome, **more}
    return Failure({"code": code, "message": name, "data": data})

def message_of(event, account, received_ms):
    """What decorates an event goes into every field that takes a string or a number."""
    said = event.get("decoration", "")
    message = {"channel": account["channel"], "account_id": account["account_id"],
               "peer": {"kind": event["peer_kind"], "id": event["peer"]}, "message_id": event["id"],
               "sender": {"id": event["peer"]}, "type": "text", "text": event["text"],
               "mentions_bot": True, "attachments": [], "ts": received_ms}
    if said:
        message["peer"]["name"] = said
        message["sender"] = {"id": "s" + said, "name": said}
        message["thread"] = {"id": "t" + said, "topic": said}
        message["mentions"] = [{"id": "m" + said, "name": said}]
        message["location"] = {"lat": 1e308, "lng": -0.0, "address": said}
        message["attachments"] = [{"kind": "file", "media_id": "f" + said, "name": said, "size": 2**80}]
        message["reply_to"] = "r" + said
        message["meta"] = {"k" + said: [said, {"deep": said}, 2**80, -2**80, 1e308]}
        message["ts"] = 2**70
    return message

def parse(params):
    account, http = params["account"], params["http"]
    events = json.loads(base64.b64decode(http["body_b64"]))
    events = events if isinstance(events, list) else [events]
    return {"messages": [message_of(e, account, http["received_ms"]) for e in events]}

def send(params):
    account, message = params["account"], params["message"]
    asked = {"key": params["idempotency_key"], "account": account["account_id"],
             "peer": message["peer"]["id"], "text": message["text"],
             "folds": account["config"]["folds"]}
    try:
        link = socket.create_connection(("127.0.0.1", account["config"]["port"]), 5)
    except OSError:
        raise failure("down")
    with link:
        try:
            link.settimeout(8)
            link.sendall(json.dumps(asked).encode() + b"\n")
            line = link.makefile("rb").readline()
        except OSError:
            line = b""
    if not line.endswith(b"\n"):
        raise failure("no_answer")
    answer = json.loads(line)
    if answer.get("refused") == "slow_down":
        raise failure("slow_down", retry_after_ms=answer["after_ms"], scope=answer["scope"])
    if "refused" in answer:
        raise failure(answer["refused"])
    return {"provider_message_id": answer["id"]}

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

def answer(call):
    said = {"jsonrpc": "2.0", "id": call["id"]}
    try:
        said["result"] = METHODS[call["method"]](call.get("params") or {})
    except KeyError as error:
        said["error"] = {"code": -32601, "message": "no %s" % error}
    except Failure as error:
        said["error"] = error.args[0]
    with WRITING:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

for line in sys.stdin:
    call = json.loads(line)
    if "id" not in call or "method" not in call:
        continue
    if call["method"] == "channel.send_outbound":
        threading.Thread(target=answer, args=(call,), daemon=True).start()
    else:
        answer(call)
    if call["method"] == "plugin.shutdown":
        break
os._exit(0)
'''
SCHEMA = {
    "type": "object",
    "required": ["port", "folds"],
    "properties": {"port": {"type": "integer"}, "folds": {"type": "boolean"}},
}


def package(plugin_id: str, **manifest: Any) -> bytes:
    """Zip the plugin; `manifest` says what its platform does with repeats and who waits."""
    document = {
        "plugin_id": plugin_id,
        "name": "Rough sea",
        "version": "1.0.0",
        "api_version": 1,
        "entry": {"any": "bin/any/plugin"},
        "capabilities": {"webhook": True, "outbound": True},
        "permissions": {"network": [], "filesystem": "none", "command": False},
        **manifest,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("plugin.json", json.dumps(document))
        archive.writestr("bin/any/plugin", PROGRAM)
        archive.writestr("schemas/account.schema.json", json.dumps(SCHEMA))
    return out.getvalue()
