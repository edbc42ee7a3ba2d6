"""What a platform is told of a request that was not taken."""

import pytest

from wunder.inbound.refusal import RETRY_AFTER_S, comes_again_after_s, refusal_of
from wunder.model.fault import Fault, FaultKind


@pytest.mark.parametrize(
    ("said_s", "told_s"), [(None, RETRY_AFTER_S), (0.0, 1), (0.25, 1), (7.2, 8), (3600.0, 3600)]
)
def test_a_platform_comes_again_when_whoever_refused_said_in_whole_seconds(
    said_s: float | None, told_s: int
) -> None:
    fault = Fault(FaultKind.RATE_LIMITED, "", "not_sent", is_retryable=True, retry_after_s=said_s)
    assert comes_again_after_s(fault) == told_s
    assert refusal_of(fault).retry_after_s == told_s


def test_a_judgement_that_time_does_not_change_names_no_time() -> None:
    fault = Fault(FaultKind.FORBIDDEN, "", "not_sent", is_retryable=False, retry_after_s=9.0)
    assert refusal_of(fault).retry_after_s is None
