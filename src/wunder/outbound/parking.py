"""When an account is parked because its credentials are refused, and when it is tried again (pure).

Source: delivery semantics: only two failures at least 30 s apart park; a half-open probe every 15 min.
"""

import msgspec

from wunder.model.fault import FaultKind
from wunder.model.ids import At

PARKING_KINDS = frozenset({FaultKind.AUTH_FAILED, FaultKind.ACCOUNT_CONFIG_INVALID})


class ParkingPolicy(msgspec.Struct, frozen=True):
    """The two numbers of the rule, in seconds."""

    apart_s: float = 30.0
    probe_every_s: float = 900.0


class Standing(msgspec.Struct, frozen=True):
    """How an account stands: `probe_at` is set while it is parked."""

    first_failure_at: At | None = None
    probe_at: At | None = None
    rev: int = 0

    @property
    def is_parked(self) -> bool:
        """True while only probes may use the account."""
        return self.probe_at is not None


def after_failure(standing: Standing, rev: int, now: At, policy: ParkingPolicy) -> Standing:
    """Count a credential failure of configuration `rev`; the second, far enough apart, parks."""
    if standing.rev != rev or standing.first_failure_at is None:
        return Standing(first_failure_at=now, rev=rev)
    if standing.is_parked or now - standing.first_failure_at >= policy.apart_s * 1000:
        return Standing(standing.first_failure_at, At(now + int(policy.probe_every_s * 1000)), rev)
    return standing


def may_try(standing: Standing, rev: int, now: At) -> bool:
    """True when the account may be used: not parked, changed since, or its probe is due."""
    return standing.probe_at is None or standing.rev != rev or now >= standing.probe_at


def after_probe_left(standing: Standing, now: At, policy: ParkingPolicy) -> Standing:
    """Push the next probe away: exactly one is under way."""
    if not standing.is_parked:
        return standing
    return Standing(
        standing.first_failure_at, At(now + int(policy.probe_every_s * 1000)), standing.rev
    )
