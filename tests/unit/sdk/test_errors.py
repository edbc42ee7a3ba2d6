"""What a channel raises can be said on the wire, whatever a platform told it."""

import pytest

from wunder_sdk.errors import RateLimited


@pytest.mark.parametrize(
    ("seconds", "said_ms"),
    [(1.5, 1500), (-3, 0), (float("inf"), None), (float("-inf"), None), (float("nan"), None)],
)
def test_a_wait_that_is_no_number_is_not_said(seconds: float, said_ms: int | None) -> None:
    data = RateLimited("slow down", retry_after=seconds).to_wire().data
    assert data is not None
    assert data.retry_after_ms == said_ms
