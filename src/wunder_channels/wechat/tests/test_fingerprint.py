"""A repeat is marked where nobody sees it."""

from wunder_channels.wechat.fingerprint import MARK_BYTES, marked


def test_a_mark_is_the_same_for_each_attempt_and_differs_between_deliveries() -> None:
    assert marked("OK", "d1#0") == marked("OK", "d1#0")
    assert len({marked("OK", f"d{number}#0") for number in range(50)}) >= 49
    assert len(marked("OK", "d1#0").encode()) == 2 + MARK_BYTES
    assert marked("OK", "d1#0").startswith("OK\u200b"[:2])
