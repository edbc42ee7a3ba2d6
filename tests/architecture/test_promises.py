"""House rule 40: the promises are a manifest, and each names tests that exist."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.promise import Promise
from tests.promises import LATER, PROMISES

ROOT = Path(__file__).resolve().parents[2]
#: The rows, promises, acceptance and rules of the design; a number may not get lost.
DESIGN = {
    *("C1", "C2", "C3", "C4", "C5", "N1a", "N1b", "N1c", "N2a", "N2b", "N2c", "N3a", "N3b"),
    *("N4", "N5", "N6", "N7", "N8", "S1", "S2", "S3", "S4", "S5", "U", "R", "D"),
    *(f"P{number}" for number in range(1, 10)),
    *(f"A{number}" for number in range(1, 6)),
    *(f"X{number}" for number in range(1, 21)),
}


@cache
def names_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text("utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def path_of(file: str) -> Path:
    return ROOT / (file if file.startswith("src/") else f"tests/{file}")


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.id)
def test_each_promise_has_tests_and_they_exist(promise: Promise) -> None:
    assert promise.proof, "a promise without a test is an opinion"
    for proof in promise.proof:
        file, _, name = proof.partition("::")
        assert path_of(file).is_file(), f"there is no {file}"
        assert name in names_in(path_of(file)), f"{file} has no {name}"


def test_everything_in_the_design_is_promised_or_said_to_come_later() -> None:
    promised = [promise.id for promise in PROMISES]
    assert len(promised) == len(set(promised)), "an id has one place"
    assert not set(promised) & set(LATER)
    assert {*promised, *LATER} == DESIGN
