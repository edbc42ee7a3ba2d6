"""Rows N1, P8: each channel's own bundle, in a process of its own, reads its vectors as the built-in does."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.vectors import (
    test_feishu_vectors_call,
    test_qqbot_vectors_call,
    test_wechat_mp_vectors_call,
    test_wechat_vectors_call,
    test_whatsapp_vectors_call,
)
from tests.vectors.calls import ROOT, said_by
from wunder.plugins.bundle import bundle_builtin

VECTORS = ROOT / "tests/fixtures/vectors"
MODULES: dict[str, ModuleType] = {
    "feishu": test_feishu_vectors_call,
    "qqbot": test_qqbot_vectors_call,
    "wechat": test_wechat_vectors_call,
    "wechat_mp": test_wechat_mp_vectors_call,
    "whatsapp": test_whatsapp_vectors_call,
}
#: The vectors as they were recorded: nobody edits a fixture until a test passes.
SHA256 = {
    "feishu.json": "23022f553bed8075100ceef81d541d97a2a52639de9c5e59a9d38b85030dc747",
    "qqbot.json": "6e317bcc94e16d7951ba739c3a8e20c24f2b7e13d073898fe889dfa50c8fe38c",
    "wechat_mp.json": "c79a9558344f0cc6fd413084aa0443f6d3a4ff4738298baafa74a3cd06888965",
    "wecom.json": "0f04a9b80431971e530bc786b65d908cc63759fe7adee33cb48370caa2058a16",
    "whatsapp.json": "ec092b6b0b4cd2aa4c29823cc5544eaafec60892e7b240e6a1f2615b01903340",
}


def lines_of(module: ModuleType) -> list[bytes]:
    """The vectors of a channel as calls."""
    line: Callable[..., bytes] = module._line
    if line.__code__.co_argcount == 1:
        return [line(case) for case in module.CASES]
    return [line(number, case) for number, case in enumerate(module.CASES, 1)]


def said(lines: bytes) -> list[dict[str, Any]]:
    """Answers, without what is drawn anew for each: sealed answers differ by their nonce."""
    answers = [json.loads(line) for line in lines.splitlines()]
    for answer in answers:
        response = answer.get("result", {}).get("immediate_response", {})
        if b"encrypt" in json.dumps(response).encode() or len(response.get("body_b64", "")) > 200:
            response.pop("body_b64", None)
    return answers


@pytest.mark.parametrize("name", SHA256)
def test_the_vectors_are_those_that_were_recorded(name: str) -> None:
    assert hashlib.sha256((VECTORS / name).read_bytes()).hexdigest() == SHA256[name]


@pytest.mark.process
@pytest.mark.parametrize("channel", MODULES)
def test_the_bundle_says_what_the_built_in_says(channel: str, tmp_path: Path) -> None:
    lines = lines_of(MODULES[channel])
    package = tmp_path / f"{channel}.zip"
    bundle_builtin(channel, ROOT / "src/wunder_channels", package)
    told = said_by(f"builtin:{channel}", lines, tmp_path / "built_in.jsonl")
    done = subprocess.run(
        [sys.executable, "-m", "wunder.cli.main", "plugin", "call", str(package)],
        input=b"\n".join(lines),
        capture_output=True,
        cwd=ROOT,
        timeout=55,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    built_in, bundle = said(told), said(done.stdout)
    assert len(built_in) == len(lines) >= 20
    assert bundle == built_in
