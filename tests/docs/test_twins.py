"""Row D: each page for everybody has a twin in the other language, and both say the same."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, shell_blocks

#: English page -> its twin.
TWINS = {
    "docs/guide/administrators.md": "docs/guide/administrators.zh-CN.md",
    "docs/guide/users.md": "docs/guide/users.zh-CN.md",
    "docs/guide/web-chat.md": "docs/guide/web-chat.zh-CN.md",
    "README.md": "docs/README.zh-CN.md",
    "docs/system.md": "docs/系统介绍.md",
    "docs/design.md": "docs/设计方案.md",
    "docs/api.md": "docs/API文档.md",
    "docs/operate/scaling.md": "docs/operate/scaling.zh-CN.md",
    "docs/channels.md": "docs/channels.zh-CN.md",
    "docs/operate/upkeep.md": "docs/operate/upkeep.zh-CN.md",
}


def without_comments(block: str) -> str:
    return re.sub(r"\s+#.*$", "", block, flags=re.M)


def shape(page: Path) -> list[str]:
    """Headings by level, tables by their number of columns, blocks by kind: what a translation keeps."""
    found = []
    for line in page.read_text("utf-8").splitlines():
        if heading := re.match(r"#+ ", line):
            found.append(heading[0])
        elif line.startswith("| ---"):
            found.append(f"table of {line.count('---')}")
        elif fence := re.match(r"```\w+", line):
            found.append(fence[0])
    return found


@pytest.mark.parametrize(("english", "chinese"), TWINS.items())
def test_twins_have_the_same_parts_and_the_same_commands(english: str, chinese: str) -> None:
    one, other = ROOT / english, ROOT / chinese
    assert shape(one) == shape(other)
    assert [*map(without_comments, shell_blocks(one))] == [
        *map(without_comments, shell_blocks(other))
    ]


@pytest.mark.parametrize(("english", "chinese"), TWINS.items())
def test_twins_lead_to_each_other(english: str, chinese: str) -> None:
    for page, twin in ((english, chinese), (chinese, english)):
        if "api" in english:
            continue  # written by a tool from the code, both at once
        assert f"{Path(twin).name})" in (ROOT / page).read_text("utf-8")


def test_every_page_that_the_design_asks_for_is_there_with_its_twin() -> None:
    missing = [name for pair in TWINS.items() for name in pair if not (ROOT / name).exists()]
    assert not missing
