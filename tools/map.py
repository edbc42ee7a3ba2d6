"""Write ARCHITECTURE.md: a hand-written head, then every module with its first sentence.

python tools/map.py            write it
python tools/map.py --check    exit 1 if it is stale
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = Path("docs/architecture_head.md")
MAP = Path("ARCHITECTURE.md")
NOTE = "<!-- Written by `make map` from docs/architecture_head.md and the code: edit those. -->\n"

#: Packages, and inside the core its folders, in the order a reader needs them. Others follow by name.
PACKAGES = ("wunder", "wunder_wire", "wunder_sdk", "wunder_channels")
CORE = (
    "inbound", "conversation", "outbound", "providers", "runtime", "plugins", "accounts", "agents",
    "api", "store", "observe", "model",
)  # fmt: skip


def render(root: Path = ROOT) -> str:
    """Return what ARCHITECTURE.md should say: the same text for the same tree, on any machine."""
    folders = _modules_by_folder(root / "src")
    sections = [
        _section(root, folder, folders[folder]) for folder in sorted(folders, key=_reading_order)
    ]
    head = (root / HEAD).read_text("utf-8").rstrip("\n")
    return "\n".join([NOTE, head, "", "## Every module", "", *sections]).rstrip("\n") + "\n"


def first_sentence(path: Path) -> str:
    """Return the first line of a module's docstring, or nothing."""
    doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return doc.partition("\n")[0].strip()


def modules(source: Path) -> Iterator[Path]:
    """Yield every module below a folder that belongs on the map: not the tests beside a channel."""
    for path in source.rglob("*.py"):
        inner = path.relative_to(source).parts
        if "tests" not in inner and "fixtures" not in inner:
            yield path


def _modules_by_folder(source: Path) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in modules(source):
        folders[path.parent.relative_to(source)].append(path)
    return folders


def _reading_order(folder: Path) -> tuple[int, int, str]:
    package, *inner = folder.parts
    return (
        _place(PACKAGES, package),
        _place(CORE, inner[0]) if inner else -1,
        folder.as_posix(),
    )


def _place(order: tuple[str, ...], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _section(root: Path, folder: Path, paths: Iterable[Path]) -> str:
    lines = [f"### src/{folder.as_posix()}", ""]
    rows = []
    for path in sorted(paths, key=lambda p: p.name):
        sentence = first_sentence(path)
        if path.name != "__init__.py":
            target = path.relative_to(root).as_posix()
            rows.append(f"| [{path.stem}]({target}) | {_cell(sentence)} |")
        elif sentence:
            lines += [sentence, ""]
    if rows:
        lines += ["| module | what it is for |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


def _cell(sentence: str) -> str:
    return sentence.replace("|", "\\|") or "(says nothing yet: house rule 3)"


def main(arguments: list[str]) -> int:
    """Write the map, or with --check say whether it is fresh."""
    text, target = render(), ROOT / MAP
    fresh = target.exists() and target.read_text("utf-8") == text
    if "--check" in arguments:
        if not fresh:
            print(f"{MAP} is stale: run `make map`", file=sys.stderr)
        return 0 if fresh else 1
    if not fresh:
        target.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
