"""Statements over arrays: whose row a result is, is said by the result and never by its place."""

from hypothesis import given
from hypothesis import strategies as st

from wunder.store.postgres.statements import Many

ROWS = [("u", f"p{number}", number * 10) for number in range(6)]
COLUMNS = "uid text, peer text, amount int8"
orders = st.permutations(range(len(ROWS)))


@given(orders, st.sets(st.integers(0, 5)))
def test_results_find_their_rows_by_number_in_whatever_order_they_come(
    order: list[int], missing: set[int]
) -> None:
    found = [(n + 1, f"of {n}") for n in order if n not in missing]
    matched = Many("SELECT v.n FROM {v}", COLUMNS).matched(ROWS, found)
    assert matched == [[] if n in missing else [(f"of {n}",)] for n in range(6)]


@given(orders, st.sets(st.integers(0, 5)))
def test_results_find_their_rows_by_key_in_whatever_order_they_come(
    order: list[int], missing: set[int]
) -> None:
    found = [("u", f"p{n}", f"of {n}") for n in order if n not in missing]
    matched = Many("INSERT INTO t SELECT FROM {v}", COLUMNS, by="uid peer").matched(ROWS, found)
    assert matched == [[] if n in missing else [(f"of {n}",)] for n in range(6)]


def test_of_rows_put_off_twice_in_a_round_the_server_is_given_the_last() -> None:
    many = Many("UPDATE t SET amount = v.amount FROM {v}", COLUMNS, latest="peer")
    assert many.arrays([("u", "a", 1), ("u", "b", 2), ("u", "a", 3)]) == [
        ["u", "u"],
        ["a", "b"],
        [3, 2],
    ]


@given(orders)
def test_rows_are_given_to_the_server_in_one_order_whoever_asks(order: list[int]) -> None:
    """Two nodes that write the same keys lock them in the same order."""
    many = Many("INSERT INTO t SELECT FROM {v}", COLUMNS, by="uid peer")
    rows = [ROWS[n] for n in order]
    assert list(zip(*many.arrays(rows), strict=True)) == ROWS
