"""Talk to a plugin with the standard library alone: python drive.py COMMAND... < calls.ndjson.

Each input line is `{"method": ..., "params": ...}`. The handshake is made for you; every answer
is printed. This is all a host has to do, so read it together with docs/protocol/v1.md.
"""

import json
import os
import subprocess
import sys

HANDSHAKE = {
    "protocols": [1],
    "cookie": "by-hand",
    "host": {"name": "drive.py", "version": "1", "instance_id": "1"},
    "plugin": {"plugin_id": "demo.echo", "version": "0.1.0"},
    "limits": {"max_frame_bytes": 1048576, "max_message_bytes": 524288},
    "timeouts_ms": {},
}


def main(command, lines):
    """Start the plugin, shake hands, make the calls, hang up; return its exit code."""
    environment = {**os.environ, "WUNDER_COOKIE": "by-hand"}
    plugin = subprocess.Popen(command, stdin=-1, stdout=-1, env=environment)
    calls = [{"method": "plugin.handshake", "params": HANDSHAKE}, *map(json.loads, lines)]
    for number, call in enumerate(calls, 1):
        frame = {"jsonrpc": "2.0", "id": number, **call}
        plugin.stdin.write(json.dumps(frame).encode() + b"\n")
        plugin.stdin.flush()
        while True:
            answer = json.loads(plugin.stdout.readline())
            sys.stdout.write(json.dumps(answer) + "\n")
            if answer.get("id") == number and "method" not in answer:
                break
    plugin.stdin.close()
    return plugin.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin))
