"""A page leads only to what is there: links to files, and calls of the HTTP API."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, lines_of, name_of, pages, shell_blocks

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_API_PATH = re.compile(r"/(?:wunder/[\w./{}-]+|healthz|readyz|metrics)")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.S)
    targets = [found["target"].partition("#")[0] for found in _LINK.finditer(prose)]
    broken = [
        target
        for target in targets
        if target and "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken, broken


def test_every_call_in_a_shell_block_is_in_the_openapi_document() -> None:
    paths = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))["paths"]
    known = [re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))) for path in paths]
    unknown = [
        f"{name_of(page)}: {found[0]}"
        for page in pages()
        for block in shell_blocks(page)
        for line in lines_of(block)
        for found in _API_PATH.finditer(line)
        if "curl" in line and not any(path.fullmatch(found[0]) for path in known)
    ]
    assert not unknown, unknown
