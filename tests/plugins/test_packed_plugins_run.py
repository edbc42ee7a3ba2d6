"""What `pack` makes of our own channels is installed, read-only, and shakes hands as a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.plugins.world import World
from wunder.plugins.bundle import bundle_builtin
from wunder.plugins.launch import this_host
from wunder.plugins.pack import pack

pytestmark = pytest.mark.process
ROOT = Path(__file__).resolve().parents[2]
CHANNELS = ROOT / "src/wunder_channels"
BOOT = ROOT / "src/wunder_sdk/boot.py"
PROJECTS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/plugin.json"))
BUILTINS = sorted(path.parent.name for path in CHANNELS.glob("*/plugin.json"))


def handshake(plugin_id: str, version: str) -> bytes:
    params = {
        "protocols": [1], "cookie": "c", "host": {"name": "t", "version": "0", "instance_id": "0"},
        "plugin": {"plugin_id": plugin_id, "version": version},
        "limits": {"max_frame_bytes": 1_048_576, "max_message_bytes": 524_288}, "timeouts_ms": {},
    }  # fmt: skip
    frame = {"jsonrpc": "2.0", "id": 1, "method": "plugin.handshake", "params": params}
    return json.dumps(frame).encode() + b"\n"


@pytest.mark.parametrize("what", [*PROJECTS, *(f"builtin:{name}" for name in BUILTINS)])
async def test_a_packed_channel_is_installed_and_shakes_hands(tmp_path: Path, what: str) -> None:
    out = tmp_path / "p.zip"
    kind, _, name = what.rpartition(":")
    if kind:
        manifest = json.loads((CHANNELS / name / "plugin.json").read_text())
        packed = bundle_builtin(manifest["plugin_id"], CHANNELS, out)
    else:
        packed = pack(ROOT / "plugins" / name, out)
    world = World(tmp_path, here=this_host())
    release = await world.desk.install(out, sha256=packed.sha256, by="ann", source="cli")
    await world.desk.approve(release.plugin_id, release.version, packed.sha256, "ann")
    await world.desk.enable(release.plugin_id, version=None, confirm=release.plugin_id, by="ann")
    (spec,) = world.host.started
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(BOOT), str(Path(spec.root_dir) / spec.entry)],
        input=handshake(release.plugin_id, release.version), cwd=spec.work_dir,
        env={"WUNDER_COOKIE": "c", "PATH": os.environ["PATH"]}, capture_output=True, timeout=30,
        check=False,
    )  # fmt: skip
    answer = json.loads(done.stdout.splitlines()[0])
    assert answer["result"]["plugin"]["plugin_id"] == release.plugin_id, done.stderr
    assert answer["result"]["plugin"]["version"] == release.version
    await world.restart().start_all()
    assert len(world.host.started) == 2
