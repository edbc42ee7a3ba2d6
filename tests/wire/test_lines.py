"""Lines come out whole, however they arrive, and long ones cost no memory."""

import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wunder_wire.frame import OVERLONG_KEPT_BYTES
from wunder_wire.lines import LineSplitter, OverlongLine, id_of


@given(st.lists(st.binary(min_size=1, max_size=30).filter(lambda b: not set(b"\r\n") & set(b))),
       st.integers(1, 40))  # fmt: skip
def test_lines_survive_any_cutting(lines, step):
    stream = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter(100)

    found = [
        line for at in range(0, len(stream), step) for line in splitter.feed(stream[at : at + step])
    ]

    assert found == lines


@given(st.binary(max_size=300).map(lambda b: b.replace(b"\x00", b"\n")), st.integers(1, 300))
def test_lines_left_together_are_the_same_lines(stream, step):
    apart, together = LineSplitter(100), LineSplitter(100)

    for at in range(0, len(stream), step):
        chunk = stream[at : at + step]
        first, more = together.cut(chunk)
        lines = [line.removesuffix(b"\r") for line in bytes(more).split(b"\n")]
        assert first + [line for line in lines if line] == apart.feed(chunk)


def test_a_carriage_return_is_cut_and_empty_lines_are_skipped():
    assert LineSplitter().feed(b"a\r\n\n\r\nb\n") == [b"a", b"b"]


def test_a_line_of_exactly_the_limit_passes():
    assert LineSplitter(5).feed(b"12345\n123456\n") == [b"12345", OverlongLine(b"123456", 6)]


def test_a_long_line_is_discarded_in_constant_memory():
    splitter = LineSplitter(50_000)
    for _ in range(200):
        assert splitter.feed(b"x" * 10_000) == []
        assert sys.getsizeof(splitter._kept) < 70_000

    (line, after) = splitter.feed(b"tail\nnext\n")

    assert line.size_bytes == 2_000_004
    assert len(line.head) == OVERLONG_KEPT_BYTES
    assert after == b"next"


def test_a_line_that_comes_in_drops_takes_no_more_memory_than_its_bytes():
    splitter = LineSplitter(1_000_000)
    tracemalloc.start()
    try:
        for number in range(100_000):
            splitter.feed(b"%c%c" % (65 + number % 26, 65 + number % 7))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (line,) = splitter.feed(b"\n")
    assert len(line) == 200_000
    assert kept < 2 * len(line)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"jsonrpc":"2.0","id":12,"method":"x","params":{', (12, True)),
        (b'{"jsonrpc":"2.0","id":12,"result":{"id":9,', (12, False)),
        (b' { "id" : "abc" , "jsonrpc" : "2.0" , "method" : "x",', ("abc", True)),
        (b'{"method":"x","params":{"id":5},', (None, False)),
        (b'{"jsonrpc":"2.0","method":"x","params":{"id":5,', (None, False)),
        (b'{"jsonrpc":"2.0","id":1', (None, False)),
        (b"rubbish", (None, False)),
    ],
)
def test_only_a_top_level_id_counts(head, expected):
    assert id_of(head) == expected
