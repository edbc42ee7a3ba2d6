"""A promise: what was said, and the tests that prove it."""

from typing import NamedTuple


class Promise(NamedTuple):
    """A promise of the mission (rows C, N, S, P, A, R), or a security rule (X).

    `proof` names tests as `file::test`, files below `tests/` unless they begin with `src/`.
    """

    id: str
    sentence: str
    proof: tuple[str, ...]


def proof_in(file: str, *tests: str) -> tuple[str, ...]:
    return tuple(f"{file}::test_{test}" for test in tests)
