"""docs/channels.md and its twin are what tools/channels_doc.py writes from the manifests."""

import json
import re

import pytest

from tests.docs.pages import ROOT
from tools.channels_doc import CHINESE, ENGLISH, page
from wunder.providers.builtin import bundled_channels, load_channel
from wunder_sdk.channel import CAPABILITY_OF_METHOD

MANIFESTS = sorted((ROOT / "src/wunder_channels").glob("*/plugin.json"))


@pytest.mark.parametrize("path", [ENGLISH, CHINESE], ids=lambda path: path.name)
def test_the_page_of_channels_is_fresh_and_names_every_channel(path) -> None:
    written = path.read_text("utf-8")
    assert written == page(path), "it is stale: run .venv/bin/python tools/channels_doc.py"
    for manifest in MANIFESTS:
        assert f"{manifest.parent.name}/README.md" in written, manifest


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_promises_what_its_channel_can_and_nothing_else(manifest) -> None:
    (bundled,) = (one for one in bundled_channels() if one.folder == manifest.parent.name)
    known = set(CAPABILITY_OF_METHOD.values())
    promised = {name for name, can in bundled.manifest.capabilities.items() if can} & known
    assert promised == set(load_channel(bundled.folder).capabilities())


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_each_channel_is_described_in_both_languages(manifest) -> None:
    folder = manifest.parent
    schema = json.loads((folder / "account.schema.json").read_text("utf-8"))
    readme = (folder / "README.md").read_text("utf-8")
    assert json.loads(manifest.read_text("utf-8"))["i18n"]["zh-CN"]["name"]
    assert "## 中文" in readme and "## English" in readme
    for name, field in schema["properties"].items():
        assert field["title"] and field["x-i18n"]["zh-CN"]["title"], name
        assert name in schema["x-order"], name


def test_what_holds_the_facts_of_the_platforms_exists() -> None:
    page = (ROOT / "docs/platforms.md").read_text("utf-8")
    for part in page.split("\n## ")[1:]:
        folder = ROOT / "src/wunder_channels" / part[part.index("(`") + 2 : part.index("`)")]
        tests = "".join(one.read_text("utf-8") for one in folder.glob("tests/test_*.py"))
        missing = [
            name for name in re.findall(r"`(test_\w+)`", part) if f"def {name}(" not in tests
        ]
        absent = [
            name for name in re.findall(r"`(\w+\.py)`", part) if not (folder / name).is_file()
        ]
        assert (missing, absent) == ([], []), folder.name
