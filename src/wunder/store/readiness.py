"""When the head of a lane may be claimed, and by whom."""

from wunder.model.ids import At

#: So many unfinished claims make a message run alone (delivery semantics, Turns).
SUSPECT_CLAIMS = 2
#: So many fail it: whoever kills gateways in a row hits one that runs alone by chance, not twice (ADR 0064).
POISON_CLAIMS = SUSPECT_CLAIMS + 2


def ready_at(now: At, retry_at: At | None, not_before: At | None, expires_at: At) -> At:
    """When a waiting head may be claimed: at its retry, but in time to expire."""
    return min(max(now, retry_at or now, not_before or now), max(now, expires_at))
