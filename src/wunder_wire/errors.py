"""Every error a plugin may answer: code, kind, and what the kind means to the host.

Source: plugin protocol 1, section Errors (docs/protocol/v1.md).
"""

from typing import Literal

from wunder_wire.methods import NextPart
from wunder_wire.record import dataclass

Outcome = Literal["not_sent", "sent", "unknown"]
Scope = Literal["message", "peer", "account", "plugin"]

#: JSON-RPC code -> kind. Kinds are an enum: metrics and tables never see other words.
KIND_OF_CODE: dict[int, str] = {
    -32700: "bad_frame",
    -32600: "bad_request",
    -32602: "bad_params",
    -32601: "method_not_found",
    -32603: "internal",
    -32000: "busy",
    -32001: "shutting_down",
    -32002: "cancelled",
    -32003: "deadline",
    -32004: "protocol_unsupported",
    -32005: "too_large",
    -32006: "unsupported_feature",
    -32010: "signature_invalid",
    -32011: "malformed_event",
    -32012: "account_config_invalid",
    -32013: "auth_failed",
    -32014: "rate_limited",
    -32015: "provider_unavailable",
    -32016: "provider_rejected",
    -32017: "recipient_unreachable",
    -32018: "outcome_unknown",
    -32019: "duplicate",
    -32020: "forbidden",
    -32021: "state_conflict",
    -32022: "quota",
}
CODE_OF_KIND: dict[str, int] = {kind: code for code, kind in KIND_OF_CODE.items()}


@dataclass(frozen=True, slots=True)
class ErrorData:
    """`error.data` of a JSON-RPC error response.

    `next` goes with `duplicate` of a message in parts: what follows if this part had arrived.
    """

    kind: str = "internal"
    retryable: bool = False
    outcome: Outcome = "not_sent"
    retry_after_ms: int | None = None
    scope: Scope | None = None
    provider_code: str | None = None
    http_status: int | None = None
    next: NextPart | None = None


@dataclass(frozen=True, slots=True)
class ErrorObject:
    """`error` of a JSON-RPC response."""

    code: int
    message: str = ""
    data: ErrorData | None = None

    @property
    def kind(self) -> str:
        """The kind this code stands for; an unknown code counts as `internal`."""
        return KIND_OF_CODE.get(self.code, "internal")
