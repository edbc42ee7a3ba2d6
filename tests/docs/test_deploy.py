"""The files of deploy/ are what systemd, compose and the gateway take; nginx and HAProxy run theirs in tests/journeys."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs for a test alone

from tests.docs.pages import ROOT
from wunder.config import load_config

DEPLOY = ROOT / "deploy"


def test_the_settings_are_taken() -> None:
    config = load_config(DEPLOY / "wunder.toml", {}, {})
    assert config.store_policy.database_url_file == "wunder-database-url"
    assert config.server.public_url.startswith("https://")


@pytest.mark.process
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not on this machine")
    unit = (DEPLOY / "wunder.service").read_text("utf-8")
    here = unit.replace("/opt/wunder/bin/wunder", shutil.which("true") or "/bin/true")
    assert here != unit
    path = tmp_path / "wunder.service"
    path.write_text(here.replace("User=wunder\n", "User=root\n"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "wunder.service" in line]
    assert (done.returncode, ours) == (0, [])
    if "--offline" in _help_of("systemd-analyze"):
        security = ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(path)]
        judged = subprocess.run(security, capture_output=True, text=True, check=False)
        assert judged.returncode == 0, judged.stdout


def _help_of(program: str) -> str:
    asked = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return asked.stdout


def test_the_unit_is_the_one_of_the_install_page_and_a_database() -> None:
    page = (ROOT / "docs/operate/install.md").read_text("utf-8")
    block = re.search(r"```ini\n(.*?)```", page, re.S)
    assert block is not None
    there = {line for line in block[1].splitlines() if "=" in line and not line.startswith("#")}
    here = set((DEPLOY / "wunder.service").read_text("utf-8").splitlines())
    assert there - here <= {"After=network-online.target"}
    only_here = {line for line in here - there if "=" in line and not line.startswith("#")}
    names = {"After=network-online.target postgresql.service"}
    names |= {"LoadCredential=wunder-database-url:/etc/wunder/database-url"}
    assert only_here == names, "a node of many differs by its database alone"


def test_compose_names_settings_that_exist_and_every_part_it_refers_to() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    nodes = {name: one for name, one in compose["services"].items() if name.startswith("node")}
    assert len(nodes) == 3
    volumes = [one["volumes"] for one in nodes.values()]
    assert len({str(one) for one in volumes}) == 3, "a data directory is never shared"
    for node in nodes.values():
        environ = {key: str(value) for key, value in node["environment"].items()}
        named = {key: value for key, value in environ.items() if key.startswith("WUNDER_")}
        config = load_config(None, named, {})
        assert config.store_policy.database_url_file == "/run/secrets/database-url"
        assert set(node["secrets"]) <= set(compose["secrets"])
        assert (DEPLOY / node["build"]["context"] / node["build"]["dockerfile"]).is_file()
        assert set(node["depends_on"]) <= set(compose["services"])
    for name in ("database", "balancer"):
        assert "image" in compose["services"][name]


def test_the_load_balancer_asks_the_nodes_of_compose() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    asked = re.findall(r"server (\w+):8080", (DEPLOY / "nginx.conf").read_text("utf-8"))
    nodes = [name for name in compose["services"] if name.startswith("node")]
    assert asked == nodes
    text = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    parts = [part for part in re.split(r"^(?=\w)", text, flags=re.M) if " server node" in part]
    assert len(parts) == 3
    for part in parts:
        assert re.findall(r"^    server \w+ (\w+):8080$", part, re.M) == nodes


def test_what_haproxy_sends_to_another_node_was_read_whole() -> None:
    """It gives up on trying again where a body comes in a packet of its own, and says so nowhere."""
    text = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    for part in re.split(r"^(?=backend)", text, flags=re.M)[1:]:
        if "retry-on" in part:
            assert "http-buffer-request" in part or "disable-l7-retry" in part


def test_the_image_is_built_from_lock_files_and_sees_no_secret() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    installs = re.findall(r"pip install (?!.*--no-deps)(.*)", text)
    assert installs
    assert all("--require-hashes" in one for one in installs)
    ignored = set((ROOT / ".dockerignore").read_text("utf-8").split())
    assert {".git", ".venv", "data", "deploy/secrets", "**/node_modules"} <= ignored
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        for name in source.split():
            assert (ROOT / name).exists(), name
    assert "USER wunder" in text
    assert re.search(r'^ENTRYPOINT \["wunder"\]$', text, re.M), "no shell stands before SIGTERM"
