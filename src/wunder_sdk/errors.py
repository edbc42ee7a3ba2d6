"""What a channel raises: each exception says what happened, whether to retry, and what arrived.

Source: docs/protocol/v1.md, section Errors. Anything else that escapes a channel's method
becomes `internal`.
"""

import math
from typing import ClassVar

from wunder_wire.errors import CODE_OF_KIND, ErrorData, ErrorObject, Outcome, Scope
from wunder_wire.methods import NextPart

#: Free text from a channel is cut here before it crosses the wire (choice).
MESSAGE_MAX = 500


class ChannelError(Exception):
    """The channel could not do what was asked.

    Args:
        message: For operators and logs; never put secrets or message text in it.
        provider_code: The platform's own error code, as text.
        http_status: The status of the platform's answer.
        retry_after: Seconds to wait before trying again.
        scope: What the error is about; the class's default if absent.
        outcome: Did the message reach the platform? The class's default if absent.
    """

    kind: ClassVar[str] = "internal"
    retryable: bool = False
    outcome: Outcome = "not_sent"
    scope: Scope | None = None
    next: NextPart | None = None

    def __init__(
        self,
        message: str = "",
        *,
        provider_code: str | int | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        scope: Scope | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        text = message or (type(self).__doc__ or "").partition("\n")[0]
        super().__init__(text)
        self.message = text
        self.provider_code = None if provider_code is None else str(provider_code)
        self.http_status = http_status
        self.retry_after = retry_after
        if scope is not None:
            self.scope = scope
        if outcome is not None:
            self.outcome = outcome

    def to_wire(self) -> ErrorObject:
        """Return the JSON-RPC error object that stands for this exception."""
        has_wait = self.retry_after is not None and math.isfinite(self.retry_after)
        wait_ms = max(0, round((self.retry_after or 0) * 1000)) if has_wait else None
        return ErrorObject(
            code=CODE_OF_KIND[self.kind],
            message=self.message[:MESSAGE_MAX],
            data=ErrorData(
                kind=self.kind,
                retryable=self.retryable,
                outcome=self.outcome,
                retry_after_ms=wait_ms,
                scope=self.scope,
                provider_code=self.provider_code,
                http_status=self.http_status,
                next=self.next,
            ),
        )


class SignatureInvalid(ChannelError):
    """The request is not from the platform: its signature is missing or wrong (HTTP 401)."""

    kind = "signature_invalid"


class MalformedEvent(ChannelError):
    """The request cannot be read as an event of this platform (HTTP 400)."""

    kind = "malformed_event"


class Forbidden(ChannelError):
    """The request is authentic but not allowed here, e.g. meant for another account (HTTP 403)."""

    kind = "forbidden"


class AccountConfigInvalid(ChannelError):
    """The account's configuration cannot work; an administrator has to change it."""

    kind = "account_config_invalid"
    scope = "account"


class AuthFailed(ChannelError):
    """The platform refused this account's credentials."""

    kind = "auth_failed"
    scope = "account"


class RateLimited(ChannelError):
    """The platform asks us to slow down; `retry_after` seconds, `scope` peer or account."""

    kind = "rate_limited"
    retryable = True
    scope = "account"


class ProviderUnavailable(ChannelError):
    """The platform is down or unreachable, and the message did not reach it."""

    kind = "provider_unavailable"
    retryable = True
    scope = "account"


class ProviderRejected(ChannelError):
    """The platform refused this message for good; `message` holds its words."""

    kind = "provider_rejected"
    scope = "message"


class RecipientUnreachable(ChannelError):
    """The recipient cannot be written to: blocked us, left, or the reply window closed."""

    kind = "recipient_unreachable"
    scope = "peer"


class OutcomeUnknown(ChannelError):
    """The message may or may not have arrived: no answer came after it was written."""

    kind = "outcome_unknown"
    outcome: Outcome = "unknown"
    scope = "message"


class Duplicate(ChannelError):
    """The platform says it already has this message.

    For a message in parts set `next` to what follows this part: if it had arrived, the host goes on.
    """

    kind = "duplicate"
    outcome: Outcome = "sent"
    scope = "message"


class TooLarge(ChannelError):
    """The message or request exceeds what the platform or the protocol takes (HTTP 413)."""

    kind = "too_large"
    scope = "message"


class UnsupportedFeature(ChannelError):
    """This platform cannot do that; the gateway falls back to text."""

    kind = "unsupported_feature"
    scope = "message"


class Busy(ChannelError):
    """No free slot; ask again in `retry_after` seconds (the gateway takes 0.25 if absent)."""

    kind = "busy"
    retryable = True
    scope = "plugin"


class ShuttingDown(ChannelError):
    """The plugin is stopping and takes no new calls."""

    kind = "shutting_down"
    retryable = True
    scope = "plugin"


class MethodNotFound(ChannelError):
    """This plugin does not have that method."""

    kind = "method_not_found"


class BadParams(ChannelError):
    """The parameters do not fit the method's schema; the message names the JSON pointer."""

    kind = "bad_params"


class StateConflict(ChannelError):
    """The stored value was changed by somebody else; read it again."""

    kind = "state_conflict"


class Quota(ChannelError):
    """The quota of `host.state` is used up: 64 KiB a value, 1,000 keys, 1 MiB an account."""

    kind = "quota"


_BY_KIND: dict[str, type[ChannelError]] = {
    error.kind: error for error in ChannelError.__subclasses__()
}


def from_wire(error: ErrorObject) -> ChannelError:
    """Return the exception that stands for an error object, e.g. one the host answered."""
    kind = error.kind
    data = error.data or ErrorData(kind=kind)
    wait_s = None if data.retry_after_ms is None else data.retry_after_ms / 1000
    return _BY_KIND.get(kind, ChannelError)(
        error.message,
        provider_code=data.provider_code,
        http_status=data.http_status,
        retry_after=wait_s,
        scope=data.scope,
        outcome=data.outcome,
    )
