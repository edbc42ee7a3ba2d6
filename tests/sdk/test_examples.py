"""The examples of the documentation are files, and they run."""

import asyncio
import base64
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import wunder_sdk
from wunder_sdk import boot
from wunder_sdk.plugin_process import BOOT, PluginProcess
from wunder_sdk.testing import check_fixture
from wunder_wire.errors import KIND_OF_CODE
from wunder_wire.methods import HOST_TO_PLUGIN, NOTIFICATIONS, PLUGIN_TO_HOST

DOCS = Path(__file__).parents[2] / "docs"
ECHO = DOCS / "write-a-channel" / "echo"
ACCOUNT = {"account_id": "a", "rev": 1, "config": {}, "channel": "echo"}
BODY = base64.b64encode(b'{"id":"1","from":"ann","text":"hello"}').decode()
HTTP = {
    "method": "POST", "path": "/", "query": [], "headers": [],
    "body_b64": BODY, "remote_addr": "203.0.113.1", "received_ms": 5,
}  # fmt: skip
MESSAGE = {"channel": "echo", "account_id": "a", "peer": {"kind": "user", "id": "ann"}, "text": "x"}
CALLS = [
    {"method": "plugin.health", "params": {}},
    {"method": "channel.parse_inbound", "params": {"account": ACCOUNT, "http": HTTP}},
    {
        "method": "channel.send_outbound",
        "params": {"account": ACCOUNT, "message": MESSAGE, "idempotency_key": "k"},
    },
    {"method": "channel.unknown", "params": {}},
    {"method": "plugin.shutdown", "params": {"reason": "done", "grace_ms": 1000}},
]
#: One plugin written with the SDK, one without: a host sees no difference.
COMMANDS = [
    [sys.executable, "-I", "-S", "-B", str(BOOT), str(ECHO / "app")],
    [sys.executable, str(DOCS / "protocol" / "examples" / "plugin_without_sdk.py")],
]


def test_the_echo_channel_fits_in_fifteen_lines():
    assert len((ECHO / "app" / "plugin.py").read_text("utf-8").splitlines()) <= 15


@pytest.mark.process
@pytest.mark.parametrize("command", COMMANDS, ids=["with SDK", "without SDK"])
def test_examples_answer_a_client_of_the_standard_library(command):
    run = subprocess.run(
        [sys.executable, str(DOCS / "write-a-channel" / "drive.py"), *command],
        input="".join(json.dumps(call) + "\n" for call in CALLS),
        capture_output=True,
        text=True,
        timeout=20,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    by_id = {answer["id"]: answer for answer in answers if "id" in answer}

    assert run.returncode == 0, run.stderr
    assert by_id[1]["result"]["capabilities"] == {"webhook": True, "outbound": True}
    assert by_id[2]["result"]["status"] == "ok"
    assert by_id[3]["result"]["messages"][0]["text"] == "hello"
    assert by_id[4]["result"] == {"provider_message_id": "k"}
    assert by_id[5]["error"]["code"] == -32601
    assert by_id[6]["result"] == {"drained": True}


def test_the_echo_channel_passes_its_fixture():
    module = {}
    exec((ECHO / "app" / "plugin.py").read_text("utf-8"), module)
    fixture = json.loads((ECHO / "fixtures" / "hello.json").read_text("utf-8"))

    asyncio.run(check_fixture(module["Echo"], fixture))


@pytest.mark.process
def test_the_echo_package_runs_from_its_unpacked_zip(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(ECHO.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(ECHO))
    zipfile.ZipFile(packed).extractall(tmp_path)

    with PluginProcess.python(tmp_path / "app") as plugin:
        identity = plugin.handshake()["plugin"]

    assert (identity["plugin_id"], identity["version"]) == boot.identity(str(tmp_path / "app"))
    assert identity["plugin_id"] == "demo.echo"


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_tutorial_shows_the_echo_channel_as_it_is(page):
    text = (DOCS / "write-a-channel" / page).read_text("utf-8")

    assert (ECHO / "app" / "plugin.py").read_text("utf-8") in text


def test_the_protocol_page_names_every_method_and_every_error():
    page = (DOCS / "protocol" / "v1.md").read_text("utf-8")
    methods = {*HOST_TO_PLUGIN, *PLUGIN_TO_HOST, *NOTIFICATIONS}

    assert [name for name in methods if f"`{name}" not in page] == []
    assert [kind for kind in KIND_OF_CODE.values() if kind not in page] == []
    assert [code for code in KIND_OF_CODE if str(code) not in page] == []


def test_the_error_page_names_every_exception_an_author_may_raise():
    page = (DOCS / "write-a-channel" / "errors.md").read_text("utf-8")
    exported = {
        name
        for name, value in vars(wunder_sdk).items()
        if isinstance(value, type) and issubclass(value, wunder_sdk.ChannelError)
    }

    missing = {name for name in exported if f"`{name}" not in page}
    assert missing == {"ChannelError", "StateConflict"}
