"""When to fetch an attachment again and when to stop (pure)."""

import msgspec

from wunder.attachments.policy import AttachmentPolicy
from wunder.model.attachment import StoredAttachment
from wunder.model.fault import MAX_RETRY_AFTER_S, OUTAGES, PERMANENT, Fault
from wunder.model.ids import At


class Verdict(msgspec.Struct, frozen=True):
    """`retry_at` None: it has failed for good."""

    retry_at: At | None
    uses_try: bool = False


def after_fault(
    fault: Fault, row: StoredAttachment, now: At, jitter: float, policy: AttachmentPolicy
) -> Verdict:
    """Decide what a failed fetch means: outages use up no try, but the day does end.

    Fetching changes nothing on the platform, so an unknown outcome is simply tried again.
    """
    is_over = now >= row.created_at + policy.give_up_s * 1000
    if is_over or fault.kind in PERMANENT:
        return Verdict(None, uses_try=True)
    uses_try = fault.kind not in OUTAGES
    if uses_try and row.tries + 1 >= policy.tries:
        return Verdict(None, uses_try=True)
    backoff_s = min(policy.retry_cap_s, policy.retry_base_s * 2.0 ** min(row.tries, 30))
    wait_s = max(backoff_s * (0.5 + 0.5 * jitter), min(fault.retry_after_s or 0, MAX_RETRY_AFTER_S))
    return Verdict(At(now + int(wait_s * 1000)), uses_try)
