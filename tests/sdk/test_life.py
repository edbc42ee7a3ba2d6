"""How a plugin process ends: by shutdown, by the end of its wire, by the death of its parent."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wunder_sdk.plugin_process import BOOT, PluginError, PluginProcess

pytestmark = pytest.mark.process


def test_shutdown_drains_and_exits_zero(plugin):
    assert plugin.call("plugin.shutdown", {"reason": "test", "grace_ms": 1000}) == {"drained": True}
    assert plugin.wait() == 0


def test_shutdown_gives_up_on_what_does_not_end(plugin, params_for):
    waiting = plugin.request("channel.parse_inbound", params_for(do="wait"))

    assert plugin.call("plugin.shutdown", {"reason": "test", "grace_ms": 50}) == {"drained": False}
    assert plugin.answer_to(waiting).error.kind == "cancelled"
    assert plugin.wait() == 0


def test_calls_during_shutdown_are_sent_elsewhere(plugin, params_for):
    plugin.request("channel.parse_inbound", params_for(do="wait"))
    stopping = plugin.request("plugin.shutdown", {"reason": "test", "grace_ms": 500})
    plugin.call("plugin.health", {})
    with pytest.raises(PluginError) as caught:
        plugin.call("channel.parse_inbound", params_for(do="nothing"))

    assert caught.value.error.kind == "shutting_down"
    assert plugin.answer_to(stopping).result == {"drained": False}


def test_end_of_wire_exits_zero(plugin):
    plugin.close_stdin()

    assert plugin.wait() == 0


def test_end_of_wire_ends_a_plugin_whose_loop_is_blocked(plugin, params_for):
    plugin.request("channel.parse_inbound", params_for(do="block"))
    assert plugin.read().params["message"] == "blocking"

    plugin.close_stdin()

    assert plugin.wait() == 70


def test_end_of_wire_ends_a_plugin_that_hangs_while_importing(app):
    (app / "plugin.py").write_text("import time\nprint('importing')\ntime.sleep(3600)\n")
    with PluginProcess.python(app) as plugin:
        plugin.close_stdin()

        assert plugin.wait() == 70


def test_another_plugin_does_not_keep_the_wire_open(plugin, app):
    with PluginProcess.python(app) as sibling:
        sibling.handshake()
        plugin.close_stdin()

        assert plugin.wait() == 0


def test_nothing_survives_a_killed_parent(app, tmp_path):
    parent = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=-1, stdout=-1, start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(3600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, sys.executable, "-I", "-S", "-B", str(BOOT), str(app)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"WUNDER_COOKIE": "x"},
        text=True,
    ) as process:
        pid = int(process.stdout.readline())
        child = os.pidfd_open(pid)
        process.send_signal(signal.SIGKILL)
    ended, _, _ = select.select([child], [], [], 5)
    os.close(child)

    assert ended, "the plugin outlived its parent"


def test_started_by_hand_it_explains_itself(app):
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(BOOT), str(app)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={},
        timeout=5,
    )

    assert run.returncode == 64
    assert "plugin.handshake" in run.stderr
    assert run.stdout == ""


def test_frames_can_come_from_a_file(app, tmp_path):
    frames = tmp_path / "frames.ndjson"
    frames.write_text('{"jsonrpc":"2.0","id":1,"method":"plugin.health","params":{}}\n')
    with Path(frames).open("rb") as stdin:
        run = subprocess.run(
            [sys.executable, "-I", "-S", "-B", str(BOOT), str(app)],
            stdin=stdin,
            capture_output=True,
            text=True,
            env={"WUNDER_COOKIE": "x"},
            timeout=5,
        )

    assert run.returncode == 0
    assert "plugin.handshake comes first" in run.stdout
