"""When to fetch again, by what went wrong."""

import msgspec
import pytest

from wunder.attachments.policy import AttachmentPolicy
from wunder.attachments.rules import after_fault
from wunder.model.attachment import StoredAttachment
from wunder.model.fault import Fault, FaultKind
from wunder.model.ids import At

POLICY = AttachmentPolicy()
ROW = StoredAttachment("a" * 32, "u", "image", At(1_000), At(1_000))


def verdict(kind, tries=0, now=2_000, **more):
    row = msgspec.structs.replace(ROW, tries=tries)
    return after_fault(Fault(kind, **more), row, At(now), 0.0, POLICY)


@pytest.mark.parametrize("kind", ["provider_rejected", "too_large", "unsupported_feature", "quota"])
def test_what_no_try_can_change_ends_it(kind):
    assert verdict(FaultKind(kind)).retry_at is None


def test_faults_use_up_tries_with_growing_pauses():
    pauses = [verdict(FaultKind.INTERNAL, tries).retry_at for tries in range(5)]

    assert pauses == [3_000, 4_000, 6_000, 10_000, None]


def test_outages_use_up_none_until_the_day_ends():
    waiting = verdict(FaultKind.PROVIDER_UNAVAILABLE, 4)
    assert (waiting.retry_at, waiting.uses_try) == (18_000, False)

    assert verdict(FaultKind.NOT_READY, now=1_000 + 86_400_000).retry_at is None


def test_a_platforms_wish_is_heard():
    assert verdict(FaultKind.RATE_LIMITED, retry_after_s=30.0).retry_at == 32_000
    assert verdict(FaultKind.RATE_LIMITED, retry_after_s=1e9).retry_at == 2_000 + 3_600_000
