#!/usr/bin/env python3
"""A whole plugin without the SDK: the same echo channel, written from docs/protocol/v1.md alone."""

import base64
import json
import os
import sys

CAPABILITIES = {"webhook": True, "outbound": True}


def handshake(params):
    """Choose protocol 1 and prove that we are the process the host started."""
    if 1 not in params["protocols"]:
        raise Failure(-32004, "protocol_unsupported", "this plugin speaks protocol 1")
    return {
        "protocol": 1,
        "cookie": os.environ["WUNDER_COOKIE"],
        "plugin": params["plugin"],
        "sdk": {"name": "none", "version": "1"},
        "capabilities": CAPABILITIES,
    }


def parse_inbound(params):
    """Turn a webhook request into messages."""
    account, http = params["account"], params["http"]
    try:
        event = json.loads(base64.b64decode(http["body_b64"]))
        sender, message_id, text = event["from"], event["id"], event["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(-32011, "malformed_event", "expected id, from and text") from error
    message = {
        "channel": account.get("channel", ""),
        "account_id": account["account_id"],
        "peer": {"kind": "user", "id": sender},
        "message_id": message_id,
        "sender": {"id": sender},
        "ts": http["received_ms"],
        "text": text,
    }
    return {"messages": [message]}


def send_outbound(params):
    """Send one platform message; this platform is the log."""
    sys.stderr.write(f"sent {len(params['message'].get('text', ''))} characters\n")
    return {"provider_message_id": params["idempotency_key"]}


class Failure(Exception):
    """An error of the protocol."""

    def __init__(self, code, kind, message):
        data = {"kind": kind, "retryable": False, "outcome": "not_sent"}
        self.error = {"code": code, "message": message, "data": data}


METHODS = {
    "plugin.handshake": handshake,
    "plugin.health": lambda params: {"status": "ok"},
    "plugin.shutdown": lambda params: {"drained": True},
    "channel.parse_inbound": parse_inbound,
    "channel.send_outbound": send_outbound,
}


def main():
    """Answer one frame after another until the host hangs up."""
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints from here on lands in the log, not on the wire
    for line in sys.stdin.buffer:
        frame = json.loads(line)
        if "id" not in frame or "method" not in frame:
            continue  # a notification such as $/cancel, or an answer to nothing we asked
        answer = {"jsonrpc": "2.0", "id": frame["id"]}
        try:
            method = METHODS.get(frame["method"])
            if method is None:
                raise Failure(-32601, "method_not_found", "no such method")
            answer["result"] = method(frame.get("params", {}))
        except Failure as failure:
            answer["error"] = failure.error
        wire.write(json.dumps(answer, ensure_ascii=False) + "\n")
        wire.flush()
        if frame["method"] == "plugin.shutdown":
            break


if __name__ == "__main__":
    main()
