"""What the host knows of each method, and how a plugin's errors become faults."""

from typing import Literal

import msgspec

from wunder.errors import ProviderFault
from wunder.model.fault import Fault, FaultKind, fault_as_told
from wunder.runtime.policy import CallLimits
from wunder_wire.errors import ErrorData, ErrorObject

PoolName = Literal["intake", "identify", "sends", "desk", "fetch", "control"]
CODE_CHARS = 64
BUSY_RETRY_MS = 250


class MethodRule(msgspec.Struct, frozen=True):
    """One method the gateway may call.

    `may_reach`: once its frame was written, no answer means an unknown outcome. `has_breaker`:
    only calls that the gateway itself decides to make; whether a webhook request is authentic is
    not known before it was parsed, so parsing neither opens a breaker nor waits for one (ADR 0023),
    and a courtesy that fails must not keep messages waiting (ADR 0073).
    """

    pool: PoolName
    limit_s: float
    may_reach: bool = False
    has_breaker: bool = False


def method_rules(limits: CallLimits) -> dict[str, MethodRule]:
    """Return the rule of each method by its name on the wire."""
    return {
        "plugin.health": MethodRule("control", limits.health_s),
        "channel.validate_account_config": MethodRule("desk", limits.validate_s),
        "channel.identify_account": MethodRule("identify", limits.identify_s),
        "channel.parse_inbound": MethodRule("intake", limits.parse_s),
        "channel.render_inline_reply": MethodRule("intake", limits.render_s),
        "channel.send_outbound": MethodRule("sends", limits.send_s, True, True),
        "channel.edit_outbound": MethodRule("sends", limits.send_s, True, True),
        "channel.send_activity": MethodRule("sends", limits.activity_s),
        "channel.fetch_attachment": MethodRule("fetch", limits.fetch_s),
    }


def host_fault(
    kind: FaultKind, message: str, *, is_unknown: bool = False, retry_after_s: float | None = None
) -> ProviderFault:
    """Make the fault of a call that the plugin did not answer.

    Args:
        kind: one of those the host makes.
        message: for operators.
        is_unknown: the plugin may have acted on it.
        retry_after_s: when to ask again, where that is known.
    """
    outcome: Literal["unknown", "not_sent"] = "unknown" if is_unknown else "not_sent"
    if kind is FaultKind.BUSY:
        retry_after_s = BUSY_RETRY_MS / 1000
    return ProviderFault(
        Fault(kind, message, outcome, is_retryable=True, retry_after_s=retry_after_s)
    )


def plugin_fault(error: ErrorObject, *, may_reach: bool) -> ProviderFault:
    """Make the fault of a call that the plugin answered with an error; every number is clamped.

    An error without `data` says nothing of the outcome. A channel that fell over (`internal`) may
    have done so after the platform took the message.
    """
    kind = FaultKind(error.kind)
    data = error.data or ErrorData(kind=error.kind)
    outcome = data.outcome
    if kind is FaultKind.OUTCOME_UNKNOWN or (
        may_reach and error.data is None and kind in _OPEN_OUTCOME
    ):
        outcome = "unknown"
    after_ms = BUSY_RETRY_MS if kind is FaultKind.BUSY else None
    if data.retry_after_ms is not None:
        after_ms = data.retry_after_ms
    is_retryable = data.retryable or kind in _WORTH_RETRYING
    told = fault_as_told(kind, error.message, outcome, is_retryable, after_ms)
    return ProviderFault(
        msgspec.structs.replace(
            told,
            scope=data.scope,
            provider_code=(data.provider_code or "")[:CODE_CHARS],
            http_status=data.http_status,
            next_state=data.next.state if data.next else None,
        )
    )


_OPEN_OUTCOME = frozenset({FaultKind.INTERNAL, FaultKind.DEADLINE, FaultKind.CANCELLED})
_WORTH_RETRYING = frozenset(
    {
        FaultKind.INTERNAL,
        FaultKind.BUSY,
        FaultKind.SHUTTING_DOWN,
        FaultKind.RATE_LIMITED,
        FaultKind.PROVIDER_UNAVAILABLE,
    }
)
