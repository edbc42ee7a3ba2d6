"""The house rules a linter cannot say. Each failure names the file and the way out."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools import map as architecture_map
from wunder.config import settings

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
CORE = SRC / "wunder"
SOURCES = sorted(SRC.rglob("*.py"))
#: What goes into the wheel: all of it but the tests that lie beside a channel.
PRODUCT = sorted(architecture_map.modules(SRC))

FILE_LINES, FUNCTION_LINES, STORY_LINES = 400, 60, 6000
PORT_METHODS, ERROR_CLASSES, ADR_LINES = 6, 15, 60

#: The message path: what a reader must understand to follow one message.
STORY = frozenset(
    {"inbound", "conversation", "outbound", "providers", "runtime", "model", "ports", "ports.py"}
)
NOT_CODE = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    | {tokenize.ENDMARKER}
)
#: Known long files: path -> limit. May shrink, may not grow. Each line needs a reason.
RATCHET: dict[str, int] = {}
#: Doors without a fake, and why the real thing serves the tests better.
_STORE = "the SQLite store opens in milliseconds in a temporary folder (ADR 0009)"
REAL_INSTEAD_OF_FAKE: dict[str, str] = dict.fromkeys(("Intake", "Turns", "Outbox", "AccountTable", "BindingTable", "AgentTable", "PluginTable", "PluginHistory", "TokenTable", "EventLog"), _STORE) | {"HttpDoor": "a session of the guarded client, allowed to reach loopback, costs nothing"}  # fmt: skip

#: Rule 5. Whole names that say nothing, and words that say nothing as a part of any name.
EMPTY_NAMES = frozenset({"base", "common", "data", "info", "misc"})
EMPTY_WORDS = frozenset(
    {"util", "utils", "helper", "helpers", "manager", "managers", "handler", "handlers"}
)
#: "process" is banned as a verb; here it is the noun: one running plugin.
PROCESS_THE_NOUN = frozenset({"src/wunder/runtime/process.py"})


# --- reading the tree ------------------------------------------------------------------------------


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _code_lines(path: Path) -> int:
    """Lines that hold code: no blank ones, no comments, no docstrings."""
    docstrings = {
        number
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node) is not None
        for number in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    text = io.StringIO(path.read_text("utf-8"))
    code = {
        number
        for token in tokenize.generate_tokens(text.readline)
        if token.type not in NOT_CODE
        for number in range(token.start[0], token.end[0] + 1)
    }
    return len(code - docstrings)


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=_name(path))


def _page(name: str) -> list[Path]:
    """The modules of a part of the core that is either one file or a folder."""
    if (CORE / f"{name}.py").exists():
        return [CORE / f"{name}.py"]
    return sorted((CORE / name).rglob("*.py"))


def _classes(paths: Iterable[Path]) -> Iterator[ast.ClassDef]:
    for path in paths:
        yield from (node for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef))


def _base_names(node: ast.ClassDef) -> set[str]:
    """The last word of each base: Protocol for typing.Protocol and Protocol[T] alike."""
    roots = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
    return {ast.unparse(root).rpartition(".")[2] for root in roots}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _guide(name: str, needed_by: Iterable[object]) -> str:
    """The text of a page of the docs; it may be missing only while nothing needs it."""
    page = ROOT / name
    assert page.exists() or not list(needed_by), f"{name} is missing: it has to name what follows"
    return page.read_text("utf-8") if page.exists() else ""


# --- modules ---------------------------------------------------------------------------------------


def test_every_file_fits_in_one_sitting() -> None:
    long = {
        _name(path): _lines(path)
        for path in SOURCES
        if _lines(path) > RATCHET.get(_name(path), FILE_LINES)
    }
    assert not long, f"rule 4, split by concept, not by size: {long}"


def test_the_ratchet_only_turns_one_way() -> None:
    loose = {
        name: limit
        for name, limit in RATCHET.items()
        if not (ROOT / name).exists() or _lines(ROOT / name) <= FILE_LINES
    }
    assert not loose, f"these fit again or are gone, take them out of RATCHET: {loose}"


def test_every_function_fits_on_a_screen() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name} ({size} lines)"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, f"rule 4, name the steps inside: {long}"


def test_the_message_path_stays_small() -> None:
    """Lines of code: a docstring or a comment never has to go to make room (ADR 0008)."""
    story = {
        _name(path): _code_lines(path)
        for path in PRODUCT
        if path.is_relative_to(CORE)
        and path.relative_to(CORE).parts[0] in STORY
        and "sandbox" not in path.parts
    }
    assert sum(story.values()) < STORY_LINES, (
        f"the path of a message is {sum(story.values())} lines: what does a reader not need? "
        f"longest: {sorted(story, key=lambda name: -story[name])[:5]}"
    )


def test_every_module_says_on_its_first_line_what_it_is_for() -> None:
    silent = []
    for path in [*SOURCES, *sorted((ROOT / "tools").glob("*.py"))]:
        body = _tree(path).body
        if path.name == "__init__.py" and not body:
            continue
        said = architecture_map.first_sentence(path)
        if not said or body[0].lineno != 1:
            silent.append(_name(path))
    assert not silent, f"rule 3, line 1 is one sentence in a docstring: {silent}"


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = set()
    for path in SOURCES:
        for name in (*path.relative_to(SRC).parent.parts, path.stem):
            words = set(name.split("_"))
            if name in EMPTY_NAMES or words & EMPTY_WORDS or re.search(r"part_?\d+$", name):
                named.add(_name(path))
        if path.stem == "process" and _name(path) not in PROCESS_THE_NOUN:
            named.add(_name(path))
    assert not named, f"rule 5, say what it does: {sorted(named)}"


# --- the core knows no channel ---------------------------------------------------------------------


def _channel_ids() -> set[str]:
    manifests = [
        *(SRC / "wunder_channels").glob("*/plugin.json"),
        *(ROOT / "plugins").glob("*/plugin.json"),
    ]
    read = [json.loads(path.read_text("utf-8")) for path in manifests]
    return {
        one for manifest in read for one in (manifest["plugin_id"], *manifest.get("serves", []))
    }


def test_no_channel_is_named_outside_its_folder() -> None:
    ids = _channel_ids()
    named = [
        f"{_name(path)}:{node.lineno} {node.value!r}"
        for path in SOURCES
        if not path.is_relative_to(SRC / "wunder_channels")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ids
    ]
    assert not named, f"what depends on a channel belongs in its folder: {named}"


def test_no_channel_is_named_in_the_console() -> None:
    ids = _channel_ids()
    quoted = re.compile(r"""(["'`])(?P<text>[A-Za-z0-9_.-]+)\1""")
    named = [
        f"{_name(path)}: {match['text']!r}"
        for kind in ("ts", "tsx", "js", "jsx", "mjs")
        for path in sorted((ROOT / "console").rglob(f"*.{kind}"))
        if not {"node_modules", "dist"} & set(path.relative_to(ROOT).parts)
        for match in quoted.finditer(path.read_text("utf-8"))
        if match["text"] in ids
    ]
    assert not named, f"the console learns channels from the server: {named}"


# --- doors -----------------------------------------------------------------------------------------


def _doors() -> dict[str, ast.ClassDef]:
    return {node.name: node for node in _classes(_page("ports")) if "Protocol" in _base_names(node)}


def test_every_door_has_a_contract() -> None:
    missing = [
        path
        for door in _doors()
        if not (ROOT / (path := f"tests/contracts/test_{_snake(door)}.py")).exists()
    ]
    assert not missing, f"rule 37, one contract suite per door: {missing}"


def test_every_door_has_a_fake_or_a_reason() -> None:
    missing = [
        path
        for door in _doors()
        if door not in REAL_INSTEAD_OF_FAKE
        and not (ROOT / (path := f"tests/fakes/{_snake(door)}.py")).exists()
    ]
    assert not missing, (
        f"rule 37, one fake per door, or a reason in REAL_INSTEAD_OF_FAKE: {missing}"
    )


def test_no_reason_is_kept_for_a_door_that_is_gone_or_has_a_fake() -> None:
    doors = _doors()
    stale = [
        door
        for door, reason in REAL_INSTEAD_OF_FAKE.items()
        if door not in doors or not reason or (ROOT / f"tests/fakes/{_snake(door)}.py").exists()
    ]
    assert not stale, f"take these out of REAL_INSTEAD_OF_FAKE: {stale}"


def test_every_door_is_narrow() -> None:
    wide = {
        name: count
        for name, node in _doors().items()
        if (
            count := sum(
                isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
                and not part.decorator_list  # a property is a fact, not a method
                for part in node.body
            )
        )
        > PORT_METHODS
    }
    assert not wide, f"rule 27, a port has at most {PORT_METHODS} methods: {wide}"


# --- what operators read ---------------------------------------------------------------------------


def _errors() -> list[str]:
    """The error classes, in order: those whose bases lead to an exception of Python's."""
    found: list[str] = []
    for node in _classes(_page("errors")):
        if any(
            base in found or re.search(r"(Error|Exception)$", base) for base in _base_names(node)
        ):
            found.append(node.name)
    return found


def test_every_error_is_in_the_operators_guide() -> None:
    guide = _guide("docs/operate/errors.md", _errors())
    missing = [name for name in _errors() if not re.search(rf"\b{name}\b", guide)]
    assert not missing, f"docs/operate/errors.md lacks {missing}"


def test_errors_fit_on_one_page() -> None:
    assert len(_errors()) <= ERROR_CLASSES, "rule 16: a new code of an old error may do"


def test_every_setting_is_in_the_operators_guide() -> None:
    guide = (ROOT / "docs" / "operate" / "settings.md").read_text("utf-8")
    missing = [one.variable for one in settings() if f"`{one.variable}`" not in guide]
    assert not missing, f"run .venv/bin/python tools/settings_doc.py: {missing}"


# --- documents -------------------------------------------------------------------------------------


def test_the_map_is_fresh() -> None:
    written = (ROOT / architecture_map.MAP).read_text("utf-8")
    assert written == architecture_map.render(), "ARCHITECTURE.md is stale: run `make map`"


def _records() -> list[Path]:
    return sorted((ROOT / "docs/adr").glob("[0-9]*.md"))


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/adr/README.md").read_text("utf-8")
    missing = [path.name for path in _records() if f"]({path.name})" not in index]
    assert not missing, f"docs/adr/README.md does not link {missing}"


def test_decisions_are_numbered_once_and_fit_on_a_page() -> None:
    records = _records()
    assert all(re.match(r"\d{4}-[a-z0-9-]+\.md$", path.name) for path in records), "NNNN-title.md"
    numbers = [path.name[:4] for path in records]
    assert len(set(numbers)) == len(numbers), f"two decisions share a number: {numbers}"
    long = {path.name: _lines(path) for path in records if _lines(path) > ADR_LINES}
    assert not long, f"rule 44, at most {ADR_LINES} lines: {long}"
