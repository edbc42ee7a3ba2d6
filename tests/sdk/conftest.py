"""Start the lab channel as a process, and make webhook calls to it."""

import base64
import json
import shutil
from pathlib import Path

import pytest

from wunder_sdk.plugin_process import PluginProcess

LAB = Path(__file__).with_name("lab.py")


@pytest.fixture
def app(tmp_path):
    folder = tmp_path / "package" / "app"
    folder.mkdir(parents=True)
    shutil.copy(LAB, folder / "plugin.py")
    return folder


@pytest.fixture
def started(app):
    with PluginProcess.python(app) as plugin:
        yield plugin


@pytest.fixture
def plugin(started):
    started.handshake()
    return started


def parse_params(**order):
    return {
        "account": {"account_id": "a", "rev": 1, "config": {}, "channel": "lab"},
        "http": {
            "method": "POST",
            "path": "/",
            "query": [],
            "headers": [],
            "body_b64": base64.b64encode(json.dumps(order).encode()).decode(),
            "remote_addr": "203.0.113.1",
            "received_ms": 1,
        },
    }


def send_params(text):
    return {
        "account": {"account_id": "a", "rev": 1, "config": {}, "channel": "lab"},
        "message": {
            "channel": "lab",
            "account_id": "a",
            "peer": {"kind": "user", "id": "u"},
            "text": text,
        },
        "idempotency_key": "k",
    }


@pytest.fixture
def order(plugin):
    def give(do, **more):
        return plugin.call("channel.parse_inbound", parse_params(do=do, **more))["ignored"]

    return give


@pytest.fixture
def params_for():
    return parse_params


@pytest.fixture
def sending():
    return send_params
