"""docs/delivery.md: each rule of delivery semantics names a module and a test that exist."""

import ast
import re
from collections import defaultdict

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/delivery.md").read_text("utf-8")
RULES = re.findall(r"^\| (D\d+) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.M)
ENGINES = ("SQLite: ", "PostgreSQL: ")


def _tests() -> dict[str, list[tuple[str, set[str]]]]:
    """Each test by its name: the files that have it, and what it asks for."""
    found = defaultdict(list)
    for folder in ("tests", "src/wunder_channels"):
        for path in (ROOT / folder).rglob("test_*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    asked = {one.arg for one in node.args.args}
                    found[node.name].append((path.relative_to(ROOT).as_posix(), asked))
    return found


TESTS = _tests()


def _is_on_both_engines(name: str) -> bool:
    """The contract suite's `world` is every engine's, one after the other."""
    return "both_engines" in name or any(
        file.startswith("tests/contracts/") and "world" in asked for file, asked in TESTS[name]
    )


def test_rules_are_numbered_without_gap() -> None:
    assert [number for number, *_ in RULES] == [f"D{n}" for n in range(1, len(RULES) + 1)]
    assert len(re.findall(r"^\| D", PAGE, re.M)) == len(RULES), "a row is not read"


@pytest.mark.parametrize(("number", "rule", "modules", "proof"), RULES, ids=lambda one: one[:4])
def test_a_rule_of_delivery_names_its_module_and_its_test(
    number: str, rule: str, modules: str, proof: str
) -> None:
    kept_in = re.findall(r"`([\w/]+\.py)`", modules)
    assert kept_in, number
    assert [one for one in kept_in if not (ROOT / "src/wunder" / one).is_file()] == []
    held_by = re.findall(r"`(test_\w+)`", proof)
    assert held_by, number
    assert [one for one in held_by if one not in TESTS] == []
    if any(one.startswith("store/") for one in kept_in) and not rule.startswith(ENGINES):
        assert any(map(_is_on_both_engines, held_by)), "no test of the store on both engines"
