"""The ring of a plugin's last lines."""

from hypothesis import given
from hypothesis import strategies as st

from wunder.runtime.policy import WirePolicy
from wunder.runtime.stderr import StderrRing

SMALL = WirePolicy(stderr_kept_bytes=100, stderr_line_bytes=20, stderr_lines_per_s=5)


def test_a_line_that_arrives_in_pieces_is_one_line():
    ring = StderrRing(WirePolicy())
    for piece in (b"Trace", b"back\nlast", b" words"):
        ring.feed(piece, 0.0)
    ring.close(0.0)
    assert ring.tail() == ["Traceback", "last words"]


def test_a_long_line_is_cut_and_reading_goes_on():
    ring = StderrRing(SMALL)
    ring.feed(b"x" * 1_000 + b"\nshort\n", 0.0)
    assert ring.tail() == ["x" * 20 + " [cut]", "short"]


def test_lines_beyond_the_rate_are_counted_and_said():
    ring = StderrRing(SMALL)
    ring.feed(b"a\n" * 12, 0.5)
    ring.feed(b"b\n", 1.5)
    assert ring.tail() == ["a"] * 5 + ["[7 lines dropped]", "b"]
    assert ring.dropped == 7


@given(st.lists(st.tuples(st.binary(max_size=300), st.floats(0, 5)), max_size=50))
def test_it_never_keeps_more_than_allowed(pieces):
    ring, now = StderrRing(SMALL), 0.0
    for piece, wait_s in pieces:
        now += wait_s
        ring.feed(piece, now)
    assert sum(len(line) + 1 for line in ring.tail()) <= SMALL.stderr_kept_bytes
