"""Write docs/openapi.json and the API pages from the handlers; a test holds them fresh.

The pages' heads are docs/api_head.*.md; the Chinese words are in tools/api_words.zh.toml.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from wunder.api.admin import openapi_document

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = Path("docs/openapi.json")


class Language(NamedTuple):
    """How one page speaks; `words` translates tags and summaries, empty for English."""

    page: Path
    head: Path
    title: str
    columns: tuple[str, str, str]
    needs: dict[str, str]
    words: Path | None = None


LANGUAGES = (
    Language(
        Path("docs/api.md"),
        Path("docs/api_head.en.md"),
        "HTTP API",
        ("call", "what it does", "scope"),
        {
            "public": "none",
            "setup": "first-run token",
            "turn": "the turn's token",
            "person": "a session",
            "own": "a session",
        },
    ),
    Language(
        Path("docs/API文档.md"),
        Path("docs/api_head.zh.md"),
        "HTTP 接口",
        ("调用", "作用", "权限"),
        {
            "public": "无",
            "setup": "首次运行令牌",
            "turn": "该轮对话的令牌",
            "person": "已登录",
            "own": "已登录",
        },
        Path("tools/api_words.zh.toml"),
    ),
)


def render() -> dict[Path, str]:
    """Return path -> text of everything this tool writes, paths relative to the root."""
    document = openapi_document()
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return {DOCUMENT: text, **{one.page: _page(document, one) for one in LANGUAGES}}


def _page(document: dict[str, Any], language: Language) -> str:
    words = tomllib.loads((ROOT / language.words).read_text("utf-8")) if language.words else None
    sections: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            scope = operation.get("x-scope", "public")
            need = language.needs.get(scope, f"`{scope}`")
            does = operation["summary"]
            if words:
                does = words["summaries"][operation["operationId"]]
            row = f"| `{method.upper()} {path}` | {does} | {need} |"
            sections.setdefault(operation["tags"][0], []).append(row)
    head = (ROOT / language.head).read_text("utf-8").rstrip("\n")
    note = f"<!-- Written by tools/openapi.py from {language.head} and the code: edit those. -->"
    lines = [note, "", f"# {language.title}", "", head, ""]
    for tag in sorted(sections):
        title = words["tags"][tag] if words else tag
        columns = " | ".join(language.columns)
        lines += [f"## {title}", "", f"| {columns} |", "| --- | --- | --- |", *sections[tag], ""]
    return "\n".join(lines)


def main() -> int:
    """Write what changed, and say so."""
    for path, text in render().items():
        target = ROOT / path
        if not target.exists() or target.read_text("utf-8") != text:
            target.write_text(text, "utf-8")
            print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
